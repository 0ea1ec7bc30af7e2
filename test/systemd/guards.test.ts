import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, type TestContext, test } from 'node:test';
import { askAgent, Bench, runAgent, succeed } from '../helpers/agents.ts';
import { agentProgram, runCommand } from '../helpers/commands.ts';

/**
 * What the probes of the other suites are worth: with one guard taken away, by a drop-in as an administrator could write
 * one, the probe that belongs to it goes through.
 */
const DROP_IN = '/run/systemd/system/sandboxed-agent@.service.d';

let bench: Bench;
before(async () => {
  bench = await Bench.open();
});
after(() => bench.close());

/** Takes guards away from every agent until the test is over. */
async function without(t: TestContext, ...lines: readonly string[]): Promise<void> {
  mkdirSync(DROP_IN, { recursive: true });
  writeFileSync(`${DROP_IN}/guard-off.conf`, `[Service]\n${lines.join('\n')}\n`);
  t.after(async () => {
    rmSync(DROP_IN, { recursive: true });
    await runCommand(['systemctl', 'daemon-reload']);
  });
  await succeed(runCommand(['systemctl', 'daemon-reload']));
}

function ask<T>(command: readonly string[], limits: object = {}): Promise<T> {
  return askAgent<T>(bench.card({ command, resource_limits: limits }));
}

test('without the filter of system calls the refused calls go through', async (t) => {
  const program = agentProgram(
    'syscalls.py',
    'keyctl=250:0,-3,0',
    'ptrace=101:0,0,0,0',
    'kcmp=312:1,1,0,0,0',
    'personality=135:8',
  );
  const refused = { keyctl: 'EPERM', ptrace: 'EPERM', kcmp: 'EPERM', personality: 'EPERM' };
  assert.deepEqual(await ask(program), refused);
  await without(t, 'SystemCallFilter=', 'LockPersonality=no');
  assert.deepEqual(await ask(program), { keyctl: 'ok', ptrace: 'ok', kcmp: 'ok', personality: 'ok' });
});

test('without the list of socket families a vsock opens where the kernel has one', async (t) => {
  const program = agentProgram('syscalls.py', 'vsock=41:40,1,0', 'packet=41:17,2,0');
  const outside = JSON.parse((await succeed(runCommand(program))).stdout) as { vsock: string };
  assert.deepEqual(await ask(program), { vsock: 'EAFNOSUPPORT', packet: 'EAFNOSUPPORT' });
  await without(t, 'RestrictAddressFamilies=');
  assert.deepEqual(await ask(program), { vsock: outside.vsock, packet: 'EPERM' });
});

test('without a network of its own an agent reaches the loopback of the host', async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const attempt = `connect(("127.0.0.1", ${port}), socket.AF_INET)`;
  const program = agentProgram('attempts.py', attempt);
  assert.deepEqual(await ask(program), { [attempt]: 'ECONNREFUSED' });
  await without(t, 'PrivateNetwork=no');
  assert.deepEqual(await ask(program), { [attempt]: 'ok: 7' });
});

test('without its limits an agent has more processes, memory and open files', async (t) => {
  const limits = { max_processes: 5, memory_mb: 48, max_open_files: 32 };
  const hog = bench.card({ command: agentProgram('hog.py', 'heap', '64'), resource_limits: limits });
  assert.equal((await runAgent(hog)).status, 137);
  assert.equal((await ask<{ processes: number }>(agentProgram('forks.py'), limits)).processes, 5);
  await without(t, 'TasksMax=20', 'MemoryMax=256M', 'LimitNOFILE=64');
  assert.equal((await runAgent(hog)).stdout, 'got 64\n');
  assert.equal((await ask<{ processes: number }>(agentProgram('forks.py'), limits)).processes, 18);
  assert.equal((await ask<{ largest: number }>(agentProgram('descriptors.py'), limits)).largest, 63);
});
