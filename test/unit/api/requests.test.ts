import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { API_HEADER_BYTES_MAX, API_HEADER_TIMEOUT_MS, REQUEST_BYTES_MAX } from '../../../src/base/limits.ts';
import { assertFollows } from './description.ts';
import { startFakeDaemon } from './fake-daemon.ts';
import { type HttpAnswer, type HttpQuestion, http, launchQuestion, launchRequest } from './http.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** Requests that are refused, with status and code. */
const REFUSED: readonly (readonly [name: string, status: number, code: string, question: HttpQuestion])[] = [
  ['an unknown path', 404, 'control.no-such-path', { target: '/v2/agents' }],
  ['a path with a slash too many', 404, 'control.no-such-path', { target: '/v1/agents/' + 'demo/' }],
  ['an escaped path', 404, 'control.no-such-path', { target: '/v1/%61gents' }],
  ['an unknown method', 405, 'control.no-such-method', { method: 'PUT', target: '/v1/agents' }],
  ['a method of another path', 405, 'control.no-such-method', { method: 'DELETE', target: '/v1/agents' }],
  ['an id that is none', 400, 'control.bad-request', { target: '/v1/agents/Demo' }],
  ['an id that climbs', 400, 'control.bad-request', { target: '/v1/agents/..' }],
  ['an escaped id', 400, 'control.bad-request', { target: '/v1/agents/dem%6f' }],
  ['an unknown query key', 400, 'control.bad-request', { target: '/v1/agents?al=true' }],
  ['an unknown query value', 400, 'control.bad-request', { target: '/v1/agents?ended=yes' }],
  ['a query key twice', 400, 'control.bad-request', { target: '/v1/agents?ended=true&ended=true' }],
  ['a query key of every object', 400, 'control.bad-request', { target: '/v1/agents?__proto__=1' }],
  ['a query where none belongs', 400, 'control.bad-request', { target: '/v1/version?x=1' }],
  [
    'a query key that is missing',
    400,
    'control.bad-request',
    { method: 'POST', target: '/v1/agents/demo/output', headers: { 'content-type': 'application/octet-stream' } },
  ],
  [
    'a body where none belongs',
    400,
    'control.bad-request',
    { method: 'POST', target: '/v1/agents/demo/stop', headers: JSON_TYPE, body: '{}' },
  ],
  ['a body without type', 415, 'control.wrong-media-type', { ...launchQuestion({}), headers: {} }],
  ['a form', 415, 'control.wrong-media-type', { ...launchQuestion({}), headers: { 'content-type': 'text/plain' } }],
  ['a body that is no JSON', 400, 'control.bad-request', { ...launchQuestion({}), body: '{"card":' }],
  ['a body that is not UTF-8', 400, 'control.bad-request', { ...launchQuestion({}), body: Buffer.from([34, 255, 34]) }],
  ['an empty body', 400, 'control.bad-request', { ...launchQuestion({}), body: '' }],
  ['a body that is a list', 400, 'control.bad-request', { ...launchQuestion({}), body: '[]' }],
];

for (const [name, status, code, question] of REFUSED) {
  test(`${name} is refused with ${status}`, async (t) => {
    const daemon = await startFakeDaemon(t);
    assertRefused(await http(daemon.socketPath, question), status, code);
    assert.deepEqual(daemon.operations.calls, []);
    assert.deepEqual(daemon.errors, []);
  });
}

test('a method that a path does not take is answered with those it does', async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  const allow = async (target: string): Promise<unknown> =>
    (await http(socketPath, { method: 'PATCH', target })).headers['allow'];
  assert.equal(await allow('/v1/agents'), 'GET, HEAD, POST');
  assert.equal(await allow('/v1/agents/demo'), 'GET, HEAD, DELETE');
  assert.equal(await allow('/v1/plans'), 'POST');
});

test('HEAD is answered like GET, without the body', async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  const get = await http(socketPath, { target: '/v1/version' });
  const head = await http(socketPath, { method: 'HEAD', target: '/v1/version' });
  assert.deepEqual([head.status, head.text], [200, '']);
  assert.equal(head.headers['content-length'], get.headers['content-length']);
});

