import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuWeight, guessQuantity, mebibytes, type QuantityKind } from '../../../src/base/quantities.ts';

test('MiB become bytes', () => {
  assert.deepEqual([0, 1, 4096].map(mebibytes), [0, 1_048_576, 4_294_967_296]);
});

test('CPU shares become a weight in the proportion of systemd, within the bounds of the kernel', () => {
  const cases = [
    [2, 1],
    [10, 1],
    [11, 1],
    [512, 50],
    [1024, 100],
    [2048, 200],
    [102_400, 10_000],
    [262_144, 10_000],
  ];
  assert.deepEqual(
    cases.map(([shares]) => [shares, cpuWeight(shares ?? 0)]),
    cases,
  );
});

test('an amount with a unit is read as its author meant it', () => {
  const cases: readonly (readonly [string, QuantityKind, number | null])[] = [
    ['4g', 'memory', 4096],
    ['4 GB', 'memory', 4096],
    ['1.5Gi', 'memory', 1536],
    ['512M', 'memory', 512],
    ['512', 'memory', 512],
    ['1048576k', 'memory', 1024],
    ['1073741824b', 'memory', 1024],
    ['1t', 'memory', 1_048_576],
    ['100k', 'memory', 1],
    ['2h', 'time', 7200],
    ['90 min', 'time', 5400],
    ['1d', 'time', 86_400],
    ['500ms', 'time', 1],
    ['1w', 'time', 604_800],
    ['50%', 'percent', 50],
    ['50', 'count', 50],
    ['0', 'count', 0],
    ['50%', 'count', null],
    ['4g', 'time', null],
    ['2h', 'memory', null],
    ['', 'count', null],
    ['many', 'count', null],
    ['-4g', 'memory', null],
    ['4g4', 'memory', null],
    ['0x10', 'count', null],
    ['4 tostring', 'memory', null],
    [`${'9'.repeat(100_000)}g`, 'memory', null],
  ];
  assert.deepEqual(
    cases.map(([text, kind]) => [text, kind, guessQuantity(text, kind)]),
    cases,
  );
});
