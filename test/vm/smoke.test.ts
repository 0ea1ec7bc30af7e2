import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type Ended, runCommand } from '../helpers/commands.ts';

/** What this machine is, not what the program does on it: the ground that the other tests in the VM stand on. */

const USER = 'agent-smoke';
const UID = 1_900_099_999;
const USERDB = '/run/userdb';
const WORKSPACE = '/srv/smoke';

/** The view of the file system that was verified, with the options that older versions lack or newer ones refuse. */
const BWRAP = [
  ...['bwrap', '--unshare-all', '--share-net', '--unshare-user', '--disable-userns', '--cap-drop', 'ALL'],
  ...['--new-session', '--clearenv', '--setenv', 'PATH', '/usr/bin', '--size', '1048576', '--tmpfs', '/'],
  ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib', '/lib'],
  ...[
    '--symlink',
    'usr/lib64',
    '/lib64',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--size',
    '1048576',
    '--tmpfs',
    '/dev/shm',
  ],
  ...['--remount-ro', '/dev', '--size', '1048576', '--tmpfs', '/tmp', '--bind', WORKSPACE, '/workspace'],
  ...['--remount-ro', '/', '--chdir', '/workspace', '--'],
];

/** The confinement that a unit of an agent has around bubblewrap. */
const CONFINEMENT = [
  ...[`User=${USER}`, 'NoNewPrivileges=yes', 'CapabilityBoundingSet=', 'AmbientCapabilities=', 'KeyringMode=private'],
  ...['PrivateNetwork=yes', 'LockPersonality=yes', 'RestrictRealtime=yes', 'SyslogLevelPrefix=no', 'LimitCORE=0'],
  ...['SystemCallArchitectures=native', 'SystemCallErrorNumber=EPERM', 'TasksMax=50', 'MemoryMax=128M'],
  `SystemCallFilter=~${[
    ...['@keyring', '@reboot', '@swap', '@module', '@clock', '@raw-io', '@debug', '@obsolete', '@cpu-emulation'],
    ...['bpf', 'io_uring_setup', 'io_uring_enter', 'io_uring_register', 'userfaultfd', 'perf_event_open'],
  ].join(' ')}`,
];

before(() => {
  const identity = { userName: USER, uid: UID, gid: UID, homeDirectory: '/workspace', shell: '/bin/sh' };
  mkdirSync(USERDB, { recursive: true });
  writeFileSync(`${USERDB}/${USER}.user`, JSON.stringify({ ...identity, disposition: 'system' }));
  writeFileSync(`${USERDB}/${USER}.group`, JSON.stringify({ groupName: USER, gid: UID, disposition: 'system' }));
  symlinkSync(`${USER}.user`, `${USERDB}/${UID}.user`);
  symlinkSync(`${USER}.group`, `${USERDB}/${UID}.group`);
  mkdirSync(WORKSPACE);
});

after(() => {
  for (const name of [USER, UID]) {
    for (const kind of ['user', 'group']) rmSync(`${USERDB}/${name}.${kind}`);
  }
  rmSync(WORKSPACE, { recursive: true });
});

/** Runs a command as a transient service and waits for its end; the unit stays for as long as it failed. */
function runAsService(unit: string, properties: readonly string[], command: readonly string[]): Promise<Ended> {
  const settings = properties.map((property) => `--property=${property}`);
  return runCommand(['systemd-run', '--quiet', '--wait', '--pipe', `--unit=${unit}`, ...settings, ...command]);
}

async function outputOf(...argv: readonly string[]): Promise<string> {
  const ended = await runCommand(argv);
  assert.equal(ended.status, 0, ended.stderr);
  return ended.stdout.trim();
}

/** Seccomp state, capability sets and ids of a process, by the names of /proc/self/status. */
function parseStatus(text: string): Readonly<Record<string, string>> {
  const pairs = text.split('\n').flatMap((line) => /^(\w+):\s+(.*)$/.exec(line)?.slice(1, 3) ?? []);
  return Object.fromEntries(pairs.flatMap((name, index) => (index % 2 === 0 ? [[name, pairs[index + 1] ?? '']] : [])));
}

test('PID 1 is a systemd of version 257 or newer, and all of the boot succeeded', async () => {
  assert.equal(readFileSync('/proc/1/comm', 'utf8'), 'systemd\n');
  const version = Number(/^systemd (\d+)/.exec(await outputOf('systemctl', '--version'))?.[1]);
  assert.ok(version >= 257, `systemd ${version}`);
  assert.equal(await outputOf('systemctl', 'list-units', '--failed', '--plain', '--no-legend'), '');
});

