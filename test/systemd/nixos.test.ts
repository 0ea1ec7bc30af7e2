import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { awaitEnd, listAgents, succeed, viewAgent } from '../helpers/agents.ts';
import { CHECKOUT } from '../helpers/checkout.ts';
import { runCommand } from '../helpers/commands.ts';
import { CANARY, CredentialStage } from '../helpers/credential-stage.ts';
import { stopDaemon } from '../helpers/daemon.ts';
import { awaitGone, unitFileOf } from '../helpers/declared-cards.ts';
import { addUser, asUser, type HostUser, removeUser } from '../helpers/host-users.ts';
import { findLeaks, type Snapshot, takeSnapshot } from '../helpers/leaks.ts';
import { Generations } from '../helpers/nixos-generation.ts';
import { awaitProperty, showProperty, unitOf } from '../helpers/units.ts';

// What the module makes of two configurations (nix/evaluation/generations.nix), on a real systemd: a boot of the first one,
// a switch to the second one. The suite goes from one test to the next.

const [FIRST, SECOND] = ['generation-1', 'generation-2'];
const MEMBER = { name: 'as-nixos-member', group: 'agent-callers' };
const STRANGER = { name: 'as-nixos-stranger', group: 'as-nixos-others' };
const KEY = 'sk-canary-of-the-module';
const WORKSPACES = '/var/lib/agents';
const SOCKET = '/run/agent-spawn/api.sock';
/** Where the module and the daemon write, and nobody watches by default. */
const DIRECTORIES = ['/etc/agents', '/etc/agent-spawn', '/etc/systemd/system', '/var/lib', '/run/agenix.d'];
/** The daemons are others afterwards. */
const RESTARTED = /agent-(spawn|egress)d\.(service|socket|cjs)/;

let stage: CredentialStage;
let generations: Generations;
let member: HostUser;
let stranger: HostUser;
let untouched: Snapshot;
before(async () => {
  stage = await CredentialStage.open();
  untouched = takeSnapshot({ directories: DIRECTORIES });
  member = await addUser(MEMBER.name, MEMBER.group);
  stranger = await addUser(STRANGER.name, STRANGER.group);
  mkdirSync('/run/agenix.d/1', { recursive: true, mode: 0o751 });
  writeFileSync('/run/agenix.d/1/model-key', `${KEY}\n`, { mode: 0o400 });
  symlinkSync('/run/agenix.d/1', '/run/agenix');
  generations = Generations.open();
  await stopDaemon();
  await generations.activate(FIRST);
  await succeed(runCommand(['systemd-tmpfiles', '--create', join(CHECKOUT, 'nix/golden', FIRST, 'tmpfiles.txt')]));
});
after(async () => {
  await generations?.close();
  await succeed(runCommand(['systemctl', 'reload-or-restart', 'agent-spawnd.service']));
  assert.deepEqual(
    (await listAgents()).filter(({ origin }) => origin === 'declared'),
    [],
  );
  await stopDaemon();
  await removeUser(MEMBER.name, MEMBER.group);
  await removeUser(STRANGER.name, STRANGER.group);
  for (const path of ['/run/agenix', '/run/agenix.d', WORKSPACES]) rmSync(path, { recursive: true, force: true });
  await startWanted();
  await stage?.close();
  const leaks = await findLeaks(untouched, { directories: DIRECTORIES });
  assert.deepEqual(
    leaks.filter((leak) => !RESTARTED.test(leak)),
    [],
  );
});

/** What a boot and the end of a switch do: what the targets want is started. */
async function startWanted(): Promise<void> {
  const units = Generations.wants(FIRST).map((link) => basename(link));
  await succeed(runCommand(['systemctl', 'start', ...units]));
}

function invocationOf(unit: string): Promise<string> {
  return showProperty(unit, 'InvocationID');
}

/** Which run of each of these agents is on; an empty text where none is. */
async function runsOf(ids: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const runs: Record<string, string> = {};
  for (const id of ids) {
    const isActive = (await showProperty(unitOf(id), 'ActiveState')) === 'active';
    runs[id] = isActive ? await invocationOf(unitOf(id)) : '';
  }
  return runs;
}

const ALL = ['added', 'caller', 'changing', 'resting', 'steady', 'withdrawn'];

test('a boot starts the daemon and the declared agents that start by themselves, and no other', async () => {
  const linked = ['multi-user.target.wants', 'sockets.target.wants'].flatMap((directory) =>
    readdirSync(join('/etc/systemd/system', directory)).map((unit) => `${directory}/${unit}`),
  );
  assert.deepEqual([...Generations.wants(FIRST)].sort(), linked.filter((link) => /\/agent-/.test(link)).sort());
  await startWanted();
  for (const id of ['steady', 'changing', 'withdrawn']) await awaitProperty(unitOf(id), 'ActiveState', 'active');
  const agents = (await listAgents()).filter(({ origin }) => origin === 'declared');
  assert.deepEqual(Object.fromEntries(agents.map(({ id, state }) => [id, state])), {
    caller: 'not-started',
    changing: 'running',
    resting: 'not-started',
    steady: 'running',
    withdrawn: 'running',
  });
  assert.equal((await viewAgent('steady')).workspace, join(WORKSPACES, 'steady'));
});

