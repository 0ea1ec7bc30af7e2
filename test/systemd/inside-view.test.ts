import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Bench, detachAgent, runAgent, startAgent, succeed, type TestCard, viewAgent } from '../helpers/agents.ts';
import { agentProgram, runCommand } from '../helpers/commands.ts';
import { type Mount, parseMounts, readStatus } from '../helpers/proc.ts';

/** What look.py tells. */
interface Look {
  readonly listings: Readonly<Record<string, readonly string[]>>;
  readonly status: string;
  readonly mounts: string;
  readonly cgroups: string;
  readonly descriptors: Readonly<Record<string, string>>;
  readonly namespaces: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly environments: Readonly<Record<string, string>>;
  readonly owners: Readonly<Record<string, number>>;
  readonly names: Readonly<Record<string, string>>;
  readonly passwd: string;
  readonly group: string;
  readonly devices: string;
  readonly routes: string;
  readonly hostname: string;
  readonly groups: readonly number[];
}

const CANARY = 'canary-5d41402abc4b2a76';
const MERGED = ['bin', 'lib', 'lib32', 'lib64', 'libx32', 'sbin'];
const ETC = ['alternatives', 'ca-certificates', 'ca-certificates.conf', 'group', 'hosts', 'ld.so.cache', 'localtime'];
const ETC_MORE = ['nsswitch.conf', 'passwd', 'pki', 'resolv.conf', 'ssl'];
/** proc(5): what every sandbox may write to, by destination. */
const WRITABLE = ['/dev/pts', '/dev/shm', '/home/agent', '/proc', '/tmp', '/workspace'];

let bench: Bench;
let card: TestCard;
let uid = 0;
let look: Look;
let other: Look;

before(async () => {
  bench = await Bench.open();
  await succeed(runCommand(['systemctl', 'set-environment', `MANAGER_CANARY=${CANARY}`]));
  const env = { CALLER_CANARY: CANARY, ANTHROPIC_API_KEY: CANARY, LD_LIBRARY_PATH: '/nonexistent' };
  card = bench.card({ command: agentProgram('look.py'), environment: { GREETING: 'good "day" $HOME %n' } });
  const [python = '', flag = '', text = ''] = agentProgram('look.py');
  const lingering = ['bash', '-c', '"$@"; echo; exec sleep infinity', 'bash', python, flag, text];
  const neighbour = startAgent(bench.card({ command: lingering }));
  other = JSON.parse(await neighbour.line()) as Look;
  // The two live at the same time: the kernel gives the number of a namespace that is gone to the next one.
  look = JSON.parse((await succeed(runAgent(card, { env }))).stdout) as Look;
  neighbour.child.kill('SIGTERM');
  await neighbour.ended();
  uid = (await viewAgent(card.agent_id)).uid;
});
after(async () => {
  await runCommand(['systemctl', 'unset-environment', 'MANAGER_CANARY']);
  await bench.close();
});

test('the root holds the allowlist and nothing else', () => {
  const roots = MERGED.filter((name) => existsSync(`/${name}`));
  const nix = existsSync('/nix/store') ? ['nix'] : [];
  const expected = [...roots, ...nix, 'dev', 'etc', 'home', 'proc', 'tmp', 'usr', 'var', 'workspace'].sort();
  assert.deepEqual(look.listings['/'], expected);
  assert.deepEqual(look.listings['/home'], ['agent']);
  assert.deepEqual(look.listings['/var'], ['tmp']);
  assert.deepEqual(look.listings['/workspace'], [], 'the launcher puts nothing into a workspace');
});

test('the configuration of the host is not shown', () => {
  const etc = look.listings['/etc'] ?? [];
  assert.deepEqual(
    etc.filter((name) => ![...ETC, ...ETC_MORE].includes(name)),
    [],
  );
  const user = `agent-${card.agent_id}`;
  assert.match(look.passwd, new RegExp(`^root:.*\n${user}:x:${uid}:${uid}:.*\nnobody:.*\n$`));
  assert.match(look.group, new RegExp(`^root:x:0:\n${user}:x:${uid}:\nnogroup:x:65534:\n$`));
  assert.equal(look.hostname, card.agent_id);
});

test('/dev holds what every program needs and no device of the machine', () => {
  const expected = [
    'core',
    'fd',
    'full',
    'null',
    'ptmx',
    'pts',
    'random',
    'shm',
    'stderr',
    'stdin',
    'stdout',
    'tty',
    'urandom',
    'zero',
  ];
  assert.deepEqual(look.listings['/dev'], expected);
});