test('every deviation of a launch from the description is named with its pointer', async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  const body = {
    card: { text: 1, format: 'yaml', path: '/etc/shadow' },
    arguments: ['a', 2],
    attach: '../../../etc',
    'a/b': true,
  };
  const answer = await http(socketPath, { ...launchQuestion({}), body: JSON.stringify(body) });
  const problems = JSON.parse(answer.text).problems as readonly { pointer: string; message: string }[];
  assert.deepEqual(problems.map(({ pointer, message }) => `${pointer}: ${message}`).sort(), [
    '/arguments/1: Must be string.',
    '/attach: Must match pattern "^[0-9a-f]{32}$".',
    '/a~1b: Is not a key the API knows.',
    '/card/format: Must be equal to one of the allowed values: json, toml.',
    '/card/path: Is not a key the API knows.',
    '/card/text: Must be string.',
    "/card: Must have required property 'source'.",
  ]);
});

test('keys that every object has are refused in a launch like other unknown ones', async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  const body = JSON.stringify(launchRequest({ agent_id: 'demo' })).replace(
    '{',
    '{"__proto__":{"x":1},"constructor":1,',
  );
  const answer = await http(socketPath, { ...launchQuestion({}), body });
  const pointers = JSON.parse(answer.text).problems.map((problem: { pointer: string }) => problem.pointer);
  assert.deepEqual(pointers.sort(), ['/__proto__', '/constructor']);
});

test('a body of the largest size is read, one byte more is refused before it arrived', async (t) => {
  const { socketPath, operations } = await startFakeDaemon(t);
  const frame = JSON.stringify(launchRequest({ agent_id: 'demo', x: '' })).length;
  const largest = launchQuestion({ agent_id: 'demo', x: 'x'.repeat(REQUEST_BYTES_MAX - frame) });
  assert.equal(largest.body?.length, REQUEST_BYTES_MAX);
  assert.equal((await http(socketPath, largest)).status, 201);
  assert.equal(operations.calls.length, 1);
  const head = `POST /v1/agents HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${REQUEST_BYTES_MAX + 1}`;
  assert.match(await exchange(socketPath, `${head}\r\n\r\n{`), /^HTTP\/1\.1 413 .*"code":"control.too-large"/s);
});

test('a body without a length is refused as soon as it is too large', async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  const headers = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
  const answer = await http(socketPath, { ...launchQuestion({}), headers, body: ' '.repeat(REQUEST_BYTES_MAX + 1) });
  assertRefused(answer, 413, 'control.too-large');
});

test('bytes that are no HTTP are answered with a problem document', async (t) => {
  const daemon = await startFakeDaemon(t);
  const answer = await exchange(daemon.socketPath, 'not http\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assertFollows('ProblemDocument', JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))));
  assert.deepEqual(daemon.errors, []);
});

test('a header that is too large is refused', async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  const answer = await exchange(
    socketPath,
    `GET /v1/version HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(API_HEADER_BYTES_MAX)}\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 400 /);
});

test('a caller who does not finish its header is let go', { timeout: 4 * API_HEADER_TIMEOUT_MS }, async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  // The end of the connection is what the test waits for; the daemon brings it about.
  assert.match(await exchange(socketPath, 'GET /v1/version HTTP/1.1\r\n'), /^(HTTP\/1\.1 400 |$)/);
});

test('several requests share a connection', async (t) => {
  const { socketPath } = await startFakeDaemon(t);
  const request = 'GET /v1/version HTTP/1.1\r\nhost: x\r\n\r\n';
  const answer = await exchange(socketPath, `${request}${request.replace('host', 'connection: close\r\nhost')}`);
  assert.equal(answer.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, 2);
});

test('a caller whose uid cannot be told is let go', async (t) => {
  const daemon = await startFakeDaemon(t);
  const failure = new Error('no such socket option');
  daemon.peerUid = () => {
    throw failure;
  };
  assert.equal(await exchange(daemon.socketPath, 'GET /v1/version HTTP/1.1\r\nhost: x\r\n\r\n'), '');
  assert.deepEqual(daemon.errors, [failure]);
});

function assertRefused(answer: HttpAnswer, status: number, code: string): void {
  assert.deepEqual(
    [answer.status, answer.mediaType, JSON.parse(answer.text).code],
    [status, 'application/problem+json', code],
  );
  assertFollows('ProblemDocument', JSON.parse(answer.text));
}

/** Sends bytes and reads until the other end closes. */
async function exchange(socketPath: string, bytes: string): Promise<string> {
  const socket = connect(socketPath);
  let text = '';
  socket.on('data', (piece: Buffer) => (text += piece.toString()));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}
