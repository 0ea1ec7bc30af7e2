import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { ReloadView } from '../../src/control/views.ts';
import { agentctl, awaitEnd, Bench, listAgents, succeed, type TestCard, viewAgent } from '../helpers/agents.ts';
import { awaitFile, type Ended, inTime, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, daemonPid, killDaemon, startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { awaitGone, unitFileOf, withdrawCard } from '../helpers/declared-cards.ts';
import { awaitProperty, showProperty, unitOf } from '../helpers/units.ts';

const CONFIG = '/etc/agent-spawn/config.json';
const CARDS = '/etc/agents';
/** As on NixOS: cards are links to here, this is a link to the present generation, and nobody watches either. */
const STATIC = '/etc/agents-static';
const GENERATIONS = '/etc/agents-generations';
/** Shown to agents when it is there, and on no Debian. */
const SHOWN = '/etc/zoneinfo';

let bench: Bench;
let generation = 0;
const declared = new Set<string>();

before(async () => {
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs|agentctl\.cjs/ });
  assert.equal(existsSync(CONFIG), false, 'the host of the test has no configuration of its own');
  // What a reload says counts all cards.
  assert.deepEqual(existsSync(CARDS) ? readdirSync(CARDS) : [], [], 'other tests leave no cards');
  mkdirSync('/etc/agent-spawn', { recursive: true });
  await configure({ restart_changed: true });
});
afterEach(async () => {
  for (const id of declared) await withdrawCard(id);
  declared.clear();
});
after(async () => {
  rmSync(CONFIG, { force: true });
  await restartDaemon();
  for (const path of [STATIC, GENERATIONS]) rmSync(path, { recursive: true, force: true });
  await bench.close();
});

async function configure(config: object): Promise<void> {
  writeFileSync(CONFIG, JSON.stringify(config));
  await restartDaemon();
}

async function restartDaemon(): Promise<void> {
  await stopDaemon();
  await startDaemon();
}

/** An agent that runs until it is stopped. */
function ownCard(changes: Readonly<Record<string, unknown>> = {}): TestCard {
  const card = bench.card({ command: ['sleep', 'infinity'], ...changes });
  declared.add(card.agent_id);
  return card;
}

/** Makes these the cards of the present generation, as text or as values; the daemon does not hear of it. */
function switchTo(cards: readonly (TestCard | { readonly agent_id: string; readonly text: string })[]): void {
  generation += 1;
  const directory = join(GENERATIONS, String(generation));
  mkdirSync(directory, { recursive: true });
  for (const card of cards) {
    writeFileSync(join(directory, `${card.agent_id}.json`), 'text' in card ? String(card.text) : JSON.stringify(card));
  }
  symlinkSync(directory, `${STATIC}.new`);
  renameSync(`${STATIC}.new`, STATIC);
}

/** Links these cards into the cards directory, has them read, and starts their agents. */
async function declareAndStart(...cards: readonly TestCard[]): Promise<void> {
  switchTo(cards);
  mkdirSync(CARDS, { recursive: true });
  for (const { agent_id: id } of cards) symlinkSync(join(STATIC, `${id}.json`), join(CARDS, `${id}.json`));
  await reload();
  for (const { agent_id: id } of cards) await succeed(systemctl('start', unitOf(id)));
}

/** What a reload says. */
async function reload(): Promise<ReloadView> {
  return JSON.parse((await agentctl('reload', '--json')).stdout) as ReloadView;
}

function systemctl(...words: readonly string[]): Promise<Ended> {
  return runCommand(['systemctl', '--no-pager', ...words]);
}

/** PID 1's ids of the present runs, in this order. */
function runsOf(...cards: readonly TestCard[]): Promise<readonly string[]> {
  return Promise.all(cards.map(({ agent_id: id }) => showProperty(unitOf(id), 'InvocationID')));
}

/** Waits until an agent has another run than this one, and it is up. */
async function awaitOtherRun(card: TestCard, run: string): Promise<string> {
  const other = async (): Promise<string> => {
    for (;;) {
      const [now = ''] = await runsOf(card);
      if (now !== run && now !== '' && (await showProperty(unitOf(card.agent_id), 'ActiveState')) === 'active')
        return now;
    }
  };
  return inTime(other(), `another run of ${card.agent_id}`);
}