test('cgroups are of version 2 alone, with the controllers that limits need', () => {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const kinds = mounts.map((line) => line.split(' ')[2]).filter((kind) => kind?.startsWith('cgroup'));
  assert.deepEqual(kinds, ['cgroup2']);
  const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
  for (const name of ['cpu', 'io', 'memory', 'pids']) assert.ok(controllers.includes(name), controllers.join(' '));
});

test('bubblewrap has every option of the sandbox', async () => {
  assert.match(await outputOf('bwrap', '--version'), /^bubblewrap 0\.(1[2-9]|[2-9]\d)\./);
  const help = await outputOf('bwrap', '--help');
  for (const option of BWRAP.slice(0, -1).filter((word) => word.startsWith('--')))
    assert.ok(help.includes(option), option);
});

test('there is no network but loopback', async () => {
  const links: readonly { readonly ifname: string }[] = JSON.parse(await outputOf('ip', '-json', 'link'));
  assert.deepEqual(
    links.map((link) => link.ifname),
    ['lo'],
  );
});

test('a user of a userdb drop-in is known by name and by number', async () => {
  assert.match(await outputOf('getent', 'passwd', USER), new RegExp(`^${USER}:[^:]*:${UID}:${UID}:`));
  assert.match(await outputOf('getent', 'passwd', String(UID)), new RegExp(`^${USER}:`));
  const ended = await runAsService('smoke-user', [`User=${USER}`], ['id', '-u']);
  assert.equal(ended.stdout, `${UID}\n`, ended.stderr);
});

test('a service that takes more than its memory is killed with the result oom-kill', async () => {
  const hog = 'x = b"x" * (int(__import__("sys").argv[1]) << 20); print(len(x))';
  const limits = ['MemoryMax=32M', 'MemorySwapMax=0', 'OOMPolicy=kill'];
  const modest = await runAsService('smoke-modest', limits, ['python3', '-c', hog, '8']);
  assert.equal(modest.stdout, `${8 << 20}\n`, 'a service below its limit works');
  await runAsService('smoke-hog', limits, ['python3', '-c', hog, '64']);
  const shown = await outputOf('systemctl', 'show', 'smoke-hog.service', '--property=Result,MemoryPeak');
  await outputOf('systemctl', 'reset-failed', 'smoke-hog.service');
  assert.match(shown, /^Result=oom-kill$/m);
  assert.equal(Number(/^MemoryPeak=(\d+)$/m.exec(shown)?.[1]), 32 << 20, 'the peak outlives the service');
});

test('bubblewrap runs inside the confinement of an agent, and the agent has nothing', async () => {
  await outputOf('chown', `${USER}:`, WORKSPACE);
  const script = 'cat /proc/self/status; ls /; touch made; unshare --user true; ls /sys/class/net /run';
  const ended = await runAsService('smoke-agent', CONFINEMENT, [...BWRAP, 'sh', '-c', script]);
  const status = parseStatus(ended.stdout);
  assert.equal(status['Uid'], Array(4).fill(UID).join('\t'), ended.stderr);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
    assert.equal(status[set], '0000000000000000', set);
  assert.equal(status['NoNewPrivs'], '1');
  assert.equal(status['Seccomp'], '2');
  assert.ok(ended.stdout.endsWith('\nbin\ndev\nlib\nlib64\nproc\ntmp\nusr\nworkspace\n'), ended.stdout);
  assert.match(ended.stderr, /unshare failed/);
  assert.equal(await outputOf('stat', '--format=%u', `${WORKSPACE}/made`), String(UID));
});

test('a frozen service holds still until it is thawed', async () => {
  await outputOf('systemd-run', '--quiet', '--unit=smoke-frozen', 'sleep', 'infinity');
  await outputOf('systemctl', 'freeze', 'smoke-frozen.service');
  const frozen = readFileSync('/sys/fs/cgroup/system.slice/smoke-frozen.service/cgroup.events', 'utf8');
  await outputOf('systemctl', 'thaw', 'smoke-frozen.service');
  const thawed = readFileSync('/sys/fs/cgroup/system.slice/smoke-frozen.service/cgroup.events', 'utf8');
  await outputOf('systemctl', 'stop', 'smoke-frozen.service');
  assert.match(frozen, /^frozen 1$/m);
  assert.match(thawed, /^frozen 0$/m);
});
