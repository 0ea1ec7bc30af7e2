import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { agentctl, awaitEnd, Bench, startAgent, succeed, type TestCard, viewAgent } from '../helpers/agents.ts';
import { CHECKOUT } from '../helpers/checkout.ts';
import { agentProgram, type Ended, inTime, type RunningCommand, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, killDaemon, startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import { ask, download, hold, listenAt, type Place, sentBytes, upload } from '../helpers/published.ts';
import { awaitProperty, showProperty, unitOf } from '../helpers/units.ts';

let bench: Bench;
const declared = new Set<string>();
before(async () => {
  bench = await Bench.open({
    ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs|\/run\/netns|run-netns\.mount/,
  });
});
afterEach(async () => {
  for (const id of declared) await withdrawCard(id);
  declared.clear();
});
after(() => bench.close());

interface Publish {
  readonly port: number;
  readonly listen: string;
}

/** A card of an agent that serves port 8080 and the ports it publishes, and tells its own id there. */
function serverCard(publish: readonly Publish[], changes: Readonly<Record<string, unknown>> = {}): TestCard {
  const card = bench.card({ network: { publish }, ...changes });
  const ports = new Set([8080, ...publish.map(({ port }) => port)]);
  return { command: agentProgram('serve.py', card.agent_id, ...[...ports].map(String)), ...card };
}

/** Starts an agent and waits until it listens. */
async function serve(card: TestCard): Promise<RunningCommand> {
  const agent = startAgent(card);
  await agent.lineLike(/^ready$/);
  return agent;
}

/** Declares an agent, starts it and waits until it answers. */
async function serveDeclared(card: TestCard, place: Place): Promise<void> {
  declared.add(card.agent_id);
  await declareCard(card);
  await succeed(systemctl('start', unitOf(card.agent_id)));
  await awaitAnswer(place);
}

/** Asks until an agent answers, and returns what it said. */
async function awaitAnswer(place: Place): Promise<string> {
  const answered = async (): Promise<string> => {
    for (;;) {
      const { text } = await ask(place, 'who');
      if (text !== '') return text;
    }
  };
  return inTime(answered(), `an agent at ${place}`);
}

/** Waits until nobody listens: PID 1 closes a port by itself, a moment after its agent ended. */
async function awaitClosed(place: Place): Promise<void> {
  const closed = async (): Promise<void> => {
    while ((await ask(place, 'who')).error !== 'ECONNREFUSED');
  };
  await inTime(closed(), `${place} to be closed`);
}

async function end(card: TestCard, agent: RunningCommand): Promise<void> {
  await agentctl('stop', card.agent_id);
  await agent.ended();
}

function systemctl(...words: readonly string[]): Promise<Ended> {
  return runCommand(['systemctl', '--no-pager', ...words]);
}

/** Starts a card that must be refused; returns what the caller was told. */
async function refusal(card: TestCard): Promise<string> {
  const ended = await runCommand(['agent-spawn', '--detach', '-'], { stdin: JSON.stringify(card) });
  assert.notEqual(ended.status, 0, 'the start is refused');
  assert.deepEqual(unitsOf(card), [], 'nothing of it is left');
  return ended.stderr;
}

/** Unit files of the published ports of an agent. */
function unitsOf(card: TestCard): readonly string[] {
  return readdirSync('/run/systemd/system').filter((name) => name.startsWith(`agent-publish@${card.agent_id}:`));
}

/** Asks at port 8081 of the network it runs in. */
const ASK_8081 = `
import socket
connection = socket.create_connection(("127.0.0.1", 8081))
connection.sendall(b"who\\n")
print(connection.makefile().read())
`;

const CLOSED = { text: '', error: 'ECONNREFUSED' };

test('a published port is reached over IPv4, IPv6 and a Unix socket that is root alone', async () => {
  const places = ['127.0.0.1:18101', '[::1]:18101', '/run/published-1.sock'];
  const card = serverCard(places.map((listen) => ({ port: 8080, listen })));
  const agent = await serve(card);
  for (const place of places)
    assert.deepEqual(await ask(place, 'who'), { text: `${card.agent_id} 127.0.0.1`, error: null }, place);
  const { uid, mode } = statSync('/run/published-1.sock');
  assert.deepEqual([uid, mode & 0o777], [0, 0o600]);
  await end(card, agent);
  for (const place of places.slice(0, 2)) assert.deepEqual(await ask(place, 'who'), CLOSED, place);
  assert.equal(existsSync('/run/published-1.sock'), false);
  assert.deepEqual(unitsOf(card), []);
});

test('of two agents with one port inside, each is reached at its own place alone', async () => {
  const cards = [18102, 18103].map((port) => serverCard([{ port: 8080, listen: `127.0.0.1:${port}` }]));
  const agents = await Promise.all(cards.map(serve));
  for (let round = 0; round < 5; round += 1) {
    const answers = await Promise.all([18102, 18103].map((port) => ask(`127.0.0.1:${port}`, 'who')));
    assert.deepEqual(
      answers.map(({ text }) => text.split(' ')[0]),
      cards.map(({ agent_id }) => agent_id),
    );
  }
  await Promise.all(cards.map((card, index) => end(card, agents[index] as RunningCommand)));
});

test('what is not published is out of reach, and what is published answers on loopback alone', async () => {
  const card = serverCard([{ port: 8080, listen: '127.0.0.1:18104' }]);
  const both = { ...card, command: agentProgram('serve.py', card.agent_id, '8080', '8081') };
  const agent = await serve(both);
  await succeed(runCommand(['ip', 'address', 'add', '192.0.2.77/32', 'dev', 'lo']));
  try {
    for (const host of ['127.0.0.1', '127.0.0.2', '[::1]', '192.0.2.77'])
      assert.deepEqual(await ask(`${host}:8081`, 'who'), CLOSED, `${host}: a port that is not published`);
    for (const host of ['127.0.0.2', '[::1]', '192.0.2.77'])
      assert.deepEqual(await ask(`${host}:18104`, 'who'), CLOSED, `${host}: a place it is not published at`);
    assert.equal((await ask('127.0.0.1:18104', 'who')).error, null);
    // The guard is worth something: a listener on every address is reached at that address, and port 8081 from inside.
    await using _everywhere = await listenAt('0.0.0.0:18105');
    assert.equal((await ask('192.0.2.77:18105', 'who')).text, 'not an agent');
    const pid = await showProperty(unitOf(card.agent_id), 'MainPID');
    const inside = ['nsenter', `--net=/proc/${pid}/ns/net`, 'python3', '-c', ASK_8081];
    assert.equal((await succeed(runCommand(inside))).stdout, `${card.agent_id} 127.0.0.1\n`);
  } finally {
    await succeed(runCommand(['ip', 'address', 'del', '192.0.2.77/32', 'dev', 'lo']));
    await end(card, agent);
  }
});

test('100 MB come through unchanged in both directions', async () => {
  const length = 100_000_000;
  const card = serverCard([
    { port: 8080, listen: '127.0.0.1:18106' },
    { port: 8080, listen: '/run/published-2.sock' },
  ]);
  const agent = await serve(card);
  const body = sentBytes(length);
  const digest = createHash('sha256').update(body).digest('hex');
  assert.deepEqual(await download('127.0.0.1:18106', `send ${length}`), { digest, bytes: length });
  assert.deepEqual(await download('/run/published-2.sock', `send ${length}`), { digest, bytes: length });
  assert.equal(await upload('127.0.0.1:18106', body), digest);
  await end(card, agent);
});

test('a connection to a port that the agent does not listen on is closed, and served once it does', async () => {
  const card = serverCard([{ port: 8082, listen: '127.0.0.1:18107' }]);
  const [python = '', ...words] = agentProgram('serve.py', card.agent_id, '8082');
  const gate = 'mkfifo gate; echo waits; read -r line <gate; exec "$@"';
  const agent = startAgent({ ...card, command: ['bash', '-c', gate, 'late', python, ...words] });
  await agent.lineLike(/^waits$/);
  assert.deepEqual(await ask('127.0.0.1:18107', ''), { text: '', error: null });
  writeFileSync(join(card.workspace, 'gate'), 'go\n');
  await agent.lineLike(/^ready$/);
  assert.equal((await ask('127.0.0.1:18107', 'who')).text, `${card.agent_id} 127.0.0.1`);
  await end(card, agent);
});

test('ports of a declared agent are open while it runs, also after a restart and a reload of systemd', async () => {
  const place = '127.0.0.1:18108';
  const card = serverCard([{ port: 8080, listen: place }]);
  const unit = unitOf(card.agent_id);
  declared.add(card.agent_id);
  await declareCard(card);
  assert.deepEqual(await ask(place, 'who'), CLOSED, 'a card alone opens nothing');
  await succeed(systemctl('start', unit));
  assert.equal(await awaitAnswer(place), `${card.agent_id} 127.0.0.1`);
  await succeed(systemctl('restart', unit));
  await awaitAnswer(place);
  await succeed(systemctl('daemon-reload'));
  assert.equal((await ask(place, 'who')).error, null);
  await agentctl('restart', card.agent_id);
  await awaitAnswer(place);
  await succeed(systemctl('stop', unit));
  await awaitClosed(place);
});

for (const mode of ['isolated', 'none', 'veth']) {
  test(`ports of an agent with the network mode ${mode} that systemd starts again stay its own`, async () => {
    const place = '127.0.0.1:18109';
    const card = { ...serverCard([]), restart: 'always', network: { mode, publish: [{ port: 8080, listen: place }] } };
    await serveDeclared(card, place);
    const unit = unitOf(card.agent_id);
    await succeed(systemctl('kill', '--signal=KILL', unit));
    await awaitProperty(unit, 'SubState', 'auto-restart');
    await assert.rejects(listenAt(place), /EADDRINUSE/, 'nobody takes the place meanwhile');
    assert.equal(await awaitAnswer(place), `${card.agent_id} 127.0.0.1`);
    assert.equal(await showProperty(unit, 'NRestarts'), '1');
    await succeed(systemctl('stop', unit));
  });
}

test('a daemon that is killed or stopped takes no published port with it', async () => {
  const place = '127.0.0.1:18110';
  const card = serverCard([{ port: 8080, listen: place }]);
  const agent = await serve(card);
  const held = await hold(place);
  await killDaemon();
  assert.equal((await ask(place, 'who')).text, `${card.agent_id} 127.0.0.1`);
  await awaitDaemon();
  assert.equal((await ask(place, 'who')).text, `${card.agent_id} 127.0.0.1`);
  await stopDaemon();
  try {
    assert.equal((await ask(place, 'who')).text, `${card.agent_id} 127.0.0.1`);
    assert.equal(held.closed, false, 'a connection from before goes on');
  } finally {
    held.destroy();
    await startDaemon();
  }
  await agentctl('stop', card.agent_id);
  await agent.ended();
  assert.deepEqual(await ask(place, 'who'), CLOSED);
  assert.deepEqual(unitsOf(card), []);
});

test('what an agent ends without a daemon is cleared away by the next one', async () => {
  const place = '127.0.0.1:18111';
  const card = serverCard([{ port: 8080, listen: place }]);
  const agent = await serve(card);
  await stopDaemon();
  try {
    await succeed(systemctl('stop', unitOf(card.agent_id)));
    await awaitClosed(place);
  } finally {
    await startDaemon();
  }
  assert.deepEqual(unitsOf(card), []);
  await agent.ended();
});

for (const verb of ['daemon-reload', 'daemon-reexec']) {
  test(`a port of a spawned agent that nobody used yet is open after systemctl ${verb}`, async () => {
    const place = '127.0.0.1:18121';
    const card = serverCard([{ port: 8080, listen: place }]);
    const agent = await serve(card);
    await succeed(systemctl(verb));
    assert.equal((await ask(place, 'who')).text, `${card.agent_id} 127.0.0.1`);
    await end(card, agent);
    assert.deepEqual(await ask(place, 'who'), CLOSED);
  });
}

test('the end of an agent closes its connections, and its port can be taken at once', async () => {
  const place = '127.0.0.1:18112';
  for (let round = 0; round < 3; round += 1) {
    const card = serverCard([{ port: 8080, listen: place }]);
    const agent = await serve(card);
    const held = await hold(place);
    const closed = inTime(new Promise((resolve) => held.once('close', resolve)), 'the end of a connection');
    held.on('error', () => undefined).resume();
    assert.equal((await ask(place, 'who')).text, `${card.agent_id} 127.0.0.1`);
    await end(card, agent);
    await closed;
  }
  await using _other = await listenAt(place);
});

test('connections to an agent that ends do not start it again', async () => {
  const place = '127.0.0.1:18113';
  const card = { ...serverCard([{ port: 8080, listen: place }]), command: ['sleep', '1'], restart: 'no' };
  declared.add(card.agent_id);
  await declareCard(card);
  await succeed(systemctl('start', unitOf(card.agent_id)));
  await awaitClosed(place);
  assert.equal((await awaitEnd(card.agent_id)).state, 'ended');
  assert.equal(await showProperty(unitOf(card.agent_id), 'ActiveState'), 'inactive');
});

test('a place that another agent has is refused with the name of that agent', async () => {
  const first = serverCard([
    { port: 8080, listen: '127.0.0.1:18114' },
    { port: 8080, listen: '/run/published-3.sock' },
  ]);
  const agent = await serve(first);
  const told = await refusal(serverCard([{ port: 9000, listen: '127.0.0.1:18114' }]));
  assert.match(told, new RegExp(`127\\.0\\.0\\.1:18114 is a published port of the agent "${first.agent_id}"`));
  assert.match(
    await refusal(serverCard([{ port: 9000, listen: '/run/published-3.sock' }])),
    new RegExp(first.agent_id),
  );
  await end(first, agent);
  const card = serverCard([{ port: 8080, listen: '127.0.0.1:18115' }]);
  declared.add(card.agent_id);
  await declareCard(card);
  const declaredTold = await refusal(serverCard([{ port: 9000, listen: '127.0.0.1:18115' }]));
  assert.match(declaredTold, new RegExp(`published port of the agent "${card.agent_id}"`));
});

test('a place that another program has is refused, spawned and declared, and nothing of the agent runs', async () => {
  const place = '127.0.0.1:18116';
  const other = await listenAt(place);
  const card = serverCard([
    { port: 8080, listen: '127.0.0.1:18117' },
    { port: 8080, listen: place },
  ]);
  const named = /127\.0\.0\.1:18116 cannot be published: "node" of .*\.(scope|service) listens there/;
  assert.match(await refusal(card), named);
  assert.deepEqual(await ask('127.0.0.1:18117', 'who'), CLOSED, 'the other port is not open either');
  const twin = serverCard([{ port: 8080, listen: place }]);
  declared.add(twin.agent_id);
  await declareCard(twin);
  assert.notEqual((await systemctl('start', unitOf(twin.agent_id))).status, 0);
  const started = await runCommand(['agentctl', 'start', twin.agent_id]);
  assert.match(started.stderr, named);
  await other[Symbol.asyncDispose]();
  await agentctl('start', twin.agent_id);
  await awaitAnswer(place);
  await withdrawCard(twin.agent_id);
  const agent = await serve(card);
  await end(card, agent);
});

test('a published port of a running declared agent follows its card', async () => {
  const [old, next] = ['127.0.0.1:18118', '127.0.0.1:18119'];
  const card = serverCard([{ port: 8080, listen: old }]);
  await serveDeclared(card, old);
  const pid = await showProperty(unitOf(card.agent_id), 'MainPID');
  await declareCard({ ...card, network: { publish: [{ port: 8080, listen: next }] } });
  assert.equal(await awaitAnswer(next), `${card.agent_id} 127.0.0.1`);
  await awaitClosed(old);
  assert.equal(await showProperty(unitOf(card.agent_id), 'MainPID'), pid, 'it is the same run');
  await succeed(systemctl('stop', unitOf(card.agent_id)));
  await awaitClosed(next);
});

test('a2a_port is published on the same port of the loopback address, and every view shows it', async () => {
  const card = { ...serverCard([]), a2a_port: 8080 };
  const agent = await serve(card);
  assert.equal((await ask('127.0.0.1:8080', 'who')).text, `${card.agent_id} 127.0.0.1`);
  assert.deepEqual((await viewAgent(card.agent_id)).published, [{ port: 8080, listen: '127.0.0.1:8080' }]);
  assert.match((await agentctl('status', card.agent_id)).stdout, /Published\s+port 8080 at 127\.0\.0\.1:8080/);
  assert.match((await agentctl('inspect', card.agent_id)).stdout, /# Published ports\n\n8080 at 127\.0\.0\.1:8080/);
  await end(card, agent);
  const plan = await succeed(runCommand(['agent-spawn', '--dry-run', '-'], { stdin: JSON.stringify(card) }));
  assert.match(plan.stdout, /publish port 8080 at 127\.0\.0\.1:8080/);
});

test('the card of an A2A worker runs as users write it, with its port published', async () => {
  const text = readFileSync(join(CHECKOUT, 'test/cards/worker-a2a.json'), 'utf8');
  const card = serverCard([], JSON.parse(text));
  // Its proxy is nowhere near this host, and its workspace has to be the test's own.
  const own = { ...card, network: undefined, workspace: join(bench.directory, card.agent_id) };
  const agent = await serve(own);
  assert.equal((await ask('127.0.0.1:8080', 'who')).text, `${card.agent_id} 127.0.0.1`);
  await end(card, agent);
});

test('an address that other machines reach is refused until the host allows it', async () => {
  const card = serverCard([{ port: 8080, listen: '0.0.0.0:18120' }]);
  assert.match(await refusal(card), /0\.0\.0\.0:18120 can be reached from other machines.*\n.*publish_addresses/);
  const config = '/etc/agent-spawn/config.json';
  assert.equal(existsSync(config), false, 'the host of the test has no configuration of its own');
  await succeed(runCommand(['install', '-d', '/etc/agent-spawn']));
  writeFileSync(config, '{"publish_addresses":["loopback","any"]}');
  await stopDaemon();
  await startDaemon();
  try {
    const agent = await serve(card);
    assert.equal((await ask('127.0.0.1:18120', 'who')).text, `${card.agent_id} 127.0.0.1`);
    await end(card, agent);
  } finally {
    await succeed(runCommand(['rm', config]));
    await stopDaemon();
    await startDaemon();
  }
});

test('a Unix socket is made only where root alone can put anything, and replaces a dead socket and nothing else', async () => {
  const at = (listen: string): TestCard => serverCard([{ port: 8080, listen }]);
  assert.match(await refusal(at('/tmp/published.sock')), /others than root can change the directory \/tmp/);
  assert.match(await refusal(at('/run/none-such/published.sock')), /the directory \/run\/none-such does not exist/);
  assert.match(await refusal(at('/run/agent-spawn/published.sock')), /belongs to the system/);
  const file = '/run/published-4.sock';
  writeFileSync(file, 'kept');
  assert.match(await refusal(at(file)), /there is a file already/);
  await succeed(runCommand(['rm', file]));
  const other = await listenAt(file);
  assert.match(await refusal(at(file)), /listens there/);
  await other[Symbol.asyncDispose]();
  const stale = 'import socket; socket.socket(socket.AF_UNIX).bind("/run/published-4.sock")';
  await succeed(runCommand(['python3', '-c', stale]));
  const card = at(file);
  const agent = await serve(card);
  assert.equal((await ask(file, 'who')).text, `${card.agent_id} 127.0.0.1`);
  await agentctl('inspect', card.agent_id);
  await end(card, agent);
  assert.equal(existsSync(file), false);
});
