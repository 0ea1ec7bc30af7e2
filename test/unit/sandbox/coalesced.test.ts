import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coalesced } from '../../../src/sandbox/coalesced.ts';

test('requests made while the task runs share one more run, which starts after them', async () => {
  const finish: (() => void)[] = [];
  const task = new Coalesced(() => new Promise<void>((resolve) => finish.push(resolve)));
  const first = task.request();
  const second = task.request();
  const third = task.request();
  assert.equal(second, third);
  assert.equal(finish.length, 1);
  finish[0]?.();
  await first;
  await Promise.resolve();
  assert.equal(finish.length, 2);
  finish[1]?.();
  await second;
  await task.settled();
  assert.equal(finish.length, 2);
});

test('a failed run is reported to those who asked for it and does not stop the next', async () => {
  let runs = 0;
  const task = new Coalesced(async () => {
    runs += 1;
    if (runs === 1) throw new Error('first');
  });
  const first = task.request();
  const second = task.request();
  await assert.rejects(first, /first/);
  await second;
  assert.equal(runs, 2);
});
