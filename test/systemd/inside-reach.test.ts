import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { agentctl, askAgent, Bench, detachAgent, runAgent, startAgent, succeed, viewAgent } from '../helpers/agents.ts';
import { agentProgram, runCommand } from '../helpers/commands.ts';

type Results = Readonly<Record<string, string>>;

/** Sockets of this host that an agent must not find, by what belongs to them. */
const HOST_SOCKETS = [
  '/run/dbus/system_bus_socket',
  '/run/systemd/private',
  '/run/systemd/journal/stdout',
  '/run/systemd/userdb/io.systemd.DynamicUser',
  '/run/agent-spawn/api.sock',
  '/run/docker.sock',
  '/var/run/docker.sock',
];
const HOST_DATAGRAMS = [
  '/run/systemd/notify',
  '/run/systemd/journal/socket',
  '/run/systemd/journal/dev-log',
  '/dev/log',
];

/** A listener that counts who came. */
interface Spy {
  readonly server: Server;
  arrivals: number;
}

let bench: Bench;
before(async () => {
  bench = await Bench.open();
});
after(() => bench.close());

/** Listens until the test is over, however it ends. */
async function listenAt(t: TestContext, where: ListenOptions): Promise<Spy> {
  const server = createServer((socket) => {
    spy.arrivals += 1;
    // Taken to its end: a connection that is closed at once makes a writer fail that has reached us.
    socket.on('error', () => undefined);
    socket.resume();
  });
  const spy: Spy = { server, arrivals: 0 };
  await new Promise<void>((resolve) => server.listen(where, resolve));
  t.after(() => server.close());
  // A test that fails before it closes the listener must not keep the others waiting.
  server.unref();
  return spy;
}

