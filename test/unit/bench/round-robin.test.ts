import assert from 'node:assert/strict';
import test from 'node:test';
import type { Contestant } from '../../bench/contestant.ts';
import { compete } from '../../bench/round-robin.ts';

test('all start once per round, the first round is not counted, and who fails is listed and hurts nobody', async () => {
  const order: string[] = [];
  const contestant = (name: string, failsAt: number): Contestant => ({
    name,
    description: `${name} described`,
    start: async () => {
      order.push(name);
      const count = order.filter((other) => other === name).length;
      if (count === failsAt) throw new Error(`${name} broke`);
      return { firstByteMs: undefined, exitMs: count };
    },
  });
  const results = await compete([contestant('a', 0), contestant('b', 3), contestant('c', 1)], 3);
  assert.deepEqual(
    results.map(({ name, exit, missing }) => [name, exit?.count, exit?.median, missing]),
    [
      ['a', 3, 3, undefined],
      ['b', 1, 2, 'b broke'],
      ['c', undefined, undefined, 'c broke'],
    ],
  );
  assert.deepEqual([...order].sort(), ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'c']);
});
