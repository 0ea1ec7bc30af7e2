import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { mountUnitName } from '../../src/plan/home.ts';
import {
  agentctl,
  awaitEnd,
  Bench,
  detachAgent,
  runAgent,
  succeed,
  type TestCard,
  viewAgent,
} from '../helpers/agents.ts';
import { awaitFile, type Ended, RunningCommand, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, daemonPid, killDaemon, startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { awaitGone, declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import { addUser, asUser, type HostUser, makeDirectoryOf, removeUser } from '../helpers/host-users.ts';
import { awaitProperty, showProperty, unitOf } from '../helpers/units.ts';

const GROUP = 'as-home-group';
const HOMES = '/run/agent-spawn/homes';
const UNITS = '/run/systemd/system';
const MEBIBYTE = 1024 * 1024;

let bench: Bench;
let user: HostUser;
const declared = new Set<string>();
before(async () => {
  // The first named network of a host makes a mount that stays.
  await succeed(runCommand(['ip', 'netns', 'add', 'first']));
  await succeed(runCommand(['ip', 'netns', 'delete', 'first']));
  user = await addUser('as-home-user', GROUP);
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs|run-netns\.mount/ });
});
afterEach(async () => {
  for (const id of declared) {
    await withdrawCard(id);
    await runCommand(['agentctl', 'rm', id]);
  }
  declared.clear();
});
after(async () => {
  await bench.close();
  await removeUser(user.name, GROUP);
});

/** A card with a home of its own and a shell script. */
function homeCard(script: string, changes: Readonly<Record<string, unknown>> = {}): TestCard {
  return bench.card({
    command: ['bash', '-c', script],
    filesystem: { home: 'private' },
    network: { mode: 'none' },
    ...changes,
  });
}

/** The same agent with another script. */
function again(card: TestCard, script: string, changes: Readonly<Record<string, unknown>> = {}): TestCard {
  return { ...card, command: ['bash', '-c', script], ...changes };
}

async function homeOf(id: string): Promise<string> {
  return `${HOMES}/${id}/${(await viewAgent(id)).uid}`;
}

/** What there is of an agent's homes: directories, mounts, unit files and units. */
async function remainsOf(id: string): Promise<readonly string[]> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const pattern = mountUnitName(`${HOMES}/${id}/x`).replace('x.mount', '');
  const { stdout } = await runCommand(['systemctl', 'list-units', '--all', '--plain', '--no-legend', '*homes*.mount']);
  return [
    ...(existsSync(`${HOMES}/${id}`) ? [`${HOMES}/${id}`] : []),
    ...mounts.filter((line) => line.includes(` ${HOMES}/${id}/`)),
    ...readdirSync(UNITS).filter((name) => name.startsWith(pattern)),
    ...stdout.split('\n').filter((line) => line.includes(pattern)),
  ];
}

test('a home is empty at first, keeps everything from run to run, and is gone once its agent is removed', async () => {
  const card = homeCard('ls -A ~; echo mine >~/file; mkdir -p "$XDG_CONFIG_HOME/tool"; stat -c "%a %u %n" ~; id -u');
  const [directory = '', uid = ''] = (await succeed(runAgent(card))).stdout.split('\n');
  assert.deepEqual([directory, uid], [`700 ${uid} /home/agent`, String((await viewAgent(card.agent_id)).uid)]);
  const script = 'cat ~/file; ls -A ~; echo $HOME $XDG_CONFIG_HOME; getent passwd "$USER" | cut -d: -f6';
  const { stdout } = await succeed(runAgent(again(card, script)));
  assert.equal(stdout, 'mine\n.config\nfile\n/home/agent /home/agent/.config\n/home/agent\n');
  assert.equal((await remainsOf(card.agent_id)).length, 4, 'directory, mount, unit file and unit');
  await agentctl('rm', card.agent_id);
  assert.deepEqual(await remainsOf(card.agent_id), []);
  assert.equal((await succeed(runAgent(again(card, 'ls -A ~')))).stdout, '', 'the next agent of this id finds nothing');
});

