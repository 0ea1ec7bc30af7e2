import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { bootPrivateHost } from '../../src/private-host/boot.ts';
import type { PrivateHost } from '../../src/private-host/private-host.ts';
import { findLeaks } from '../helpers/leaks.ts';
import { runProgram } from './program.ts';

let host: PrivateHost;

before(async () => {
  host = await bootPrivateHost({ isBare: true });
});
after(() => host.stop());

test('a program gets its input and gives its output, error output and status', async () => {
  const { status, stdout, stderr } = await host.run(['sh', '-c', 'cat; echo problem >&2; exit 4'], { stdin: 'text' });
  assert.deepEqual({ status, stdout, stderr }, { status: 4, stdout: 'text', stderr: 'problem\n' });
});

test('a program that reads nothing is no problem for whoever writes much', async () => {
  assert.equal((await host.run(['true'], { stdin: 'x'.repeat(1_000_000) })).status, 0);
});

test('a program that takes too long is killed, whoever else holds its output', async () => {
  const started = performance.now();
  const { status, stdout } = await host.run(['sh', '-c', 'echo begun; sleep 1000 & exec sleep 1000'], {
    timeoutMs: 1000,
  });
  assert.equal(status, 128 + 9);
  assert.equal(stdout, 'begun\n');
  assert.ok(performance.now() - started < 20_000);
});

test('a program gets another directory and another environment when asked', async () => {
  const { stdout } = await host.run(['/bin/sh', '-c', '/bin/pwd; /usr/bin/env'], { cwd: '/usr', env: { ONLY: '1' } });
  assert.match(stdout, /^\/usr\n/);
  assert.match(stdout, /^ONLY=1$/m);
  assert.doesNotMatch(stdout, /^HOME=/m);
});

test('twenty programs at once end each with their own status', async () => {
  const statuses = Array.from({ length: 20 }, (_, index) => index);
  const ended = await Promise.all(statuses.map((status) => host.run(['sh', '-c', `exit ${status}`])));
  assert.deepEqual(
    ended.map(({ status }) => status),
    statuses,
  );
});

test('a spawned program can be killed by the one who started it', async () => {
  const child = host.spawn(['sh', '-c', 'echo started; exec sleep 1000']);
  await once(child.stdout ?? child, 'data');
  child.kill('SIGTERM');
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGTERM');
});

test('what a tree holds is there when PID 1 starts', async () => {
  const tree = mkdtempSync(join(tmpdir(), 'private-host-'));
  try {
    const script = [
      `mkdir -p ${tree}/etc/systemd/system/multi-user.target.wants`,
      `printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n' >${tree}/etc/systemd/system/extra.service`,
      `ln -s ../extra.service ${tree}/etc/systemd/system/multi-user.target.wants/extra.service`,
    ].join('\n');
    assert.equal((await host.run(['sh', '-c', script])).status, 0);
    const second = await bootPrivateHost({ isBare: true, trees: [tree] });
    try {
      await second.run(['systemctl', 'is-system-running', '--wait']);
      assert.equal((await second.run(['systemctl', 'is-active', 'extra.service'])).stdout, 'active\n');
    } finally {
      await second.stop();
    }
  } finally {
    rmSync(tree, { recursive: true });
  }
});

test('a host that is switched off from inside ends its programs and is stopped like any other', async () => {
  const short = await bootPrivateHost({ isBare: true });
  const { status } = await short.run(['sh', '-c', 'systemctl poweroff --force --force; sleep 1000']);
  assert.equal(status, 128 + 9);
  await short.stop();
  assert.deepEqual(await findLeaks(new Map(), { only: new RegExp(short.name), withinMs: 0 }), []);
});

test('--keep-journal writes the journal, also of a command that failed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'private-host-'));
  try {
    const script = 'systemd-run --quiet --wait --unit=speaker.service sh -c "echo spoken"; exit 6';
    const { status } = await runProgram(['--bare', '--keep-journal', 'journal', 'sh', '-c', script], {
      cwd: directory,
    });
    assert.equal(status, 6);
    assert.match(readFileSync(join(directory, 'journal'), 'utf8'), /sh\[\d+\]: spoken$/m);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('agent-spawn of this checkout is installed, and only in the host', async () => {
  assert.notEqual((await host.run(['systemctl', 'cat', 'agent-spawnd.service'])).status, 0);
  const installed = await bootPrivateHost();
  try {
    assert.equal((await installed.run(['systemctl', 'is-system-running', '--wait'])).stdout, 'running\n');
    for (const unit of ['agent-spawnd.socket', 'agent-spawnd.service']) {
      assert.equal((await installed.run(['systemctl', 'is-active', unit])).stdout, 'active\n', unit);
    }
    assert.deepEqual(JSON.parse((await installed.run(['agentctl', 'list', '--json'])).stdout), []);
    const group = await installed.run(['getent', 'group', 'agent-spawn']);
    assert.match(group.stdout, /^agent-spawn:/);
  } finally {
    await installed.stop();
  }
});
