import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { inCheckout } from '../../../src/setup/checkout.mjs';

const ENDED = { SERVICE_RESULT: 'oom-kill', EXIT_CODE: 'killed', EXIT_STATUS: 'KILL', INVOCATION_ID: '0123abcd' };

/**
 * Runs the script against made-up cgroup files.
 * @param {Record<string, string>} files path below the cgroup mounts to contents
 * @param {string} membership contents of /proc/self/cgroup
 */
function runReport(t, { id = 'alpha-1', files = {}, membership = '0::/agent\n', shell = 'sh' }) {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-report-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [exits, mounts, self] = ['exits', 'mounts', 'self'].map((name) => join(directory, name));
  mkdirSync(exits);
  mkdirSync(mounts);
  writeFileSync(self, membership);
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(mounts, path)), { recursive: true });
    writeFileSync(join(mounts, path), contents);
  }
  // An empty search path: a command that is no builtin would fail here.
  const env = { ...ENDED, PATH: '/nonexistent' };
  const { status, stderr } = spawnSync(`/bin/${shell}`, [inCheckout('units/exit-report'), id, exits, mounts, self], {
    encoding: 'utf8',
    env,
  });
  const written = readdirSync(exits);
  return {
    status,
    stderr,
    written,
    exits,
    text: written.length === 0 ? '' : readFileSync(join(exits, written[0]), 'utf8'),
  };
}

const HEAD = ['service_result=oom-kill', 'exit_code=killed', 'exit_status=KILL', 'invocation=0123abcd'];

test('on version 2 every counter comes from the one cgroup', (t) => {
  const { status, stderr, text } = runReport(t, {
    files: {
      'agent/memory.peak': '1048576\n',
      'agent/memory.events': 'low 0\nhigh 3\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n',
      'agent/pids.events': 'max 7\n',
      'agent/pids.peak': '12\n',
      'agent/cpu.stat': 'usage_usec 4500\nuser_usec 4000\n',
    },
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.deepEqual(text.split('\n'), [
    ...HEAD,
    'memory_peak=1048576',
    'oom_kills=1',
    'pids_refused=7',
    'pids_peak=12',
    'cpu_usec=4500',
    'complete=yes',
    '',
  ]);
});

test('on a hybrid machine the version 1 controllers win', (t) => {
  const { text } = runReport(t, {
    membership: '5:pids:/agent\n4:memory:/agent\n3:cpu,cpuacct:/agent\n1:name=systemd:/agent\n0::/agent\n',
    files: {
      'unified/agent/memory.peak': '1\n',
      'unified/agent/cpu.stat': 'usage_usec 4500\n',
      'memory/agent/memory.max_usage_in_bytes': '2097152\n',
      'memory/agent/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
      'pids/agent/pids.events': 'max 1\n',
      'cpuacct/agent/cpuacct.usage': '9000000\n',
    },
  });
  assert.deepEqual(text.split('\n'), [
    ...HEAD,
    'memory_peak=2097152',
    'oom_kills=2',
    'pids_refused=1',
    'cpu_usec=4500',
    'complete=yes',
    '',
  ]);
});

test('on a machine of version 1 alone the processor time is converted from nanoseconds', (t) => {
  const { text } = runReport(t, {
    membership: '3:cpu,cpuacct:/agent\n1:name=systemd:/agent\n',
    files: { 'cpuacct/agent/cpuacct.usage': '9000000\n' },
  });
  assert.deepEqual(text.split('\n'), [...HEAD, 'cpu_usec=9000', 'complete=yes', '']);
});

test('the numbers of a larger cgroup that the unit merely lies in are not reported', (t) => {
  const { text } = runReport(t, {
    membership: '4:memory:/\n3:cpuacct:/\n1:name=systemd:/agent\n0::/\n',
    files: {
      'memory/memory.max_usage_in_bytes': '1\n',
      'cpuacct/cpuacct.usage': '9000000\n',
      'unified/cpu.stat': 'usage_usec 1\n',
    },
  });
  assert.deepEqual(text.split('\n'), [...HEAD, 'complete=yes', '']);
});

test('counters that are not there or make no sense are left out', (t) => {
  const { status, text } = runReport(t, { files: { 'agent/memory.peak': 'max\n', 'agent/pids.events': '' } });
  assert.deepEqual({ status, lines: text.split('\n') }, { status: 0, lines: [...HEAD, 'complete=yes', ''] });
});

test('only root can read a report', (t) => {
  const { exits, written } = runReport(t, {});
  assert.equal(statSync(join(exits, written[0])).mode & 0o777, 0o600);
});

test('what is not an agent id writes nothing', (t) => {
  for (const id of ['', '..', 'a/b', '../../etc/x', '-a', 'a-', 'A', 'é', 'a b', 'a'.repeat(49)]) {
    const { status, stderr, written } = runReport(t, { id });
    assert.deepEqual({ id, status, written }, { id, status: 2, written: [] });
    assert.match(stderr, /not an agent id/);
  }
  assert.deepEqual(runReport(t, { id: 'a'.repeat(48) }).written, ['a'.repeat(48)]);
});

test('it runs on a shell other than the one of Debian', (t) => {
  const files = { 'agent/memory.peak': '1048576\n' };
  assert.equal(runReport(t, { files, shell: 'bash' }).text, runReport(t, { files }).text);
});
