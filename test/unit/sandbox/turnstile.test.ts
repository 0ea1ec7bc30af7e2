import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turnstile } from '../../../src/sandbox/turnstile.ts';

test('no more than its places are taken at once, and everyone gets through in order', async () => {
  const turnstile = new Turnstile(2);
  let inside = 0;
  let most = 0;
  const order: number[] = [];
  const visit = (number: number): Promise<void> =>
    turnstile.pass(async () => {
      inside += 1;
      most = Math.max(most, inside);
      order.push(number);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    });
  await Promise.all([1, 2, 3, 4, 5].map(visit));
  assert.equal(most, 2);
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
});

test('a failure frees its place', async () => {
  const turnstile = new Turnstile(1);
  await assert.rejects(turnstile.pass(() => Promise.reject(new Error('no'))));
  assert.equal(await turnstile.pass(() => Promise.resolve('yes')), 'yes');
});