test('systemctl reload: of four agents the one whose card changed is restarted, and the journal says what was done', async () => {
  const [a, b, c, d] = [ownCard(), ownCard(), ownCard(), ownCard()];
  await declareAndStart(a, b, c, d);
  const before = await runsOf(a, b, c, d);
  switchTo([a, { ...b, resource_limits: { memory_mb: 64 } }, c, d]);
  const [daemon, since] = [await daemonPid(), `@${Math.floor(Date.now() / 1000)}`];
  await succeed(systemctl('reload', 'agent-spawnd.service'));
  assert.equal(await daemonPid(), daemon);
  const now = await runsOf(a, b, c, d);
  assert.deepEqual(
    now.map((run, index) => run === before[index]),
    [true, false, true, true],
  );
  assert.equal(await showProperty(unitOf(b.agent_id), 'MemoryMax'), String(64 * 1024 * 1024));
  await succeed(runCommand(['journalctl', '--sync']));
  const argv = ['journalctl', '--output=cat', '--unit=agent-spawnd.service', `--since=${since}`];
  assert.match((await succeed(runCommand(argv))).stdout, /^cards read again: 1 restarted, 3 unchanged$/m);
  assert.deepEqual(await reload(), { cards: [], unchanged: 4 });
  assert.deepEqual(await runsOf(a, b, c, d), now);
});

test('a card that is written in another way restarts nobody', async () => {
  const card = ownCard();
  await declareAndStart(card);
  const before = await runsOf(card);
  const keys = Object.entries(card).reverse();
  switchTo([{ agent_id: card.agent_id, text: JSON.stringify(Object.fromEntries(keys), null, 4) }]);
  assert.deepEqual(await reload(), { cards: [], unchanged: 1 });
  assert.deepEqual(await runsOf(card), before);
});

test('an agent whose card is gone is stopped, and nothing of it is left', async () => {
  const [kept, gone] = [ownCard(), ownCard()];
  await declareAndStart(kept, gone);
  const before = await runsOf(kept);
  const { agent_id: id } = gone;
  switchTo([kept]);
  assert.deepEqual(await reload(), { cards: [{ id, did: 'stopped', message: null }], unchanged: 1 });
  assert.deepEqual(await runsOf(kept), before);
  assert.equal((await awaitEnd(id)).outcome?.kind, 'stopped');
  assert.equal(await showProperty(unitOf(id), 'LoadState'), 'not-found');
  for (const path of [unitFileOf(id), `/run/agent-spawn/agents/${id}`, `/run/userdb/agent-${id}.user`])
    assert.ok(!existsSync(path), path);
  await agentctl('rm', id);
  assert.ok(!(await listAgents()).some((agent) => agent.id === id));
});

test('an agent that has another name from now on takes the workspace of the one before over, in one reload', async () => {
  const before = ownCard({ command: ['bash', '-c', 'touch kept; exec sleep infinity'] });
  await declareAndStart(before);
  await awaitFile(join(before.workspace, 'kept'));
  const { agent_id: id } = ownCard();
  const now = { ...before, agent_id: id, autostart: true, command: ['bash', '-c', 'rm kept; exec sleep infinity'] };
  switchTo([now]);
  rmSync(join(CARDS, `${before.agent_id}.json`));
  symlinkSync(join(STATIC, `${id}.json`), join(CARDS, `${id}.json`));
  await reload();
  await awaitProperty(unitOf(id), 'ActiveState', 'active');
  await awaitGone(join(before.workspace, 'kept'));
  assert.equal(await showProperty(unitOf(before.agent_id), 'LoadState'), 'not-found');
});

test('a daemon that is killed before it has heard of a change restarts the agent when it comes back, once', async () => {
  const [a, b] = [ownCard(), ownCard()];
  await declareAndStart(a, b);
  const [before = '', other] = await runsOf(a, b);
  switchTo([{ ...a, resource_limits: { memory_mb: 64 } }, b]);
  await killDaemon();
  await awaitDaemon();
  const now = await awaitOtherRun(a, before);
  for (let times = 0; times < 2; times += 1) {
    await killDaemon();
    await awaitDaemon();
    assert.deepEqual(await reload(), { cards: [], unchanged: 2 });
  }
  assert.deepEqual(await runsOf(a, b), [now, other]);
});

test('neither another start of the daemon nor another unit text from the same card restarts anybody', async () => {
  const card = ownCard();
  await declareAndStart(card);
  const before = await runsOf(card);
  await restartDaemon();
  assert.deepEqual(await reload(), { cards: [], unchanged: 1 });
  const text = readFileSync(unitFileOf(card.agent_id), 'utf8');
  assert.equal(existsSync(SHOWN), false, `${SHOWN} is the test's to make`);
  mkdirSync(SHOWN);
  try {
    await restartDaemon();
    assert.notEqual(readFileSync(unitFileOf(card.agent_id), 'utf8'), text, 'the host shows more');
    assert.deepEqual(await reload(), { cards: [], unchanged: 1 });
  } finally {
    rmSync(SHOWN, { recursive: true });
  }
  await restartDaemon();
  assert.deepEqual(await reload(), { cards: [], unchanged: 1 });
  assert.deepEqual(await runsOf(card), before);
});

