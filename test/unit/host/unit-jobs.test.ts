import assert from 'node:assert/strict';
import test from 'node:test';
import { EARLY_JOBS_MAX } from '../../../src/base/limits.ts';
import { UnitJobs } from '../../../src/host/unit-jobs.ts';

test('a job that ends after the answer that names it is waited for', async () => {
  const jobs = new UnitJobs();
  const end = jobs.wait(async () => '/job/1');
  setImmediate(() => jobs.removed('/job/1', 'failed'));
  assert.equal(await end, 'failed');
});

test('a job that ended before the answer that names it is not missed', async () => {
  const jobs = new UnitJobs();
  const end = jobs.wait(async () => {
    jobs.removed('/job/1', 'done');
    return '/job/1';
  });
  assert.equal(await end, 'done');
});

test('other jobs that end meanwhile do not count', async () => {
  const jobs = new UnitJobs();
  const end = jobs.wait(async () => {
    for (let other = 0; other < EARLY_JOBS_MAX + 10; other += 1) jobs.removed(`/other/${other}`, 'failed');
    jobs.removed('/job/1', 'done');
    return '/job/1';
  });
  assert.equal(await end, 'done');
});

test('a job that ended while nobody had asked for one is not taken for a later one', async () => {
  const jobs = new UnitJobs();
  jobs.removed('/job/1', 'failed');
  const end = jobs.wait(async () => '/job/1');
  setImmediate(() => jobs.removed('/job/1', 'done'));
  assert.equal(await end, 'done');
});

test('a result that this version does not know is a failure', async () => {
  const jobs = new UnitJobs();
  const end = jobs.wait(async () => '/job/1');
  setImmediate(() => jobs.removed('/job/1', 'something-new'));
  assert.equal(await end, 'failed');
});

test('every waiting job fails with the reason when its signals may have been missed', async () => {
  const jobs = new UnitJobs();
  const ends = ['/job/1', '/job/2'].map((job) => jobs.wait(async () => job));
  setImmediate(() => jobs.lost(new Error('the bus is gone')));
  for (const end of ends) await assert.rejects(end, { message: 'the bus is gone' });
});

test('a call that fails is no job', async () => {
  const jobs = new UnitJobs();
  await assert.rejects(
    jobs.wait(() => Promise.reject(new Error('no such unit'))),
    { message: 'no such unit' },
  );
});

test('a job that does not end in time has timed out, and its end comes too late', async () => {
  const jobs = new UnitJobs(10);
  const end = jobs.wait(async () => '/job/1');
  assert.equal(await end, 'timeout');
  jobs.removed('/job/1', 'done');
});
