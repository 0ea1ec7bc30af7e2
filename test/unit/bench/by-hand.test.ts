import assert from 'node:assert/strict';
import test from 'node:test';
import { stdioProperties } from '../../../src/plan/properties.ts';
import type { UnitProperty } from '../../../src/plan/unit-property.ts';
import { renderUnitText } from '../../../src/plan/unit-text.ts';
import { systemdRunLine } from '../../bench/by-hand.ts';

test('a unit becomes a systemd-run line with its properties and the words of its command', () => {
  const words = ['/usr/bin/env', 'a b', '', '"\\', 'line\nbreak\t\u0001', '100%', '$HOME', '-x=1'];
  const properties: readonly UnitProperty[] = [
    { name: 'Description', signature: 's', value: '50% done' },
    { name: 'CollectMode', signature: 's', value: 'inactive' },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [['/usr/bin/env', words, ['no-env-expand']]] },
    { name: 'TasksMax', signature: 't', value: 52n },
    ...stdioProperties({ kind: 'journal' }),
  ];
  assert.deepEqual(systemdRunLine(renderUnitText(properties)), [
    ...['systemd-run', '--wait', '--pipe', '--collect'],
    ...['--property', 'Description=50% done', '--property', 'TasksMax=52'],
    '--',
    ...words.map((word) => word.replace('$', '$$$$')),
  ]);
});
