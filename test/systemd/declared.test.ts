import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import {
  agentctl,
  awaitEnd,
  Bench,
  detachAgent,
  listAgents,
  runAgent,
  succeed,
  type TestCard,
  viewAgent,
} from '../helpers/agents.ts';
import { askApi } from '../helpers/api.ts';
import { awaitFile, type Ended, RunningCommand, runCommand } from '../helpers/commands.ts';
import { startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { awaitGone, declareCard, declareText, unitFileOf, withdrawCard } from '../helpers/declared-cards.ts';
import { awaitProperty, showProperty, showUnit, unitOf } from '../helpers/units.ts';

let bench: Bench;
const declared = new Set<string>();
before(async () => {
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs/ });
});
afterEach(async () => {
  for (const id of declared) await withdrawCard(id);
  declared.clear();
});
after(() => bench.close());

/** A card that is taken away after the test. */
function ownCard(changes: Readonly<Record<string, unknown>>): TestCard {
  const card = bench.card(changes);
  declared.add(card.agent_id);
  return card;
}

function systemctl(...words: readonly string[]): Promise<Ended> {
  return runCommand(['systemctl', '--no-pager', ...words]);
}

test('a card in the cards directory is a service that systemctl and journalctl know', async () => {
  const card = ownCard({ description: 'Does its work', command: ['bash', '-c', 'echo at work; exec sleep infinity'] });
  const unit = unitOf(card.agent_id);
  await declareCard(card);
  assert.equal((await viewAgent(card.agent_id)).state, 'not-started');
  await succeed(systemctl('start', unit));
  const status = await succeed(systemctl('status', unit));
  assert.match(status.stdout, /Does its work[\s\S]*Active: active \(running\)/);
  const view = await viewAgent(card.agent_id);
  assert.deepEqual([view.state, view.origin], ['running', 'declared']);
  assert.equal(view.mainPid, Number(await showProperty(unit, 'MainPID')));
  const journal = new RunningCommand(['journalctl', '--follow', '--output=cat', `--unit=${unit}`]);
  await journal.lineLike(/^at work$/);
  await journal.stop();
  await succeed(systemctl('restart', unit));
  assert.notEqual(Number(await showProperty(unit, 'MainPID')), view.mainPid);
  assert.equal((await viewAgent(card.agent_id)).state, 'running');
  await succeed(systemctl('stop', unit));
  assert.equal(await showProperty(unit, 'ActiveState'), 'inactive');
  assert.equal((await awaitEnd(card.agent_id)).outcome?.kind, 'stopped');
});

test('agentctl starts, restarts and stops a declared agent as systemctl does', async () => {
  const card = ownCard({ command: ['sleep', 'infinity'] });
  await declareCard(card);
  await agentctl('start', card.agent_id);
  assert.equal(await showProperty(unitOf(card.agent_id), 'ActiveState'), 'active');
  await agentctl('restart', card.agent_id);
  await agentctl('stop', card.agent_id);
  assert.equal(await showProperty(unitOf(card.agent_id), 'ActiveState'), 'inactive');
  const removal = await runCommand(['agentctl', 'rm', card.agent_id]);
  assert.equal(removal.status, 1);
  assert.match(removal.stderr, new RegExp(`/etc/agents/${card.agent_id}\\.json`), 'it says which file to remove');
});

