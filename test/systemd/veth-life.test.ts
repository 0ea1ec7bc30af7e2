import assert from 'node:assert/strict';
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { linkUnitName } from '../../src/base/ids.ts';
import { tableName } from '../../src/plan/veth-texts.ts';
import {
  agentctl,
  awaitEnd,
  Bench,
  detachAgent,
  listAgents,
  startAgent,
  succeed,
  type TestCard,
} from '../helpers/agents.ts';
import { agentProgram, type Ended, inTime, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, killDaemon } from '../helpers/daemon.ts';
import { declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import { addressOf, awaitWall, linkRemains, nft, setForwarding, signalGuard, wallOf } from '../helpers/linked.ts';
import { ask } from '../helpers/published.ts';
import { awaitProperty, showProperty, unitOf } from '../helpers/units.ts';

// How the link of an agent comes and goes, and what becomes of an agent whose wall is gone.

const NFT = '/usr/sbin/nft';
/** Cannot load a table. */
const FAILING_NFT = `case $1 in -f) echo "no such hook" >&2; exit 1 ;; esac; exec ${NFT}.kept "$@"`;
const HOST_ADDRESS = '192.0.2.1';

let bench: Bench;
before(async () => {
  // The first named network of a host makes a mount that stays.
  await succeed(runCommand(['ip', 'netns', 'add', 'first']));
  await succeed(runCommand(['ip', 'netns', 'delete', 'first']));
  await succeed(runCommand(['ip', 'address', 'add', `${HOST_ADDRESS}/32`, 'dev', 'lo']));
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs|run-netns\.mount/ });
});
afterEach(async () => {
  for (const { id, state, origin } of await listAgents()) {
    if (origin === 'spawned' && state !== 'ended') await agentctl('stop', id);
  }
});
after(() => bench.close());

function linkedCard(changes: Readonly<Record<string, unknown>> = {}): TestCard {
  return bench.card({
    command: ['sleep', '600'],
    network: { mode: 'veth', allow: [{ address: HOST_ADDRESS, port: 5432 }] },
    ...changes,
  });
}

/** Starts a card that must be refused, and leave nothing. */
async function refusal(card: TestCard): Promise<string> {
  const ended = await tryStart(card);
  assert.notEqual(ended.status, 0);
  assert.deepEqual(await linkRemains(card.agent_id), []);
  return ended.stderr;
}

function tryStart(card: TestCard): Promise<Ended> {
  return runCommand(['agent-spawn', '--detach', '-'], { stdin: JSON.stringify(card) });
}

/** Puts a shell script in the place of nft for a while; null for nothing at all. */
async function withNft<T>(script: string | null, body: () => Promise<T>): Promise<T> {
  renameSync(NFT, `${NFT}.kept`);
  try {
    if (script !== null) {
      writeFileSync(NFT, `#!/bin/sh\n${script}\n`);
      chmodSync(NFT, 0o755);
    }
    return await body();
  } finally {
    rmSync(NFT, { force: true });
    renameSync(`${NFT}.kept`, NFT);
  }
}

test('a start without nft is refused, and the package is named', async () => {
  const card = linkedCard();
  const ended = await withNft(null, () => tryStart(card));
  assert.match(ended.stderr, /nft, which the network mode "veth" needs, is not installed.*\n.*"nftables"/);
  assert.deepEqual(await linkRemains(card.agent_id), []);
});

test('nor does PID 1 start a declared agent without nft', async () => {
  const card = linkedCard();
  await declareCard(card);
  try {
    const ended = await withNft(null, () => runCommand(['systemctl', 'start', unitOf(card.agent_id)]));
    assert.notEqual(ended.status, 0);
    assert.match(await showProperty(linkUnitName(card.agent_id), 'StatusText'), /^nft is not installed.*"nftables"/);
    await succeed(runCommand(['systemctl', 'start', unitOf(card.agent_id)]));
  } finally {
    await withdrawCard(card.agent_id);
  }
});

test('a start whose table cannot be loaded is refused with what nft said, and no link is made', async () => {
  const said = await withNft(FAILING_NFT, () => refusal(linkedCard()));
  assert.match(said, /has no network: The table of the agent cannot be loaded: no such hook/);
});