test('a card that is refused fails no reload, is told, and leaves the run and its limits as they are', async () => {
  const card = ownCard({ autostart: true, resource_limits: { memory_mb: 64 } });
  const { agent_id: id } = card;
  await declareAndStart(card);
  const before = await runsOf(card);
  switchTo([{ ...card, memroy: 1 }]);
  await succeed(systemctl('reload', 'agent-spawnd.service'));
  const told = await reload();
  assert.deepEqual([told.unchanged, told.cards.map(({ id, did }) => [id, did])], [0, [[id, 'refused']]]);
  assert.match(told.cards[0]?.message ?? '', /memroy/);
  assert.match((await agentctl('status', id)).stdout, /Note +Its card is refused, and its run goes on.*memroy/);
  await succeed(systemctl('daemon-reload'));
  await restartDaemon();
  assert.deepEqual(await runsOf(card), before);
  assert.equal((await viewAgent(id)).state, 'running');
  assert.equal(await showProperty(unitOf(id), 'MemoryMax'), String(64 * 1024 * 1024));

  await succeed(systemctl('stop', unitOf(id)));
  await awaitFile(unitFileOf(id), (text) => /\/refuse /.test(text));
  await reload();
  assert.notEqual((await systemctl('start', unitOf(id))).status, 0);
  switchTo([card]);
  assert.deepEqual(await reload(), { cards: [{ id, did: 'started', message: null }], unchanged: 0 });
  await awaitProperty(unitOf(id), 'ActiveState', 'active');
});

test('a card in the directory itself is followed without a reload', async () => {
  const card = ownCard();
  const path = join(CARDS, `${card.agent_id}.json`);
  writeFileSync(path, JSON.stringify(card));
  await awaitFile(unitFileOf(card.agent_id));
  await succeed(systemctl('start', unitOf(card.agent_id)));
  const [before = ''] = await runsOf(card);
  writeFileSync(path, JSON.stringify({ ...card, ttl_seconds: 600 }));
  await awaitOtherRun(card, before);
  rmSync(path);
  assert.equal((await awaitEnd(card.agent_id)).outcome?.kind, 'stopped');
});

test('an agent that is stopped stays so, and an agent that does not stop at once does not hold a reload up', async () => {
  const rests = ownCard();
  const stubborn = ownCard({
    stop_timeout_seconds: 3600,
    command: ['bash', '-c', 'trap "until [ -e go ]; do sleep 0.05; done; exit" TERM; while :; do sleep 0.05; done'],
  });
  await declareAndStart(rests, stubborn);
  await succeed(systemctl('stop', unitOf(rests.agent_id)));
  await awaitEnd(rests.agent_id);
  const [before = ''] = await runsOf(stubborn);
  switchTo([
    { ...rests, ttl_seconds: 600 },
    { ...stubborn, ttl_seconds: 600 },
  ]);
  await succeed(systemctl('reload', 'agent-spawnd.service'));
  assert.equal(await showProperty(unitOf(stubborn.agent_id), 'ActiveState'), 'deactivating');
  assert.equal(await showProperty(unitOf(rests.agent_id), 'ActiveState'), 'inactive');
  writeFileSync(join(stubborn.workspace, 'go'), '');
  const now = await awaitOtherRun(stubborn, before);
  assert.deepEqual(await reload(), { cards: [], unchanged: 2 });
  assert.deepEqual(await runsOf(stubborn), [now]);
});

test('a cards directory that comes later is found, and without the setting nobody is restarted', async () => {
  const cards = join(bench.directory, 'cards');
  const card = ownCard();
  const { agent_id: id } = card;
  await configure({ cards_dir: cards });
  try {
    assert.deepEqual(await reload(), { cards: [], unchanged: 0 });
    switchTo([card]);
    mkdirSync(cards);
    symlinkSync(join(STATIC, `${id}.json`), join(cards, `${id}.json`));
    await awaitFile(unitFileOf(id));
    await succeed(systemctl('start', unitOf(id)));
    const before = await runsOf(card);
    switchTo([{ ...card, ttl_seconds: 600 }]);
    const message = 'Its run goes on by the card before.';
    assert.deepEqual(await reload(), { cards: [{ id, did: 'installed', message }], unchanged: 0 });
    await restartDaemon();
    assert.deepEqual(await reload(), { cards: [], unchanged: 1 });
    switchTo([]);
    assert.equal((await reload()).cards[0]?.did, 'removed');
    assert.deepEqual(await runsOf(card), before);
  } finally {
    rmSync(cards, { recursive: true, force: true });
    await succeed(systemctl('stop', unitOf(id)));
    await configure({ restart_changed: true });
  }
});