test('members of the group may call the API, and nobody else', async () => {
  const { mode, uid, gid } = statSync(SOCKET);
  assert.deepEqual([(mode & 0o777).toString(8), uid], ['660', 0]);
  const group = await succeed(runCommand(['getent', 'group', MEMBER.group]));
  assert.equal(group.stdout.split(':')[2], String(gid));
  const listed = await succeed(runCommand(asUser(member, 'agentctl', 'list')));
  assert.match(listed.stdout, /^steady +running /m);
  const agent = statSync(join(WORKSPACES, 'steady')).uid;
  for (const who of [stranger, { name: 'agent', uid: agent, gid: agent }]) {
    const words = ['setpriv', `--reuid=${who.uid}`, `--regid=${who.gid}`, '--clear-groups', '--'];
    await succeed(runCommand([...words, 'agentctl', '--version']));
    const refused = await runCommand([...words, 'agentctl', 'stop', 'steady']);
    assert.deepEqual([refused.status === 0, refused.stdout], [false, '']);
  }
  assert.equal(await showProperty(unitOf('steady'), 'ActiveState'), 'active');
});

test('a credential of the module reaches the API that it is for, and not the agent', async () => {
  await stage.egress.internet.clear();
  await succeed(runCommand(asUser(member, 'agentctl', 'start', 'caller')));
  assert.equal((await awaitEnd('caller')).outcome?.kind, 'exited');
  const workspace = join(WORKSPACES, 'caller');
  assert.deepEqual(
    Object.fromEntries(['status', 'error'].map((name) => [name, readFileSync(join(workspace, name), 'utf8')])),
    { status: '0\n', error: '' },
  );
  const [arrival] = await stage.arrivals();
  assert.equal(arrival?.headers.find(([name]) => name === 'x-api-key')?.[1], KEY);
  for (const name of readdirSync(workspace)) assert.doesNotMatch(readFileSync(join(workspace, name), 'utf8'), CANARY);
});

test('a switch restarts the agent whose card is another one, starts the new one, stops the withdrawn one', async () => {
  const daemon = await invocationOf('agent-spawnd.service');
  const old = await runsOf(ALL);
  await generations.activate(SECOND);
  await succeed(runCommand(['systemctl', 'reload', 'agent-spawnd.service']));
  const runs = await runsOf(ALL);
  assert.notEqual(runs['changing'], old['changing']);
  assert.deepEqual(runs, { ...old, added: runs['added'], changing: runs['changing'], withdrawn: '' });
  assert.deepEqual([runs['added'] !== '', runs['changing'] !== ''], [true, true]);
  assert.equal(await showProperty(unitOf('changing'), 'MemoryMax'), String(96 * 1024 * 1024));
  await awaitGone(unitFileOf('withdrawn'));
  assert.equal(await invocationOf('agent-spawnd.service'), daemon);
});

test('a switch that changes no card, and a daemon that starts again, touch nobody', async () => {
  const runs = await runsOf(ALL);
  await generations.activate(SECOND);
  await succeed(runCommand(['systemctl', 'reload', 'agent-spawnd.service']));
  assert.deepEqual(await runsOf(ALL), runs);
  await succeed(runCommand(['systemctl', 'restart', 'agent-spawnd.service']));
  assert.deepEqual(await runsOf(ALL), runs);
  await succeed(runCommand(['systemctl', 'reload', 'agent-spawnd.service']));
  assert.deepEqual(await runsOf(ALL), runs);
});

test('a switch back, while no daemon runs, is made up for when it starts', async () => {
  const old = await runsOf(ALL);
  await stopDaemon();
  await generations.activate(FIRST);
  await startWanted();
  await awaitProperty(unitOf('withdrawn'), 'ActiveState', 'active');
  await succeed(runCommand(['systemctl', 'reload', 'agent-spawnd.service']));
  const runs = await runsOf(ALL);
  assert.notEqual(runs['changing'], old['changing']);
  assert.deepEqual(runs, { ...old, added: '', changing: runs['changing'], withdrawn: runs['withdrawn'] });
  assert.equal(await showProperty(unitOf('changing'), 'MemoryMax'), String(64 * 1024 * 1024));
});

test('without the module nothing of it is left', async () => {
  await generations.close();
  await succeed(runCommand(['systemctl', 'reload', 'agent-spawnd.service']));
  for (const id of ALL) await awaitGone(unitFileOf(id));
  assert.deepEqual(await runsOf(ALL), Object.fromEntries(ALL.map((id) => [id, ''])));
  assert.equal(existsSync('/etc/static'), false);
});