test('a start that needs forwarding is refused with the setting while the host forwards nothing', async () => {
  const allow = [{ address: '198.51.100.7', port: 5432 }];
  const card = linkedCard({ network: { mode: 'veth', allow } });
  assert.match(await refusal(card), /198\.51\.100\.7.*sysctl -w net\.ipv4\.ip_forward=1/);
  setForwarding(true);
  try {
    assert.equal((await tryStart(card)).status, 0);
  } finally {
    setForwarding(false);
  }
});

test('a start is refused while a route of the host is in the range of the links', async () => {
  for (const [route, shown] of [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.213.77.0/24', '10.213.77.0/24'],
  ] as const) {
    await succeed(runCommand(['ip', 'route', 'add', route, 'dev', 'lo']));
    const said = await refusal(linkedCard());
    await succeed(runCommand(['ip', 'route', 'delete', route, 'dev', 'lo']));
    assert.match(said, /overlap with a route of this host/);
    assert.ok(said.includes(`: ${shown} dev lo`) && said.includes('"veth_range"'), said);
  }
});

test('agents that start at once have addresses of their own, and the lowest free ones', async () => {
  const cards = Array.from({ length: 8 }, () => linkedCard());
  await Promise.all(cards.map((card) => detachAgent(card)));
  const addresses = await Promise.all(cards.map((card) => addressOf(card.agent_id)));
  const expected = Array.from({ length: 8 }, (_, index) => `10.213.0.${2 * index + 3}`);
  assert.deepEqual(addresses.toSorted(byNumber), expected);
  const [first] = cards;
  const freed = addresses[0];
  await agentctl('stop', first?.agent_id ?? '');
  const next = linkedCard();
  await detachAgent(next);
  assert.equal(await addressOf(next.agent_id), freed);
});

function byNumber(a: string, b: string): number {
  return Number(a.split('.')[3]) - Number(b.split('.')[3]);
}

test('after the end of an agent nothing of its link is left', async () => {
  const card = linkedCard({ command: ['true'] });
  await detachAgent(card);
  await awaitEnd(card.agent_id);
  assert.deepEqual(await linkRemains(card.agent_id), []);
});

test('a wall that is flushed, deleted, emptied, opened or added to is back within a second', async () => {
  const id = await detachAgent(linkedCard());
  const [wall, table] = [await wallOf(id), tableName(id)];
  const changes = [
    ['flush', 'ruleset'],
    ['delete', 'table', 'inet', table],
    ['flush', 'chain', 'inet', table, 'to_host'],
    ['insert', 'rule', 'inet', table, 'there', 'accept'],
    ['add', 'chain', 'inet', table, 'mine'],
    ['add', 'table', 'inet', table, '{ flags dormant; }'],
  ];
  for (const change of changes) {
    await nft(...change);
    const seconds = await awaitWall(id, wall);
    assert.ok(seconds < 1, `${change.join(' ')}: ${seconds} s`);
  }
  assert.equal(await showProperty(unitOf(id), 'ActiveState'), 'active');
});

test('a flush takes the walls of all agents, and every one comes back, but for those of agents that ended', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => detachAgent(linkedCard())));
  const [ended = '', ...others] = ids;
  const walls = new Map<string, string>();
  for (const id of others) walls.set(id, await wallOf(id));
  await agentctl('stop', ended);
  await nft('flush', 'ruleset');
  for (const [id, wall] of walls) await awaitWall(id, wall);
  for (const id of others) assert.equal(await showProperty(unitOf(id), 'ActiveState'), 'active');
  assert.deepEqual(await linkRemains(ended), []);
  assert.equal((await nft('list', 'tables')).trim().split('\n').length, others.length);
});

test('an agent whose wall cannot be put back is stopped', async () => {
  const id = await detachAgent(linkedCard());
  await withNft(FAILING_NFT, async () => {
    await nft('delete', 'table', 'inet', tableName(id));
    await awaitEnd(id);
  });
  assert.deepEqual(await linkRemains(id), []);
});