test('a changed card takes effect at the next start and not before', async () => {
  const command = (word: string): readonly string[] => ['bash', '-c', `echo ${word} >said; exec sleep infinity`];
  const card = ownCard({ command: command('first'), resource_limits: { memory_mb: 64 } });
  const said = join(card.workspace, 'said');
  const unit = unitOf(card.agent_id);
  await declareCard(card);
  await succeed(systemctl('start', unit));
  await awaitFile(said, (text) => text === 'first\n');
  const pid = await showProperty(unit, 'MainPID');
  await declareCard({ ...card, command: command('second'), resource_limits: { memory_mb: 80 } });
  assert.equal(await showProperty(unit, 'MainPID'), pid, 'what runs goes on');
  await succeed(systemctl('restart', unit));
  await awaitFile(said, (text) => text === 'second\n');
  assert.equal(await showProperty(unit, 'MemoryMax'), String(80 * 1024 * 1024));
  // By way of agentctl nobody needs to wait for the daemon to notice.
  writeFileSync(`/etc/agents/${card.agent_id}.json`, JSON.stringify({ ...card, command: command('third') }));
  await agentctl('restart', card.agent_id);
  await awaitFile(said, (text) => text === 'third\n');
});

/** Texts that are no card, by file ending, with what `systemctl status` must say. */
const BROKEN: readonly (readonly [title: string, ending: string, text: (id: string) => string, said: RegExp])[] = [
  ['an unknown key', 'json', (id) => `{"agent_id":"${id}","workspace":"/mnt/x","memroy":1}`, /memroy/],
  ['a syntax error', 'json', (id) => `{"agent_id":"${id}",`, /card\.syntax/],
  ['a syntax error', 'toml', () => 'agent_id = [', /card\.syntax/],
  ['another id than its name', 'json', () => '{"agent_id":"other","workspace":"/mnt/x"}', /agent_id is "other"/],
  [
    'a program that is not there',
    'json',
    (id) => `{"agent_id":"${id}","workspace":"/mnt/x","command":["no-such"]}`,
    /"no-such" was not found/,
  ],
];

for (const [title, ending, text, said] of BROKEN) {
  test(`a ${ending} card with ${title} is a unit that fails and says so`, async () => {
    const { agent_id: id } = ownCard({});
    await declareText(`${id}.${ending}`, text(id));
    assert.equal((await viewAgent(id)).state, 'invalid');
    const start = await systemctl('start', unitOf(id));
    assert.notEqual(start.status, 0);
    const status = await systemctl('status', unitOf(id));
    assert.match(status.stdout, /Active: failed/);
    assert.match(/Status: "(.*)"/.exec(status.stdout)?.[1] ?? '', said);
    const listed = await agentctl('list');
    assert.match(listed.stdout, new RegExp(`${id}.*invalid`));
  });
}

test('a broken card that is mended starts', async () => {
  const card = ownCard({ command: ['bash', '-c', 'touch ran'] });
  await declareText(`${card.agent_id}.json`, '{}');
  assert.notEqual((await systemctl('start', unitOf(card.agent_id))).status, 0);
  await declareCard(card);
  await succeed(systemctl('start', unitOf(card.agent_id)));
  await awaitFile(join(card.workspace, 'ran'));
});

test('a card may be TOML, and beside a JSON card of the same id it does not count', async () => {
  const { agent_id: id, workspace } = ownCard({});
  const toml = (word: string): string =>
    `agent_id = "${id}"\nworkspace = "${workspace}"\ncommand = ["bash", "-c", "echo ${word} >said"]\nrestart = "no"\n`;
  await declareText(`${id}.toml`, toml('toml'));
  await succeed(systemctl('start', unitOf(id)));
  await awaitFile(join(workspace, 'said'), (said) => said === 'toml\n');
  await declareText(
    `${id}.json`,
    JSON.stringify({ agent_id: id, workspace, command: ['bash', '-c', 'echo json >said'] }),
  );
  await succeed(systemctl('restart', unitOf(id)));
  await awaitFile(join(workspace, 'said'), (said) => said === 'json\n');
});

