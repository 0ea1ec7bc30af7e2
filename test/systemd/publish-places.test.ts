import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { agentctl, succeed, type TestCard, viewAgent } from '../helpers/agents.ts';
import { CHECKOUT } from '../helpers/checkout.ts';
import { runCommand } from '../helpers/commands.ts';
import { startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import {
  awaitAnswer,
  awaitClosed,
  CLOSED,
  end,
  PublishBench,
  refusal,
  serve,
  systemctl,
} from '../helpers/publish-bench.ts';
import { ask, listenAt } from '../helpers/published.ts';
import { showProperty, unitOf } from '../helpers/units.ts';

let bench: PublishBench;
before(async () => {
  bench = await PublishBench.open();
});
afterEach(() => bench.tidy());
after(() => bench.close());

test('a place that another agent has is refused with the name of that agent', async () => {
  const first = bench.card([
    { port: 8080, listen: '127.0.0.1:18114' },
    { port: 8080, listen: '/run/published-3.sock' },
  ]);
  const agent = await serve(first);
  const told = await refusal(bench.card([{ port: 9000, listen: '127.0.0.1:18114' }]));
  assert.match(told, new RegExp(`127\\.0\\.0\\.1:18114 is a published port of the agent "${first.agent_id}"`));
  assert.match(
    await refusal(bench.card([{ port: 9000, listen: '/run/published-3.sock' }])),
    new RegExp(first.agent_id),
  );
  await end(first, agent);
  const card = bench.card([{ port: 8080, listen: '127.0.0.1:18115' }]);
  await bench.declare(card);
  const declaredTold = await refusal(bench.card([{ port: 9000, listen: '127.0.0.1:18115' }]));
  assert.match(declaredTold, new RegExp(`published port of the agent "${card.agent_id}"`));
});

test('a place that another program has is refused, spawned and declared, and nothing of the agent runs', async () => {
  const place = '127.0.0.1:18116';
  const other = await listenAt(place);
  const card = bench.card([
    { port: 8080, listen: '127.0.0.1:18117' },
    { port: 8080, listen: place },
  ]);
  const named = /127\.0\.0\.1:18116 cannot be published: "node" of .*\.(scope|service) listens there/;
  assert.match(await refusal(card), named);
  assert.deepEqual(await ask('127.0.0.1:18117', 'who'), CLOSED, 'the other port is not open either');
  const twin = bench.card([{ port: 8080, listen: place }]);
  await bench.declare(twin);
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

test('a place that a socket of systemd has is refused with the name of that unit', async () => {
  const listen = '127.0.0.1:18122';
  const other = ['systemd-run', '--unit=taken', `--socket-property=ListenStream=${listen}`, '/bin/true'];
  await succeed(runCommand(other));
  const told = await refusal(bench.card([{ port: 8080, listen }]));
  await succeed(systemctl('stop', 'taken.socket'));
  assert.match(told, /127\.0\.0\.1:18122 cannot be published: taken\.socket listens there/);
});

test('a published port of a running declared agent follows its card', async () => {
  const [old, next] = ['127.0.0.1:18118', '127.0.0.1:18119'];
  const card = bench.card([{ port: 8080, listen: old }]);
  await bench.serveDeclared(card, old);
  const pid = await showProperty(unitOf(card.agent_id), 'MainPID');
  await declareCard({ ...card, network: { publish: [{ port: 8080, listen: next }] } });
  assert.equal(await awaitAnswer(next), `${card.agent_id} 127.0.0.1`);
  await awaitClosed(old);
  assert.equal(await showProperty(unitOf(card.agent_id), 'MainPID'), pid, 'it is the same run');
  await succeed(systemctl('stop', unitOf(card.agent_id)));
  await awaitClosed(next);
});

test('a2a_port is published on the same port of the loopback address, and every view shows it', async () => {
  const card = { ...bench.card([]), a2a_port: 8080 };
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
  const card = bench.card([], JSON.parse(text));
  // Its proxy is nowhere near this host, and its workspace has to be the test's own.
  const own = { ...card, network: undefined, workspace: join(bench.bench.directory, card.agent_id) };
  const agent = await serve(own);
  assert.equal((await ask('127.0.0.1:8080', 'who')).text, `${card.agent_id} 127.0.0.1`);
  await end(card, agent);
});

test('an address that other machines reach is refused until the host allows it', async () => {
  const card = bench.card([{ port: 8080, listen: '0.0.0.0:18120' }]);
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
  const at = (listen: string): TestCard => bench.card([{ port: 8080, listen }]);
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