test('a card that changes while its agent runs changes nothing of its wall', async () => {
  const card = linkedCard();
  const { agent_id: id } = card;
  await declareCard(card);
  try {
    await succeed(runCommand(['systemctl', 'start', unitOf(id)]));
    const wall = await wallOf(id);
    const file = `/run/agent-spawn/agents/${id}/veth.nft`;
    const rules = readFileSync(file, 'utf8');
    await declareCard({ ...card, description: 'changed', network: { mode: 'veth', allow: [] } });
    assert.notEqual(readFileSync(file, 'utf8'), rules, 'the next run has another wall');
    await nft('delete', 'table', 'inet', tableName(id));
    await awaitWall(id, wall);
    assert.equal(await showProperty(unitOf(id), 'ActiveState'), 'active');
  } finally {
    await withdrawCard(id);
  }
});

test('an agent whose guard is killed is stopped, and has no link any more while it ends', async () => {
  for (const who of ['main', 'all'] as const) {
    const command = ['sh', '-c', 'trap "" TERM; echo ready; sleep 600'];
    const card = linkedCard({ command, stop_timeout_seconds: 3 });
    const agent = startAgent(card);
    await agent.lineLike(/^ready$/);
    const { agent_id: id } = card;
    await signalGuard(id, 'KILL', who);
    const gone = async (): Promise<void> => {
      while ((await runCommand(['ip', '-o', 'link', 'show', 'type', 'veth'])).stdout !== '');
    };
    await inTime(gone(), 'the end of the link');
    assert.equal(await showProperty(unitOf(id), 'ActiveState'), 'deactivating', 'it has no link while it ends');
    await agent.ended();
    await awaitEnd(id);
    assert.deepEqual(await linkRemains(id), []);
  }
});

test('without the daemon the wall is guarded as before, and the next daemon knows the address', async () => {
  const id = await detachAgent(linkedCard());
  const wall = await wallOf(id);
  await killDaemon();
  await nft('flush', 'ruleset');
  await awaitWall(id, wall);
  await awaitDaemon();
  const next = await detachAgent(linkedCard());
  assert.notEqual(await addressOf(next), await addressOf(id));
});

test('a declared agent keeps its address from run to run, and PID 1 starts it without the daemon', async () => {
  const other = await detachAgent(linkedCard());
  const card = linkedCard();
  const { agent_id: id } = card;
  await declareCard(card);
  try {
    await succeed(runCommand(['systemctl', 'start', unitOf(id)]));
    const address = await addressOf(id);
    await succeed(runCommand(['systemctl', 'stop', unitOf(id)]));
    await awaitProperty(linkUnitName(id), 'ActiveState', 'inactive');
    await agentctl('stop', other);
    await detachAgent(linkedCard());
    await killDaemon();
    await succeed(runCommand(['systemctl', 'start', unitOf(id)]));
    assert.equal(await addressOf(id), address);
    await awaitDaemon();
  } finally {
    await withdrawCard(id);
  }
  assert.deepEqual(await linkRemains(id), []);
});

test('a published port leads into the network with the link, and PID 1 may be reloaded meanwhile', async () => {
  const place = '127.0.0.1:18331';
  const network = { mode: 'veth', publish: [{ port: 8080, listen: place }] };
  const card = linkedCard({ network });
  const agent = startAgent({ ...card, command: agentProgram('serve.py', card.agent_id, '8080') });
  await agent.lineLike(/^ready$/);
  const { agent_id: id } = card;
  const wall = await wallOf(id);
  for (const verb of ['daemon-reload', 'daemon-reexec']) {
    assert.deepEqual(await ask(place, 'who'), { text: `${id} 127.0.0.1`, error: null });
    await succeed(runCommand(['systemctl', verb]));
    await nft('delete', 'table', 'inet', tableName(id));
    await awaitWall(id, wall);
  }
  assert.deepEqual(await ask(place, 'who'), { text: `${id} 127.0.0.1`, error: null });
  await agentctl('stop', id);
  await agent.ended();
  assert.deepEqual(await linkRemains(id), []);
});

test('what the guard reads is root alone, and not shown inside', async () => {
  const id = await detachAgent(linkedCard());
  const { stdout } = await succeed(
    runCommand(['find', `/run/agent-spawn/agents/${id}`, '-name', 'veth*', '-printf', '%f %U %m\n']),
  );
  const files = ['veth-inside.ip', 'veth-outside.ip', 'veth.needs', 'veth.nft'];
  assert.deepEqual(
    stdout.trim().split('\n').sort(),
    files.map((name) => `${name} 0 600`),
  );
  const pid = await showProperty(unitOf(id), 'MainPID');
  assert.doesNotMatch(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), /veth/);
});
