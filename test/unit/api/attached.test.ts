import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import test, { type TestContext } from 'node:test';
import { assertDescribed } from './description.ts';
import { type FakeDaemon, startFakeDaemon } from './fake-daemon.ts';
import { closedGate } from './gate.ts';
import { http, launchQuestion, launchRequest } from './http.ts';

const TOKEN = '0123456789abcdef'.repeat(2);

test('an attached launch streams the start and the end of the agent', async (t) => {
  const daemon = await attachable(t);
  const answer = await http(daemon.socketPath, launchQuestion({ agent_id: 'demo', script: 'exit 3' }, TOKEN));
  assert.equal(answer.status, 200);
  assertDescribed('POST', '/v1/agents', answer);
  const [started, ended] = answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(started.event, 'started');
  assert.equal(ended.event, 'ended');
  assert.deepEqual([ended.agent.outcome.kind, ended.agent.outcome.status], ['exited', 3]);
  assert.deepEqual(daemon.operations.calls.slice(1), []);
});

test('an attached launch that is refused is refused like any other', async (t) => {
  const daemon = await attachable(t);
  const answer = await http(
    daemon.socketPath,
    launchQuestion({ agent_id: 'demo', error: ['sandbox.exists', 'no'] }, TOKEN),
  );
  assert.deepEqual([answer.status, answer.mediaType], [409, 'application/problem+json']);
});

test('an agent whose caller closes the connection is stopped', async (t) => {
  const daemon = await attachable(t);
  const { asked, answer } = await launchAttached(daemon, 'sleep 1000');
  await once(answer, 'data');
  asked.destroy();
  await endOf(daemon, 'demo');
  assert.deepEqual(daemon.operations.calls.slice(1), ['stop demo']);
});

test('an agent whose caller leaves while it is being started is stopped as soon as it runs', async (t) => {
  const daemon = await attachable(t);
  const { operations } = daemon;
  const gate = closedGate();
  operations.launchGate = gate.opened;
  const asked = post(daemon, 'sleep 1000');
  asked.on('error', () => undefined);
  await operations.whenCalled(1);
  asked.destroy();
  await new Promise((resolve) => asked.once('close', resolve));
  gate.open();
  await operations.whenCalled(2);
  assert.deepEqual(operations.calls.slice(1), ['stop demo']);
  await endOf(daemon, 'demo');
});

test('an agent goes on when the daemon ends, and can be held again', async (t) => {
  const daemon = await attachable(t);
  const { answer } = await launchAttached(daemon, 'sleep 1000');
  const cut = new Promise<NodeJS.ErrnoException>((resolve) => answer.once('error', resolve));
  await once(answer, 'data');
  await daemon.restart();
  assert.equal((await cut).code, 'ECONNRESET');
  assert.deepEqual(daemon.operations.calls.slice(1), []);
  const held = http(daemon.socketPath, { method: 'POST', target: '/v1/agents/demo/hold' });
  await http(daemon.socketPath, { method: 'POST', target: '/v1/agents/demo/stop' });
  const events = (await held).text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assertDescribed('POST', '/v1/agents/{id}/hold', await held);
  assert.deepEqual(
    events.map(({ event, agent }) => [event, agent.outcome?.kind ?? null]),
    [
      ['started', null],
      ['ended', 'stopped'],
    ],
  );
});

test('a wait ends with a reason when the daemon does', async (t) => {
  const daemon = await attachable(t);
  await http(daemon.socketPath, launchQuestion({ agent_id: 'demo', script: 'sleep 1000' }));
  const { operations } = daemon;
  const wait = operations.wait.bind(operations);
  const waiting = closedGate();
  operations.wait = (id, signal) => {
    waiting.open();
    return wait(id, signal);
  };
  const answer = http(daemon.socketPath, { target: '/v1/agents/demo/wait' });
  await waiting.opened;
  await daemon.server[Symbol.asyncDispose]();
  assert.deepEqual([(await answer).status, JSON.parse((await answer).text).code], [503, 'control.unavailable']);
});

test('a wait that nobody waits for any more is given up', async (t) => {
  const daemon = await attachable(t);
  const aborted = new Promise<void>((resolve) => {
    daemon.operations.wait = async (_, signal) => {
      await once(signal, 'abort');
      resolve();
      throw new Error('nobody hears this');
    };
  });
  const asked = request({ socketPath: daemon.socketPath, path: '/v1/agents/demo/wait', agent: false });
  asked.on('error', () => undefined);
  asked.end();
  await once(asked, 'socket');
  await once(asked, 'finish');
  // The daemon has read the request once it answers another that came later.
  await http(daemon.socketPath, { target: '/v1/version' });
  asked.destroy();
  await aborted;
});

test('a failure while an agent is followed is told in its stream', async (t) => {
  const daemon = await attachable(t);
  daemon.operations.wait = () => Promise.reject(new TypeError('bug'));
  const answer = await http(daemon.socketPath, launchQuestion({ agent_id: 'demo', script: 'sleep 1000' }, TOKEN));
  assertDescribed('POST', '/v1/agents', answer);
  const events = answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([events[1].event, events[1].problem.code], ['failed', 'control.internal']);
  assert.equal(daemon.errors.length, 1);
  assert.deepEqual(daemon.operations.calls.slice(1), []);
});

/** A daemon with a directory of sockets that an attached agent can be connected to. */
async function attachable(t: TestContext): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(t);
  const directory = `${daemon.directory}/attach/${TOKEN}`;
  mkdirSync(directory);
  for (const name of ['stdin', 'stdout', 'stderr']) {
    const server = createServer((socket) => socket.resume().on('error', () => undefined));
    server.listen(`${directory}/${name}.sock`);
    await once(server, 'listening');
    t.after(() => server.close());
  }
  return daemon;
}

function post(daemon: FakeDaemon, script: string): ClientRequest {
  const headers = { 'content-type': 'application/json' };
  const asked = request({ socketPath: daemon.socketPath, method: 'POST', path: '/v1/agents', headers, agent: false });
  asked.end(JSON.stringify(launchRequest({ agent_id: 'demo', script }, TOKEN)));
  return asked;
}

async function launchAttached(
  daemon: FakeDaemon,
  script: string,
): Promise<{ asked: ClientRequest; answer: IncomingMessage }> {
  const asked = post(daemon, script);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return { asked, answer };
}

async function endOf(daemon: FakeDaemon, id: string): Promise<void> {
  await daemon.operations.agents.get(id)?.ended;
  assert.equal(daemon.operations.agents.get(id)?.view.state, 'ended');
}
