import assert from 'node:assert/strict';
import test from 'node:test';
import { quantile, summarize } from '../../bench/statistics.ts';

test('the median is the middle one or between the two in the middle; p95 is a sample', () => {
  assert.equal(summarize([]), undefined);
  assert.deepEqual(summarize([7]), { count: 1, min: 7, median: 7, p95: 7 });
  assert.deepEqual(summarize([30, 10, 20]), { count: 3, min: 10, median: 20, p95: 30 });
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.deepEqual(summarize(hundred), { count: 100, min: 1, median: 50.5, p95: 95 });
  assert.deepEqual([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile([7], 0.99)], [50, 99, 7]);
});
