import assert from 'node:assert/strict';
import test from 'node:test';
import { renderSummary, runnableFiles, selectTiers } from '../../../src/setup/test.mjs';

test('without names every tier runs, quick ones first', () => {
  const names = selectTiers([]).map((tier) => tier.name);
  assert.deepEqual(names, ['style', 'unit', 'golden', 'fault', 'nix', 'private-host', 'systemd', 'vm']);
});

test('named tiers run in their own order, and lint is a name', () => {
  assert.deepEqual(
    selectTiers(['unit', 'style', 'lint']).map((tier) => tier.name),
    ['style', 'unit'],
  );
});

test('an unknown name is refused with the known ones', () => {
  assert.throws(() => selectTiers(['units']), /no such tests: units; there are lint, nodes, style, unit/);
});

test('tests are found by their sources, so that a leftover of an older build is not run', () => {
  assert.deepEqual(runnableFiles(['test/unit/a/b.test.ts', 'test/unit/setup/c.test.mjs', 'test/unit/a/fixture.ts']), [
    'build/test/unit/a/b.test.js',
    'test/unit/setup/c.test.mjs',
  ]);
});

test('the summary ends with a line that says what failed', () => {
  const counts = { passed: 3, failed: 1, skipped: 0, files: 2 };
  const outcomes = [
    { name: 'types', status: 0, seconds: 4, counts: undefined },
    { name: 'unit', status: 1, seconds: 2.5, counts },
  ];
  assert.equal(
    renderSummary(outcomes),
    [
      'ok   types             4.0 s',
      'FAIL unit              2.5 s  3 passed, 1 failed, 0 skipped',
      'npm test: failed: unit (7 s)',
    ].join('\n'),
  );
});
