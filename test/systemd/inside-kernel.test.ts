import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { askAgent, Bench, runAgent, succeed } from '../helpers/agents.ts';
import { agentProgram, type Ended, runCommand } from '../helpers/commands.ts';
import { type Call, FOREIGN_CALLS, REFUSED_CALLS } from '../helpers/syscall-table.ts';

type Results = Readonly<Record<string, string>>;

/** Root with all its rights, but where nothing of the host can come to harm. */
const APART = ['setsid', '--wait', 'unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--mount-proc'];
/** Address families of socket(2) that agents need: unix, IPv4, IPv6, netlink. */
const FAMILIES = [1, 2, 10, 16];

let bench: Bench;
before(async () => {
  bench = await Bench.open();
});
after(() => bench.close());

function words(calls: readonly Call[]): readonly string[] {
  return calls.map(({ name, number, words: text }) => `${name}=${number}:${text}`);
}

async function outside(argv: readonly string[]): Promise<Ended> {
  return succeed(runCommand([...APART, ...argv], { cwd: bench.directory }));
}

function inside(command: readonly string[]): Promise<Results> {
  return askAgent<Results>(bench.card({ command }));
}

/** Families of which some type of socket could be opened. */
function openFamilies(results: Results): ReadonlySet<number> {
  const opened = Object.entries(results).filter(([, result]) => result === 'ok');
  return new Set(opened.map(([name]) => Number(name.split('/')[0])));
}

test('system calls that reach beyond the agent are refused, by number', async () => {
  const program = agentProgram('syscalls.py', ...words(REFUSED_CALLS));
  const control = JSON.parse((await outside(program)).stdout) as Results;
  const refused = await inside(program);
  for (const { name, also = [] } of REFUSED_CALLS) {
    assert.notEqual(control[name], 'EPERM', `${name} is not refused to everybody`);
    assert.ok(
      ['EPERM', ...also].includes(refused[name] ?? ''),
      `${name} ended with ${refused[name]}, outside with ${control[name]}`,
    );
  }
});

test('System V and POSIX objects of the host do not exist inside', async () => {
  const make = `import ctypes; c = ctypes.CDLL(None); print(c.syscall(240, b"canary", 0o102, 0o666, None), c.shmget(0x5ca1ab1e, 4096, 0o1666))`;
  const program = agentProgram('syscalls.py', ...words(FOREIGN_CALLS));
  const both = ['bash', '-c', '/usr/bin/python3 -c "$0" >&2 && "$@"', make, ...program];
  const control = JSON.parse((await outside(both)).stdout) as Results;
  assert.deepEqual(control, { mq_open: 'ok', shmget: 'ok' });
  assert.deepEqual(await inside(program), { mq_open: 'ENOENT', shmget: 'ENOENT' });
});

test('only the socket families that agents need can be opened', async () => {
  const types = [1, 2, 3, 5];
  const calls = Array.from({ length: 46 }, (_, family) =>
    types.map((type) => `${family}/${type}=41:${family},${type},0`),
  );
  const program = agentProgram('syscalls.py', ...calls.flat());
  const control = openFamilies(JSON.parse((await outside(program)).stdout) as Results);
  const opened = openFamilies(await inside(program));
  assert.ok(control.size > FAMILIES.length, `the host has more of them: ${[...control]}`);
  assert.deepEqual([...opened], FAMILIES);
});

test('no ping, no raw packet and no connection to the hypervisor', async () => {
  const calls = ['icmp=41:2,2,1', 'icmp6=41:10,2,58', 'raw6=41:10,3,58', 'packet=41:17,2,0', 'vsock=41:40,1,0'];
  const results = await inside(agentProgram('syscalls.py', ...calls));
  for (const [name, result] of Object.entries(results)) {
    assert.ok(['EPERM', 'EACCES', 'EAFNOSUPPORT', 'EPROTONOSUPPORT'].includes(result), `${name}: ${result}`);
  }
});

test('the tables of system calls for other kinds of program are closed', async () => {
  // x32 numbers (arch/x86/entry/syscalls/syscall_64.tbl) have bit 30 set; 39 is getpid.
  const x32 = await inside(agentProgram('syscalls.py', `getpid=${0x40000000 + 39}:0`));
  assert.ok(['EPERM', 'ENOSYS', 'SIGSYS'].includes(x32['getpid'] ?? ''), `${x32['getpid']}`);
  const card = bench.card({ command: agentProgram('int80.py') });
  const int80 = await runAgent(card);
  assert.doesNotMatch(int80.stdout, /^\d/m, 'the 32-bit entry tells no process id');
});