test('a declared agent that fails is started again, one that ends well or in time is not', async () => {
  // A drop-in for all agents, as an administrator writes one, makes the ten seconds short.
  const dropIn = '/run/systemd/system/sandboxed-agent@.service.d';
  const card = ownCard({ command: ['bash', '-c', 'if [ -e ran ]; then exec sleep infinity; fi; touch ran; exit 1'] });
  const unit = unitOf(card.agent_id);
  await declareCard(card);
  const { Restart: policy, RestartUSec: delay } = Object.fromEntries(await showUnit(unit, 'Restart', 'RestartUSec'));
  assert.deepEqual([policy, delay], ['on-failure', '10s']);
  mkdirSync(dropIn);
  writeFileSync(`${dropIn}/short.conf`, '[Service]\nRestartSec=100ms\n');
  await succeed(systemctl('daemon-reload'));
  try {
    await succeed(systemctl('start', unit));
    await awaitProperty(unit, 'NRestarts', '1');
    await awaitProperty(unit, 'ActiveState', 'active');
    const view = await viewAgent(card.agent_id);
    assert.deepEqual([view.state, view.restarts], ['running', 1]);

    const well = ownCard({ command: ['true'] });
    const mortal = ownCard({ ttl_seconds: 1, command: ['sleep', 'infinity'] });
    for (const one of [well, mortal]) await declareCard(one);
    for (const one of [well, mortal]) await succeed(systemctl('start', unitOf(one.agent_id)));
    assert.deepEqual((await awaitEnd(well.agent_id)).outcome, {
      ...view.outcome,
      kind: 'exited',
      status: 0,
      signal: null,
      message: 'It exited with status 0.',
    });
    assert.equal((await awaitEnd(mortal.agent_id)).outcome?.kind, 'ttl');
    for (const one of [well, mortal]) {
      const state = await showUnit(unitOf(one.agent_id), 'NRestarts', 'SubState');
      assert.equal(state.get('NRestarts'), '0');
      assert.match(state.get('SubState') ?? '', /^(dead|failed)$/);
    }
  } finally {
    rmSync(dropIn, { recursive: true });
    await systemctl('daemon-reload');
  }
});

test('an agent that restarts always comes back, except after a stop', async () => {
  const dropIn = '/run/systemd/system/sandboxed-agent@.service.d';
  mkdirSync(dropIn);
  writeFileSync(`${dropIn}/short.conf`, '[Service]\nRestartSec=50ms\n');
  const card = ownCard({
    restart: 'always',
    command: ['bash', '-c', 'echo x >>runs; [ $(wc -l <runs) -lt 3 ] || sleep infinity'],
  });
  await declareCard(card);
  await succeed(systemctl('start', unitOf(card.agent_id)));
  await awaitFile(join(card.workspace, 'runs'), (text) => text === 'x\nx\nx\n');
  await succeed(systemctl('stop', unitOf(card.agent_id)));
  rmSync(dropIn, { recursive: true });
  assert.equal((await awaitEnd(card.agent_id)).outcome?.kind, 'stopped');
  assert.equal(await showProperty(unitOf(card.agent_id), 'SubState'), 'dead');
});

test('a card with autostart starts when it appears, and not again after it was stopped', async () => {
  const card = ownCard({ autostart: true, command: ['bash', '-c', 'echo x >>runs; exec sleep infinity'] });
  await declareCard(card);
  const runs = join(card.workspace, 'runs');
  await awaitFile(runs, (text) => text === 'x\n');
  await awaitProperty(unitOf(card.agent_id), 'ActiveState', 'active');
  await succeed(systemctl('stop', unitOf(card.agent_id)));
  await stopDaemon();
  await startDaemon();
  assert.equal((await viewAgent(card.agent_id)).state, 'ended');
  assert.equal(readFileSync(runs, 'utf8'), 'x\n');
});