function portOf(spy: Spy): number {
  const address = spy.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The same attempts from outside and from inside. */
async function bothSides(attempts: readonly string[]): Promise<{ outside: Results; inside: Results }> {
  const program = agentProgram('attempts.py', ...attempts);
  const outside = JSON.parse((await succeed(runCommand(program))).stdout) as Results;
  return { outside, inside: await askAgent<Results>(bench.card({ command: program })) };
}

test('sockets of the host, of systemd and of agent-spawn itself are not there', async (t) => {
  if (!existsSync('/run/docker.sock')) await listenAt(t, { path: '/run/docker.sock' });
  const streams = HOST_SOCKETS.map((path) => `connect("${path}")`);
  const datagrams = HOST_DATAGRAMS.map((path) => `connect("${path}", kind=socket.SOCK_DGRAM)`);
  const { outside, inside } = await bothSides([...streams, ...datagrams]);
  for (const [index, attempt] of streams.entries()) {
    if (existsSync(HOST_SOCKETS[index] ?? '')) assert.match(outside[attempt] ?? '', /^ok/, `${attempt} works outside`);
    assert.equal(inside[attempt], 'ENOENT', attempt);
  }
  for (const attempt of datagrams) assert.equal(inside[attempt], 'ENOENT', attempt);
  assert.ok(Object.values(outside).filter((result) => result.startsWith('ok')).length >= 5, JSON.stringify(outside));
});

test('abstract sockets of the host do not answer', async (t) => {
  const name = `canary-${process.pid}`;
  const spy = await listenAt(t, { path: `\0${name}` });
  // Some versions of Node pad the name to the whole length of an address.
  const attempts = [`connect("\\0${name}")`, `connect("\\0${name}".ljust(108, "\\0"))`];
  const { outside, inside } = await bothSides(attempts);
  const fromOutside = attempts.map((attempt) => (outside[attempt] ?? '').replace(/^ok: \d+$/, 'ok'));
  assert.deepEqual(fromOutside.sort(), ['ECONNREFUSED', 'ok']);
  for (const attempt of attempts) assert.equal(inside[attempt], 'ECONNREFUSED');
  assert.equal(spy.arrivals, 1, 'only the attempt from outside arrived');
});

test('services on the loopback of the host and addresses beyond it cannot be reached', async (t) => {
  const four = await listenAt(t, { host: '127.0.0.1', port: 0 });
  const six = await listenAt(t, { host: '::1', port: 0 });
  const near = [
    `connect(("127.0.0.1", ${portOf(four)}), socket.AF_INET)`,
    `connect(("::1", ${portOf(six)}), socket.AF_INET6)`,
  ];
  const far = ['192.0.2.1', '169.254.169.254', '10.0.0.1', '8.8.8.8', '255.255.255.255'].map(
    (address) =>
      `connect(("${address}", 80), socket.AF_INET, socket.SOCK_DGRAM if "${address}" == "8.8.8.8" else socket.SOCK_STREAM)`,
  );
  const { outside, inside } = await bothSides(near);
  const beyond = await askAgent<Results>(bench.card({ command: agentProgram('attempts.py', ...far) }));
  for (const attempt of near) {
    assert.match(outside[attempt] ?? '', /^ok/, attempt);
    assert.match(inside[attempt] ?? '', /^(ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH)$/, attempt);
  }
  for (const attempt of far)
    assert.match(beyond[attempt] ?? '', /^(ENETUNREACH|EACCES)$/, `${attempt}: ${beyond[attempt]}`);
  assert.deepEqual([four.arrivals, six.arrivals], [1, 1], 'only the attempts from outside arrived');
});

test('a datagram to the loopback of the host does not arrive', async (t) => {
  const spy = createSocket('udp4');
  const heard: string[] = [];
  const first = new Promise<void>((resolve) => {
    spy.on('message', (message) => {
      heard.push(message.toString());
      resolve();
    });
  });
  await new Promise<void>((resolve) => spy.bind(0, '127.0.0.1', resolve));
  t.after(() => spy.close());
  const send = (text: string): string =>
    `socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"${text}", ("127.0.0.1", ${spy.address().port}))`;
  await askAgent<Results>(bench.card({ command: agentProgram('attempts.py', send('inside')) }));
  // Sent after the other one: when it has arrived, so would the first have.
  await succeed(runCommand(agentProgram('attempts.py', send('outside'))));
  await first;
  assert.deepEqual(heard, ['outside']);
});

test('an agent cannot change its network', async () => {
  const attempts = [
    'fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0))',
    'fcntl.ioctl(socket.socket(), 0x8916, struct.pack("16sHH4s8x", b"lo", 2, 0, b"\\x0a\\x01\\x01\\x01"))',
    'socket.socket(16, 3, 0).sendto(struct.pack("IHHIIBBHiII", 32, 16, 0x605, 1, 0, 0, 0, 0, 0, 0, 0), (0, 0))',
    'socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1)',
    'open("/sys/class/net/lo/mtu")',
  ];
  const program = agentProgram('attempts.py', ...attempts);
  const control = JSON.parse((await succeed(runCommand(['unshare', '--net', ...program]))).stdout) as Results;
  const results = await askAgent<Results>(bench.card({ command: program }));
  for (const attempt of attempts) assert.match(control[attempt] ?? '', /^ok/, attempt);
  const [flags = '', address = '', , mark = '', sys = ''] = attempts;
  assert.deepEqual(
    [results[flags], results[address], results[mark], results[sys]],
    ['EPERM', 'EPERM', 'EPERM', 'ENOENT'],
  );
});

test('secrets and other agents on the host are not to be seen', async () => {
  const id = await detachAgent(bench.card({ command: ['bash', '-c', 'echo other >secret; exec sleep infinity'] }));
  const { workspace, mainPid } = await viewAgent(id);
  const paths = [
    '/etc/shadow',
    '/root',
    '/root/.ssh',
    '/home/agent/.ssh',
    '/run',
    '/sys',
    '/mnt',
    '/srv',
    '/boot',
    '/opt',
    workspace,
  ];
  const attempts = paths.map((path) => `os.stat("${path}")`);
  const processes = [`os.stat("/proc/${mainPid}")`, `os.kill(${mainPid}, 0)`];
  const { outside, inside } = await bothSides([...attempts, ...processes]);
  assert.match(outside[`os.stat("${workspace}")`] ?? '', /^ok/);
  assert.match(outside[processes[1] ?? ''] ?? '', /^ok/);
  for (const attempt of attempts) assert.equal(inside[attempt], 'ENOENT', attempt);
  assert.deepEqual(
    processes.map((attempt) => inside[attempt]),
    ['ENOENT', 'ESRCH'],
  );
  await agentctl('stop', id);
});

test('signals reach nobody but the agent itself', async () => {
  const other = startAgent(
    bench.card({ command: ['bash', '-c', 'echo up; read -t 60 <>/dev/full || sleep infinity'] }),
  );
  await other.lineLike(/^up$/);
  const bystander = runCommand(['sleep', '2']);
  const mass = await runAgent(
    bench.card({ command: ['bash', '-c', 'kill -KILL 1; sleep infinity & kill -KILL -1; echo alone'] }),
  );
  assert.match(mass.stdout, /^alone$/m, 'the agent itself is spared by kill(-1), process 1 by the kernel');
  assert.equal((await bystander).status, 0, 'a process of the host lives on');
  assert.equal(other.child.exitCode, null, 'another agent lives on');
  other.child.kill('SIGTERM');
  await other.ended();
});

test('process 1 of the sandbox is worth nothing to an agent: it has the same rights and holds nothing of the host', async () => {
  // It runs as the agent's own uid, so that the agent may look into it.
  const sets = 'Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp';
  const rights = (pid: string): string => `[l for l in open("/proc/${pid}/status") if re.match("${sets}:", l)]`;
  const places = (pid: string): string =>
    `[os.readlink("/proc/${pid}/ns/" + n) for n in sorted(os.listdir("/proc/self/ns"))]`;
  const attempts = [
    'sorted({os.readlink("/proc/1/fd/" + n).split(":")[0] for n in os.listdir("/proc/1/fd")})',
    'sorted(os.listdir("/proc/1/root")) == sorted(os.listdir("/"))',
    'os.readlink("/proc/1/cwd")',
    `${rights('1')} == ${rights('self')}`,
    `${places('1')} == ${places('self')}`,
    'os.open("/proc/1/exe", os.O_WRONLY)',
    'os.open("/proc/self/exe", os.O_WRONLY)',
  ];
  const card = bench.card({
    command: ['bash', '-c', '"$@" | cat', 'bash', ...agentProgram('attempts.py', ...attempts)],
  });
  const [descriptors, root, cwd, sameRights, samePlaces, ...writes] = Object.values(await askAgent<Results>(card));
  assert.match(descriptors ?? '', /^ok: \['anon_inode', 'socket'\]$/);
  assert.deepEqual([root, sameRights, samePlaces], ['ok: True', 'ok: True', 'ok: True']);
  // bubblewrap leaves the workspace a moment after the agent's program has started.
  assert.match(cwd ?? '', /^ok: \/(workspace)?$/);
  for (const write of writes) assert.match(write, /^(EACCES|EROFS|ETXTBSY)$/);
});

test('writing anywhere but into the workspace and the directories in memory is refused', async () => {
  const places = ['/', '/usr', '/etc', '/bin', '/dev', '/home', '/var', '/proc', '/usr/local/bin'];
  const open = (path: string): string => `os.close(os.open("${path}/canary", os.O_WRONLY | os.O_CREAT))`;
  const refused = [
    ...places.map(open),
    'os.link("/usr/bin/true", "/workspace/true")',
    'os.rename("/etc", "/workspace/etc")',
  ];
  const allowed = ['/workspace', '/tmp', '/dev/shm', '/home/agent', '/var/tmp'].map(open);
  const results = await askAgent<Results>(bench.card({ command: agentProgram('attempts.py', ...refused, ...allowed) }));
  for (const attempt of refused)
    assert.match(results[attempt] ?? '', /^(EROFS|EXDEV|EBUSY|ENOENT|EACCES|EPERM)$/, attempt);
  for (const attempt of places.slice(0, 7).map(open)) assert.equal(results[attempt], 'EROFS', attempt);
  for (const attempt of allowed) assert.match(results[attempt] ?? '', /^ok/, attempt);
});

test('extra read-only paths are shown under their own names and cannot be written', async () => {
  const [open, hidden] = ['/srv/as-test-open', '/srv/as-test-closed/hidden'];
  mkdirSync(open);
  mkdirSync('/srv/as-test-closed', { mode: 0o700 });
  mkdirSync(hidden);
  writeFileSync(join(open, 'file'), 'open\n');
  writeFileSync(join(hidden, 'file'), 'behind a directory of root\n');
  writeFileSync('/srv/as-test-closed/beside', 'not asked for\n', { mode: 0o644 });
  const attempts = [
    `open("${open}/file").read()`,
    `open("${hidden}/file").read()`,
    `os.listdir("/srv/as-test-closed")`,
    `os.close(os.open("${open}/new", os.O_WRONLY | os.O_CREAT))`,
    `os.close(os.open("${hidden}/new", os.O_WRONLY | os.O_CREAT))`,
  ];
  const card = bench.card({
    filesystem: { read_only: [open, hidden] },
    command: agentProgram('attempts.py', ...attempts),
  });
  const results = await askAgent<Results>(card);
  for (const path of [open, '/srv/as-test-closed']) rmSync(path, { recursive: true });
  assert.deepEqual(Object.values(results), [
    'ok: open\n',
    'ok: behind a directory of root\n',
    "ok: ['hidden']",
    'EROFS',
    'EROFS',
  ]);
});
