import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { SpawnError } from '../../../src/base/errors.ts';
import { REQUEST_BYTES_MAX } from '../../../src/base/limits.ts';
import type { AgentEvent } from '../../../src/client/api.gen.ts';
import { ApiClient } from '../../../src/client/api-client.ts';
import { refusalError } from '../../../src/client/refusal.ts';
import { unavailable } from '../../../src/client/unavailable.ts';
import { startFakeDaemon } from '../api/fake-daemon.ts';
import { launchRequest } from '../api/http.ts';

test('every operation of the client reaches the daemon and brings its answer back', async (t) => {
  const daemon = await startFakeDaemon(t);
  const client = new ApiClient(daemon.socketPath);
  assert.deepEqual(await client.version(), { version: '1.2.3' });
  assert.equal((await client.plan(launchRequest({ agent_id: 'demo' }))).id, 'demo');
  assert.equal((await client.launch(launchRequest({ agent_id: 'demo', script: 'exec sleep 1000' }))).id, 'demo');
  assert.deepEqual(
    (await client.list({ ended: false })).map(({ id }) => id),
    ['demo'],
  );
  assert.equal((await client.get('demo')).state, 'running');
  assert.deepEqual((await client.inspect('demo')).card, { agent_id: 'demo' });
  await client.start('demo');
  await client.restart('demo');
  await client.copyOutput('demo', Buffer.from('a line\n'), 'stdout');
  await client.copyOutput('demo', Buffer.alloc(0), 'stderr');
  const waited = client.wait('demo');
  assert.equal((await client.stop('demo')).outcome?.kind, 'stopped');
  assert.equal((await waited).state, 'ended');
  assert.deepEqual((await client.list({ ended: false })).length, 0);
  assert.deepEqual((await client.list({ ended: true })).length, 1);
  await client.remove('demo');
  const calls = ['start demo', 'restart demo', 'stop demo', 'remove demo'];
  assert.deepEqual(daemon.operations.calls.slice(1), calls);
  assert.deepEqual(daemon.operations.copied, { stdout: 'a line\n', stderr: '|' });
});

test('a refusal of the daemon arrives as the error it was there', async (t) => {
  const daemon = await startFakeDaemon(t);
  const problems = [{ code: 'card.out-of-range', pointer: '/x', message: 'Too many.', suggestion: 'Write 1.' }];
  const card = {
    agent_id: 'demo',
    error: ['card.out-of-range', 'card.json: Too many.', { remedy: 'Read.', problems }],
  };
  const error = await failure(new ApiClient(daemon.socketPath).launch(launchRequest(card)));
  assert.deepEqual(
    { code: error.code, message: error.message, remedy: error.remedy, problems: error.problems },
    { code: 'card.out-of-range', message: 'card.json: Too many.', remedy: 'Read.', problems },
  );
});

test('a code that this version does not know becomes an internal error', () => {
  const document = { type: '', title: '', status: 418, code: 'pot.tea', detail: 'I am a teapot.', problems: [] };
  assert.equal(refusalError(document).code, 'control.internal');
  assert.equal(refusalError({ ...document, code: 'toString' }).code, 'control.internal');
});

test('a daemon that is not installed, does not listen or may not be asked is told apart, each with its remedy', async (t) => {
  const directory = temporary(t);
  const absent = await failure(new ApiClient(join(directory, 'absent.sock')).version());
  assert.match(`${absent.message} ${absent.remedy}`, /no such socket.*npm run -s install-system.*npm start/);
  const path = join(directory, 'left-over.sock');
  writeFileSync(path, '');
  const deaf = await failure(new ApiClient(path).version());
  assert.match(`${deaf.message} ${deaf.remedy}`, /nobody listens there.*systemctl status agent-spawnd/);
  // Root may connect anywhere, so that this one is only described.
  const denied = unavailable(Object.assign(new Error('denied'), { code: 'EACCES' }), path);
  assert.match(`${denied.message} ${denied.remedy}`, /may be called by root only.*sudo/);
  assert.deepEqual(
    [absent, deaf, denied].map(({ code }) => code),
    ['control.unavailable', 'control.unavailable', 'control.forbidden'],
  );
});

test('something else that listens at the socket is not taken for the daemon', async (t) => {
  const path = await listen(t, 'SSH-2.0-OpenSSH_9.2\r\n');
  assert.equal((await failure(new ApiClient(path).version())).code, 'control.internal');
});

test('a daemon that goes away before its answer is complete is unavailable', async (t) => {
  const path = await listen(t, 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{');
  const error = await failure(new ApiClient(path).version());
  assert.equal(error.code, 'control.unavailable');
  assert.match(error.message, /closed the connection/);
});

test('events that stop before the last one are told from an end', async (t) => {
  const event = `${JSON.stringify({ event: 'started', agent: { id: 'demo' } })}\n`;
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n';
  const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
  for (const end of ['', '0\r\n\r\n']) {
    const path = await listen(t, `${head}${chunk}${end}`);
    const seen: AgentEvent[] = [];
    const read = async (): Promise<void> => {
      for await (const next of await new ApiClient(path).hold('demo')) seen.push(next);
    };
    assert.equal((await failure(read())).code, 'control.unavailable', JSON.stringify(end));
    assert.equal(seen.length, 1);
  }
});

test('a request that the daemon would not read is not sent', async (t) => {
  const daemon = await startFakeDaemon(t);
  const request = { ...launchRequest({ agent_id: 'demo' }), arguments: ['x'.repeat(REQUEST_BYTES_MAX)] };
  assert.equal((await failure(new ApiClient(daemon.socketPath).launch(request))).code, 'control.too-large');
  assert.deepEqual(daemon.operations.calls, []);
});

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-client-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A server that says the same to everyone and hangs up. */
async function listen(t: TestContext, text: string): Promise<string> {
  const path = join(temporary(t), 'api.sock');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(text));
  });
  server.listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  return path;
}

async function failure(promise: Promise<unknown>): Promise<SpawnError> {
  const error = await promise.then(
    () => assert.fail('it did not fail'),
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof SpawnError, String(error));
  return error;
}