test('a declared agent keeps its home over restarts of PID 1 and over its own stops, without a daemon', async () => {
  const script =
    'cd ~; echo $(($(cat runs 2>/dev/null) + 1)) >runs; cp runs /workspace/; while [ ! -e /workspace/fail ]; do sleep 0.1; done; rm /workspace/fail; exit 1';
  const card = homeCard(script, { restart: 'on-failure' });
  const unit = unitOf(card.agent_id);
  const counted = (runs: number): Promise<unknown> =>
    awaitFile(join(card.workspace, 'runs'), (text) => text === `${runs}\n`);
  declared.add(card.agent_id);
  await declareCard(card);
  await stopDaemon();
  try {
    await succeed(runCommand(['systemctl', 'start', unit]));
    await counted(1);
    writeFileSync(join(card.workspace, 'fail'), '');
    await awaitProperty(unit, 'NRestarts', '1');
    await counted(2);
    await succeed(runCommand(['systemctl', 'stop', unit]));
    await succeed(runCommand(['systemctl', 'start', unit]));
    await counted(3);
    await succeed(runCommand(['systemctl', 'daemon-reload']));
    await succeed(runCommand(['systemctl', 'restart', unit]));
    await counted(4);
  } finally {
    await startDaemon();
  }
  assert.equal((await remainsOf(card.agent_id)).length, 4);
  await withdrawCard(card.agent_id);
  await awaitGone(`${HOMES}/${card.agent_id}`);
  assert.deepEqual(await remainsOf(card.agent_id), []);
});

test('a home holds as many bytes and files as it may, and not more', async () => {
  const fill =
    'head -c 3M /dev/zero >~/big; stat -c %s ~/big; rm ~/big; for i in $(seq 5000); do : >~/$i || break; done; ls ~ | wc -l';
  const { stdout, stderr } = await runAgent(homeCard(fill, { resource_limits: { tmp_mb: 2 } }));
  const [bytes, files] = stdout.split('\n').map(Number);
  assert.ok(bytes !== undefined && bytes > MEBIBYTE && bytes <= 2 * MEBIBYTE, stdout);
  assert.ok(files !== undefined && files > 900 && files <= 1024, stdout);
  assert.equal(stderr.match(/No space left on device/g)?.length, 2, stderr);
  const control = await succeed(runAgent(homeCard(fill, { resource_limits: { tmp_mb: 64 } })));
  assert.equal(control.stdout, `${3 * MEBIBYTE}\n5000\n`);
});

test('a home is closed to other agents and to other users, its list as well', async () => {
  const card = homeCard('echo private >~/file; chmod 777 ~/file');
  await succeed(runAgent(card));
  const home = await homeOf(card.agent_id);
  assert.equal(readFileSync(join(home, 'file'), 'utf8'), 'private\n');
  for (const path of [HOMES, `${HOMES}/${card.agent_id}`, home, join(home, 'file')]) {
    const { status, stderr } = await runCommand(
      asUser(user, 'sh', '-c', 'if [ -d "$0" ]; then ls "$0"; else cat "$0"; fi', path),
    );
    assert.notEqual(status, 0, path);
    assert.match(stderr, /Permission denied/, path);
  }
  const other = await runAgent(homeCard(`cat ${home}/file; ls /run; mount | grep -c agent-spawn/homes`));
  assert.doesNotMatch(other.stdout, /private|agent-spawn/);
  const flags = /nosuid,nodev/;
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => line.includes(` ${home} `));
  assert.match(mounted ?? '', flags);
});

test('whatever an agent leaves in its home, its end touches nothing outside, also while somebody holds a file open', async () => {
  const outside = join(bench.directory, 'outside');
  writeFileSync(outside, 'untouched\n');
  const before = statSync(outside);
  const hostile = [
    `cd ~; ln -s ${outside} link; ln -s /etc etc; ln -s / root; ln -s ${HOMES} homes; ln -s . dot; mkfifo fifo`,
    'cp /bin/sh shell; chmod 4777 shell; mkdir -p deep/deep/deep; chmod 000 deep',
    'mkdir many; cd many; seq 100000 | xargs touch; touch "-rf" "$(printf "a\\nb")"; echo kept >../open',
  ].join('\n');
  const card = homeCard(hostile, { resource_limits: { tmp_mb: 512, memory_mb: 2048 } });
  await succeed(runAgent(card));
  const home = await homeOf(card.agent_id);
  const holder = new RunningCommand(['bash', '-c', 'exec 9<"$0"; echo held; read -r; cat <&9', join(home, 'open')]);
  await holder.lineLike(/^held$/);
  await agentctl('rm', card.agent_id);
  assert.deepEqual(await remainsOf(card.agent_id), []);
  holder.end('\n');
  await holder.lineLike(/^kept$/);
  await holder.stop();
  const { mtimeMs, ctimeMs, mode, uid } = statSync(outside);
  assert.deepEqual(
    [readFileSync(outside, 'utf8'), mtimeMs, ctimeMs, mode, uid],
    ['untouched\n', before.mtimeMs, before.ctimeMs, before.mode, before.uid],
  );
});

