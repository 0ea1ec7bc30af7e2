import assert from 'node:assert/strict';
import test from 'node:test';
import { CallQueue } from '../../../src/host/call-queue.ts';

test('no more calls run at once than allowed, and all run in order', async () => {
  const queue = new CallQueue(3);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const call = async (index: number): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    order.push(index);
    await new Promise(setImmediate);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => queue.pass(() => call(index))));
  assert.equal(most, 3);
  assert.deepEqual(order, [...Array(20).keys()]);
});

test('a call that fails gives its place away', async () => {
  const queue = new CallQueue(1);
  await assert.rejects(
    queue.pass(() => Promise.reject(new Error('refused'))),
    { message: 'refused' },
  );
  assert.equal(await queue.pass(async () => 'next'), 'next');
});
