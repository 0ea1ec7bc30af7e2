import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { agentctl, awaitEnd, startAgent, succeed } from '../helpers/agents.ts';
import { agentProgram, inTime, type RunningCommand, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, killDaemon, startDaemon, stopDaemon } from '../helpers/daemon.ts';
import {
  awaitAnswer,
  awaitClosed,
  CLOSED,
  end,
  PublishBench,
  serve,
  systemctl,
  unitsOf,
} from '../helpers/publish-bench.ts';
import { ask, download, hold, listenAt, sentBytes, upload } from '../helpers/published.ts';
import { awaitProperty, showProperty, unitOf } from '../helpers/units.ts';

let bench: PublishBench;
before(async () => {
  bench = await PublishBench.open();
});
afterEach(() => bench.tidy());
after(() => bench.close());

/** Asks at port 8081 of the network it runs in. */
const ASK_8081 = `
import socket
connection = socket.create_connection(("127.0.0.1", 8081))
connection.sendall(b"who\\n")
print(connection.makefile().read())
`;

test('a published port is reached over IPv4, IPv6 and a Unix socket that is root alone', async () => {
  const places = ['127.0.0.1:18101', '[::1]:18101', '/run/published-1.sock'];
  const card = bench.card(places.map((listen) => ({ port: 8080, listen })));
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
  const cards = [18102, 18103].map((port) => bench.card([{ port: 8080, listen: `127.0.0.1:${port}` }]));
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
  const card = bench.card([{ port: 8080, listen: '127.0.0.1:18104' }]);
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
  const card = bench.card([
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
  const card = bench.card([{ port: 8082, listen: '127.0.0.1:18107' }]);
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
  const card = bench.card([{ port: 8080, listen: place }]);
  const unit = unitOf(card.agent_id);
  await bench.declare(card);
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
    const card = { ...bench.card([]), restart: 'always', network: { mode, publish: [{ port: 8080, listen: place }] } };
    await bench.serveDeclared(card, place);
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
  const card = bench.card([{ port: 8080, listen: place }]);
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
  const card = bench.card([{ port: 8080, listen: place }]);
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
    const card = bench.card([{ port: 8080, listen: place }]);
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
    const card = bench.card([{ port: 8080, listen: place }]);
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
  const card = { ...bench.card([{ port: 8080, listen: place }]), command: ['sleep', '1'], restart: 'no' };
  await bench.declare(card);
  await succeed(systemctl('start', unitOf(card.agent_id)));
  await awaitClosed(place);
  assert.equal((await awaitEnd(card.agent_id)).state, 'ended');
  assert.equal(await showProperty(unitOf(card.agent_id), 'ActiveState'), 'inactive');
});