test('nobody can put anything at the place of a home before it is mounted', async () => {
  const card = homeCard('touch ~/file');
  const plant = ['sh', '-c', `mkdir -p "$0/x" || ln -s /etc "$0"`, `${HOMES}/${card.agent_id}`];
  const { status } = await runCommand(asUser(user, ...plant));
  assert.notEqual(status, 0);
  // Root itself may have been careless; PID 1 mounts on no symlink.
  symlinkSync(bench.directory, `${HOMES}/${card.agent_id}`);
  const started = await runAgent(card);
  await runCommand(['rm', `${HOMES}/${card.agent_id}`]);
  assert.equal(started.status, 125);
  assert.match(started.stderr, /The home directory of the agent "\S+" could not be mounted\./);
  assert.deepEqual(
    readdirSync(bench.directory).filter((name) => /^\d+$/.test(name)),
    [],
  );
  assert.deepEqual(await remainsOf(card.agent_id), []);
});

test('a changed size takes effect and keeps the content; one that the content does not fit is refused', async () => {
  const sizes = 'df --output=size -B1 ~ | tail -1 | tr -d " "';
  const card = homeCard(`head -c 3M /dev/zero >~/big; ${sizes}`, { resource_limits: { tmp_mb: 4 } });
  assert.equal((await succeed(runAgent(card))).stdout, `${4 * MEBIBYTE}\n`);
  const larger = again(card, `stat -c %s ~/big; ${sizes}`, { resource_limits: { tmp_mb: 16 } });
  assert.equal((await succeed(runAgent(larger))).stdout, `${3 * MEBIBYTE}\n${16 * MEBIBYTE}\n`);
  const smaller = await runAgent({ ...larger, resource_limits: { tmp_mb: 2 } });
  assert.equal(smaller.status, 125);
  assert.match(smaller.stderr, /cannot be changed to 2 MiB: it holds more than that[\s\S]*\(plan\.home-refused\)/);
  assert.equal((await succeed(runAgent(larger))).stdout, `${3 * MEBIBYTE}\n${16 * MEBIBYTE}\n`, 'it is as it was');
});

test('a declared agent gets a home of another size with its changed card', async () => {
  const script =
    'cd ~; echo $(df --output=size -B1 . | tail -1) $(cat file) >/workspace/size; echo kept >file; exec sleep infinity';
  const card = homeCard(script, { resource_limits: { tmp_mb: 4 } });
  declared.add(card.agent_id);
  await declareCard(card);
  await agentctl('start', card.agent_id);
  await awaitFile(join(card.workspace, 'size'), (text) => text === `${4 * MEBIBYTE}\n`);
  await declareCard({ ...card, resource_limits: { tmp_mb: 8 } });
  await succeed(runCommand(['systemctl', 'restart', unitOf(card.agent_id)]));
  await awaitFile(join(card.workspace, 'size'), (text) => text === `${8 * MEBIBYTE} kept\n`);
});

test("in a user's checkout the home is that user's, and the one the agent had before as itself is gone", async () => {
  const workspace = join(bench.directory, 'checkout');
  makeDirectoryOf(user, workspace);
  const card = homeCard('echo own >~/file');
  await succeed(runAgent(card));
  const old = await homeOf(card.agent_id);
  const theirs = again(card, 'ls -A ~; id -u; echo theirs >>~/file; cat ~/file', { workspace });
  assert.equal((await succeed(runAgent(theirs))).stdout, `${user.uid}\ntheirs\n`);
  assert.equal(existsSync(old), false);
  assert.equal((await succeed(runAgent(theirs))).stdout, `file\n${user.uid}\ntheirs\ntheirs\n`);
  assert.equal(await homeOf(card.agent_id), `${HOMES}/${card.agent_id}/${user.uid}`);
});