test('every mount is read-only except the few that the agent works in, and none has device files or gives privileges', () => {
  const mounts = parseMounts(look.mounts);
  const flagless = (flag: string, but: (mount: Mount) => boolean): readonly string[] =>
    mounts.filter((mount) => !mount.options.includes(flag) && !but(mount)).map((mount) => mount.destination);
  const isDevice = ({ destination }: Mount): boolean =>
    /^\/dev\/(null|zero|full|random|urandom|tty|pts)$/.test(destination);
  assert.deepEqual(
    flagless('ro', (mount) => WRITABLE.includes(mount.destination) || isDevice(mount)),
    [],
  );
  assert.deepEqual(
    flagless('nosuid', () => false),
    [],
  );
  assert.deepEqual(flagless('nodev', isDevice), []);
});

test('the mount table names only what was bound', () => {
  const shown = ['/usr', ...MERGED.map((name) => `/${name}`), '/nix/store', '/etc/'];
  // A root is named from the top of its own file system, and /tmp and /run may be one.
  const own = [
    card.workspace,
    card.workspace.replace(/^\/tmp/, ''),
    `/run/agent-spawn/agents/${card.agent_id}/`,
    `/agent-spawn/agents/${card.agent_id}/`,
  ];
  const strangers = parseMounts(look.mounts).filter(
    ({ root, destination }) =>
      root !== '/' &&
      !own.some((path) => root.startsWith(path)) &&
      !shown.some((path) => root === path || destination.startsWith(path)),
  );
  // Below /proc and /dev bubblewrap binds pieces of those file systems themselves.
  assert.deepEqual(
    strangers
      .filter(({ destination }) => !/^\/(proc|dev)\//.test(destination))
      .map(({ root, destination }) => `${root} at ${destination}`),
    [],
  );
  assert.doesNotMatch(look.mounts, new RegExp(other.hostname), 'no other agent is named');
});

test('/proc shows the processes of the agent and its process 1, all of its own uid', () => {
  assert.deepEqual(Object.values(look.names).sort(), ['bwrap', 'python3']);
  assert.deepEqual([...new Set(Object.values(look.owners))], [uid]);
});

test('an agent has no capability, no way to more privileges, a filter, one uid and no further group', () => {
  for (const text of [look.status, other.status]) {
    const status = readStatus(text);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match(status.get(set) ?? '', /^0+$/, set);
    assert.equal(status.get('NoNewPrivs'), '1');
    assert.equal(status.get('Seccomp'), '2');
    assert.ok(Number(status.get('Seccomp_filters')) >= 1);
    assert.equal(new Set([...(status.get('Uid') ?? '').split('\t'), ...(status.get('Gid') ?? '').split('\t')]).size, 1);
    assert.ok(Number(status.get('Uid')?.split('\t')[0]) >= 1_900_000_000);
    // initgroups(3) lists the group that is its own as well.
    assert.equal(status.get('Groups'), status.get('Gid')?.split('\t')[0]);
  }
  assert.deepEqual(look.groups, [uid]);
});

test('the confinement holds after a double fork, a new session and a new program', async () => {
  const { stdout } = await succeed(runAgent(bench.card({ command: agentProgram('deep-status.py') })));
  const status = readStatus(stdout);
  assert.equal(status.get('Name'), 'cat');
  assert.deepEqual(
    [status.get('NoNewPrivs'), status.get('Seccomp'), status.get('CapBnd')],
    ['1', '2', '0000000000000000'],
  );
});

test('two agents differ in uid and in every namespace, from each other and from the host', () => {
  const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
  for (const kind of kinds) {
    const host = readlinkSync(`/proc/self/ns/${kind}`);
    const all = [host, look.namespaces[kind], other.namespaces[kind]];
    assert.equal(new Set(all).size, 3, `${kind}: ${all.join(' ')}`);
  }
  assert.notEqual(readStatus(look.status).get('Uid'), readStatus(other.status).get('Uid'));
});

test('no descriptor beyond 0, 1 and 2 is inherited, in the foreground and detached', async () => {
  const foreground = Object.entries(look.descriptors).filter(([, target]) => !target.startsWith('/proc/'));
  assert.deepEqual(foreground.map(([descriptor]) => descriptor).sort(), ['0', '1', '2']);
  const script = 'ls -l /proc/self/fd >descriptors; cat >input; echo done >>input';
  const detached = bench.card({ command: ['bash', '-c', script] });
  await detachAgent(detached);
  await runCommand(['agentctl', 'wait', detached.agent_id]);
  const listed = readFileSync(`${detached.workspace}/descriptors`, 'utf8');
  const numbers = [...listed.matchAll(/ (\d+) -> (\S+)/g)].filter(([, , target = '']) => !target.startsWith('/proc/'));
  assert.deepEqual(numbers.map(([, number]) => number).sort(), ['0', '1', '2']);
  assert.match(listed, / 0 -> \/dev\/null/);
  assert.equal(readFileSync(`${detached.workspace}/input`, 'utf8'), 'done\n', 'its input is at its end');
});

test('the environment is what the plan lists, to the letter, and nobody else has one to read', () => {
  const { LC_CTYPE: _added, ...environment } = look.environment;
  const user = `agent-${card.agent_id}`;
  const { SSL_CERT_FILE: bundle, NIX_SSL_CERT_FILE: nixBundle, ...rest } = environment;
  assert.equal(bundle, nixBundle);
  assert.deepEqual(rest, {
    AGENT_ID: card.agent_id,
    AGENT_WORKSPACE: '/workspace',
    GREETING: 'good "day" $HOME %n',
    HOME: '/home/agent',
    HTTPS_PROXY: 'http://127.0.0.1:3128',
    HTTP_PROXY: 'http://127.0.0.1:3128',
    LANG: 'C.UTF-8',
    LOGNAME: user,
    NODE_USE_ENV_PROXY: '1',
    NO_PROXY: 'localhost,127.0.0.1,::1',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    PWD: '/workspace',
    SHELL: '/bin/sh',
    TMPDIR: '/tmp',
    USER: user,
    XDG_CACHE_HOME: '/home/agent/.cache',
    XDG_CONFIG_HOME: '/home/agent/.config',
    XDG_DATA_HOME: '/home/agent/.local/share',
    XDG_STATE_HOME: '/home/agent/.local/state',
    http_proxy: 'http://127.0.0.1:3128',
    https_proxy: 'http://127.0.0.1:3128',
    no_proxy: 'localhost,127.0.0.1,::1',
  });
  assert.match(look.environments['1'] ?? '', /^(!.*)?$/, 'process 1 has an empty environment or none that can be read');
});

test('no secret in the environment of the manager, the daemon or the caller comes in', () => {
  const environment = spawnSync('systemctl', ['show-environment'], { encoding: 'utf8' }).stdout;
  assert.match(environment, new RegExp(CANARY), 'the manager gives it to every unit');
  assert.doesNotMatch(JSON.stringify(look), new RegExp(CANARY));
});

test('only a loopback device and no route exist', () => {
  const devices = look.devices
    .split('\n')
    .slice(2)
    .map((line) => line.split(':')[0]?.trim());
  assert.deepEqual(
    devices.filter((name) => name !== '' && name !== undefined),
    ['lo'],
  );
  assert.equal(look.routes.trim().split('\n').length, 1, 'the header of the table is all there is');
});

test('the cgroup of an agent is the root of what it sees', () => {
  for (const line of look.cgroups.trim().split('\n')) assert.match(line, /^\d+:[^:]*:\/$/);
});

test('what belongs to agent-spawn on the host is not for other users to read', async () => {
  const id = await detachAgent(bench.card({ command: ['sleep', 'infinity'] }));
  const agent = startAgent(bench.card({ command: ['bash', '-c', 'echo up; sleep infinity'] }));
  await agent.lineLike(/^up$/);
  for (const name of ['records', 'exits', 'attach', 'streams']) {
    assert.equal(lstatSync(`/run/agent-spawn/${name}`).mode & 0o777, 0o700, name);
  }
  assert.equal(lstatSync('/run/agent-spawn/api.sock').mode & 0o777, 0o600);
  assert.equal(lstatSync('/var/lib/agent-spawn/uids.json').mode & 0o777, 0o600);
  const runDirectory = `/run/agent-spawn/agents/${id}`;
  for (const name of readdirSync(runDirectory))
    assert.equal(lstatSync(`${runDirectory}/${name}`).mode & 0o022, 0, name);
  agent.child.kill('SIGTERM');
  await agent.ended();
  await runCommand(['agentctl', 'stop', id]);
});
