import assert from 'node:assert/strict';
import test from 'node:test';
import { PROBE_OUTPUT_BYTES_MAX } from '../../../src/base/limits.ts';
import { probeCommand } from '../../../src/host/spawn.ts';

test('a probed command has nothing of our environment, no input, and the root as its directory', async () => {
  process.env['AGENT_SPAWN_TEST_SECRET'] = 'secret';
  try {
    const result = await probeCommand('/bin/sh', ['-c', 'env | sort | cut -d= -f1; pwd; cat; exit 3']);
    assert.deepEqual(
      result.stdout.split('\n').filter((line) => !['OLDPWD', 'SHLVL', '_'].includes(line)),
      ['LANG', 'PATH', 'PWD', '/', ''],
    );
    assert.equal(result.status, 3);
  } finally {
    delete process.env['AGENT_SPAWN_TEST_SECRET'];
  }
});

test('arguments reach a probed command as they are', async () => {
  const { stdout } = await probeCommand('/bin/echo', ['$HOME', '; id', '*']);
  assert.equal(stdout, '$HOME ; id *\n');
});

test('a command that cannot be started, or writes too much, is a failure that names it', async () => {
  await assert.rejects(probeCommand('/nonexistent/program', []), {
    code: 'host.call-failed',
    message: 'running /nonexistent/program failed: ENOENT',
  });
  await assert.rejects(probeCommand('/bin/sh', ['-c', 'while :; do echo flood; done']), {
    code: 'host.call-failed',
    message: `running /bin/sh failed: it wrote more than ${PROBE_OUTPUT_BYTES_MAX} bytes`,
  });
});

test('a command that a signal ended has no status', async () => {
  assert.equal((await probeCommand('/bin/sh', ['-c', 'kill -9 $$'])).status, null);
});