test('namespaces and sandboxes of its own are refused to an agent', async () => {
  const tries = [
    'run("unshare", "--user", "true")',
    'run("unshare", "--user", "--map-root-user", "--mount", "true")',
    'run("bwrap", "--ro-bind", "/", "/", "true")',
    'run("bwrap", "--unshare-user", "--ro-bind", "/", "/", "true")',
  ];
  const program = agentProgram('attempts.py', ...tries);
  const user = ['setpriv', '--reuid=1999999999', '--regid=1999999999', '--clear-groups', '--no-new-privs'];
  const control = JSON.parse((await succeed(runCommand([...user, ...program], { cwd: '/' }))).stdout) as Results;
  const results = await inside(program);
  for (const attempt of tries) {
    assert.equal(control[attempt], 'ok: 0', `an ordinary user outside can do ${attempt}`);
    assert.match(results[attempt] ?? '', /^ok: [1-9]/, attempt);
  }
});

test('a filter of the agent can only add to those that are there', async () => {
  const { stdout } = await succeed(runAgent(bench.card({ command: agentProgram('extra-filter.py') })));
  assert.deepEqual(stdout.split('\n'), ['0', '-1 -1', '-1 1', '']);
});

test('nothing below /proc/sys can be written', async () => {
  const program = agentProgram('walk-sysctls.py');
  const control = JSON.parse((await outside(program)).stdout) as { count: number; writable: string[] };
  assert.ok(control.writable.length > 0, 'root may write some of them');
  const told = await askAgent<{ count: number; writable: string[] }>(bench.card({ command: program }));
  assert.ok(told.count > 50, `${told.count} were looked at`);
  assert.deepEqual(told.writable, []);
});

test('the memory and the messages of the kernel are closed, and so is its keyboard', async () => {
  const files = ['/proc/kcore', '/proc/kmsg', '/dev/kmsg', '/dev/mem', '/dev/port', '/proc/kpagecount'];
  const opens = files.map((path) => `os.read(os.open("${path}", os.O_RDONLY), 1)`);
  const writes = ['/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/irq/default_smp_affinity'].map(
    (path) => `os.close(os.open("${path}", os.O_WRONLY))`,
  );
  const devices = [
    'kvm',
    'fuse',
    'net/tun',
    'loop-control',
    'loop0',
    'sda',
    'vda',
    'nvme0n1',
    'vsock',
    'vhost-vsock',
    'userfaultfd',
    'hpet',
    'snd',
  ];
  const nodes = devices.map((name) => `os.open("/dev/${name}", os.O_RDWR)`);
  const results = await inside(agentProgram('attempts.py', ...opens, ...writes, ...nodes));
  for (const [attempt, result] of Object.entries(results))
    assert.match(result, /^(ENOENT|EACCES|EPERM|EROFS)$/, attempt);
  for (const node of nodes) assert.equal(results[node], 'ENOENT', node);
  const symbols = await succeed(
    runAgent(bench.card({ command: ['bash', '-c', 'head -3 /proc/kallsyms 2>/dev/null; true'] })),
  );
  assert.doesNotMatch(symbols.stdout, /^(?!0+ )[0-9a-f]{8,}/m, 'no address of the kernel is told');
});

test('there is no terminal to take or to type into', async () => {
  const tries = [
    'os.open("/dev/tty", os.O_RDWR)',
    ...[0, 1, 2].map((descriptor) => `fcntl.ioctl(${descriptor}, 0x5412, b"x")`),
    ...[0, 1, 2].map((descriptor) => `fcntl.ioctl(${descriptor}, 0x540e, 0)`),
    'fcntl.ioctl(1, 0x541c, b"\\x03")',
  ];
  const results = await inside(agentProgram('attempts.py', ...tries));
  for (const [attempt, result] of Object.entries(results))
    assert.match(result, /^(ENXIO|ENOTTY|EPERM|EINVAL|EIO)$/, attempt);
});

test('what agents and their tools need works', async () => {
  assert.deepEqual(await inside(agentProgram('able.py')), {});
});