test('agents with any network have a home that lasts', async () => {
  for (const mode of ['isolated', 'veth', 'none']) {
    const card = homeCard(`cat ~/file; echo ${mode} >~/file`, { network: { mode } });
    await runAgent(card);
    assert.equal((await succeed(runAgent(card))).stdout, `${mode}\n`);
  }
});

test('a home outlives the daemon, and what that daemon left half done is made good', async () => {
  const card = homeCard('echo mine >~/file; exec sleep infinity');
  const id = await detachAgent(card);
  await awaitFile(join(await homeOf(id), 'file'), (text) => text === 'mine\n');
  await killDaemon();
  await awaitDaemon();
  await agentctl('stop', id);
  await awaitEnd(id);
  await killDaemon();
  await awaitDaemon();
  assert.equal((await succeed(runAgent(again(card, 'cat ~/file')))).stdout, 'mine\n');
  await agentctl('rm', id);
  assert.deepEqual(await remainsOf(id), []);
});

test('homes of agents that no daemon knows are ended at its start', async () => {
  const card = homeCard('echo mine >~/file');
  await succeed(runAgent(card));
  await stopDaemon();
  await runCommand(['rm', `/run/agent-spawn/records/${card.agent_id}.json`]);
  assert.equal((await remainsOf(card.agent_id)).length, 4);
  await startDaemon();
  assert.ok((await daemonPid()) > 0);
  assert.deepEqual(await remainsOf(card.agent_id), []);
});

test('a first start that fails leaves no home, a later one leaves it alone', async () => {
  const broken = ['/nonexistent-agent-program'];
  const card = homeCard('echo mine >~/file');
  await succeed(runAgent(card));
  const later = await runAgent({ ...card, command: broken });
  assert.notEqual(later.status, 0);
  assert.equal((await succeed(runAgent(again(card, 'cat ~/file')))).stdout, 'mine\n');
  const first = homeCard('true', { command: broken });
  assert.notEqual((await runAgent(first)).status, 0);
  assert.deepEqual(await remainsOf(first.agent_id), []);
});

test('the home may be the workspace, or be gone with the run', async () => {
  const script = 'echo $HOME $XDG_STATE_HOME; cat ~/file; echo mine >~/file; ls -A /home 2>&1';
  const inside = homeCard(script, { filesystem: { home: 'workspace' } });
  const first = await runAgent(inside);
  assert.match(first.stdout, /^\/workspace \/workspace\/\.local\/state\n/);
  assert.equal(readFileSync(join(inside.workspace, 'file'), 'utf8'), 'mine\n');
  const passing = homeCard(script, { filesystem: {} });
  for (const run of [1, 2]) {
    const { stdout } = await runAgent(passing);
    assert.equal(stdout, '/home/agent /home/agent/.local/state\nagent\n', `run ${run}`);
  }
  for (const { agent_id: id } of [inside, passing]) assert.deepEqual(await remainsOf(id), []);
});

test('a path that is shown to the agent cannot lie where its home is', async () => {
  const shown = '/home/agent';
  await succeed(runCommand(['mkdir', '-p', shown]));
  const { status, stderr } = await startWith(shown);
  await succeed(runCommand(['rmdir', shown]));
  assert.equal(status, 125);
  assert.match(stderr, /\/home\/agent is shown to the agent and overlaps \/home\/agent.*\(plan\.home-refused\)/);
});

function startWith(path: string): Promise<Ended> {
  return runAgent(homeCard('true', { filesystem: { home: 'private', read_only: [path] } }));
}

test('a home costs the mount at the first start and nothing later', async () => {
  const card = homeCard('true');
  await succeed(runAgent(card));
  const unit = mountUnitName(await homeOf(card.agent_id));
  const since = await showProperty(unit, 'ActiveEnterTimestampMonotonic');
  await succeed(runAgent(card));
  assert.equal(await showProperty(unit, 'ActiveEnterTimestampMonotonic'), since);
});