test('a card that is taken away takes its unit with it, and an agent that runs ends in its own time', async () => {
  const idle = ownCard({ command: ['true'] });
  const script = 'until [ -e go ]; do sleep 0.05; done; exit 4';
  const busy = ownCard({ ttl_seconds: 600, resource_limits: { memory_mb: 64 }, command: ['bash', '-c', script] });
  for (const card of [idle, busy]) await declareCard(card);
  await succeed(systemctl('start', unitOf(busy.agent_id)));
  for (const { agent_id: id } of [idle, busy]) rmSync(`/etc/agents/${id}.json`);
  await awaitGone(unitFileOf(idle.agent_id));
  const start = await systemctl('start', unitOf(idle.agent_id));
  assert.match(start.stderr, /not found/);
  assert.deepEqual(
    (await listAgents()).filter(({ id }) => id === idle.agent_id),
    [],
  );
  await succeed(systemctl('daemon-reload'));
  const running = await showUnit(unitOf(busy.agent_id), 'ActiveState', 'MemoryMax', 'RuntimeMaxUSec');
  assert.deepEqual(Object.fromEntries(running), {
    ActiveState: 'active',
    MemoryMax: String(64 * 1024 * 1024),
    RuntimeMaxUSec: '10min',
  });
  writeFileSync(join(busy.workspace, 'go'), '');
  const { outcome } = await awaitEnd(busy.agent_id);
  assert.deepEqual([outcome?.kind, outcome?.status], ['exited', 4]);
  await awaitGone(unitFileOf(busy.agent_id));
  assert.match(await showProperty(unitOf(busy.agent_id), 'ActiveState'), /inactive|failed/);
});

test('the id of a declared agent is refused to agent-spawn', async () => {
  const card = ownCard({ command: ['true'] });
  await declareCard(card);
  const spawned = await runAgent({ ...card, workspace: join(bench.directory, 'elsewhere') });
  assert.equal(spawned.status, 125);
  assert.match(spawned.stderr, /sandbox\.declared|belongs to a declared card/);
  assert.ok(!existsSync(join(bench.directory, 'elsewhere')));
});

test('a card for an id that a spawned agent has waits until that agent has ended', async () => {
  const card = ownCard({ command: ['bash', '-c', 'echo declared >said; exec sleep infinity'] });
  const id = await detachAgent({ ...card, command: ['bash', '-c', 'echo spawned >said; exec sleep infinity'] });
  const said = join(card.workspace, 'said');
  await awaitFile(said, (text) => text === 'spawned\n');
  const { mainPid } = await viewAgent(id);
  writeFileSync(`/etc/agents/${id}.json`, JSON.stringify(card));
  // The daemon takes in cards in order: after this one it has seen the other.
  await declareCard(ownCard({}));
  assert.ok(!existsSync(unitFileOf(id)));
  assert.equal(Number(await showProperty(unitOf(id), 'MainPID')), mainPid, 'the spawned agent goes on');
  await agentctl('stop', id);
  await awaitFile(unitFileOf(id));
  await succeed(systemctl('start', unitOf(id)));
  await awaitFile(said, (text) => text === 'declared\n');
  assert.equal((await viewAgent(id)).origin, 'declared');
});

test('without a daemon systemctl starts and stops declared agents all the same', async () => {
  const card = ownCard({ command: ['sleep', 'infinity'] });
  await declareCard(card);
  await stopDaemon();
  await succeed(systemctl('start', unitOf(card.agent_id)));
  const pid = Number(await showProperty(unitOf(card.agent_id), 'MainPID'));
  assert.ok(pid > 0);
  await startDaemon();
  const view = await viewAgent(card.agent_id);
  assert.deepEqual([view.state, view.mainPid], ['running', pid]);
  await stopDaemon();
  await succeed(systemctl('stop', unitOf(card.agent_id)));
  await startDaemon();
  assert.equal((await viewAgent(card.agent_id)).outcome?.kind, 'stopped');
});

test('a unit file of an agent holds no secret and is for root to change alone', async () => {
  const card = ownCard({ command: ['true'] });
  await declareCard(card);
  assert.equal(statSync(unitFileOf(card.agent_id)).mode & 0o022, 0);
  assert.equal((await askApi('DELETE', `/agents/${card.agent_id}`)).status, 409);
});
