import assert from 'node:assert/strict';
import test from 'node:test';
import { judge, NAMES } from '../../bench/goals.ts';
import type { Result } from '../../bench/round-robin.ts';

function result(name: string, exitMs: number, firstByteMs?: number): Result {
  const summary = (value: number) => ({ count: 1, min: value, median: value, p95: value });
  return {
    name,
    description: '',
    exit: summary(exitMs),
    firstByte: firstByteMs === undefined ? undefined : summary(firstByteMs),
    cpu: undefined,
    missing: undefined,
    samples: [],
  };
}

test('goals are judged by ratios, and what was not measured is neither met nor missed', () => {
  const goals = judge({
    results: [
      result(NAMES.node, 20),
      result(NAMES.byHand, 60),
      result(NAMES.foreground, 88),
      result(NAMES.api, 50, 30),
      result(NAMES.srt, 440),
      result(NAMES.version, 24),
    ],
    levels: [],
    daemonBytes: 300 * 1024 * 1024,
  });
  assert.deepEqual(
    goals.map(({ value, verdict }) => [value, verdict]),
    [
      [0.5, 'met'],
      [1.1, 'not met'],
      [5, 'not met'],
      [undefined, 'not measured'],
      [undefined, 'not measured'],
      [300, 'not met'],
      [undefined, 'not measured'],
      [1.2, 'met'],
    ],
  );
});
