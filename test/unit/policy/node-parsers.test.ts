import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, METHODS, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { ChunkedReader } from '../../../src/policy/chunked-body.ts';
import { readClientHello } from '../../../src/policy/client-hello.ts';
import { renderRequestHead, requestFields } from '../../../src/policy/forward-head.ts';
import type { RequestHead } from '../../../src/policy/request-head.ts';
import { readIntent } from '../../../src/policy/request-intent.ts';
import { seededRandom } from '../card/random.ts';
import { readCorpus } from './corpus.ts';
import { changedRequests, renderAgain, understood } from './http-samples.ts';
import { mutateBinary, mutateHttp } from './wire-mutation.ts';

/** What a server understood of one connection: its requests, each as method, target, Host and body. */
type Seen = readonly (readonly [string, string, string, string])[];

/** Bodies of a few bytes are made for the heads that announce one; others would only take time. */
const BODY_BYTES_MAX = 2000;

let server: Server;
let seen: [string, string, string, string][] = [];

before(async () => {
  server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      note(request, Buffer.concat(pieces).toString('latin1'));
      response.end();
    });
  });
  for (const event of ['connect', 'upgrade'] as const)
    server.on(event, (request, socket) => {
      note(request, '');
      socket.on('error', () => undefined);
      socket.end();
    });
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

after(() => server.close());

function note({ method = '', url = '', headers }: IncomingMessage, body: string): void {
  seen.push([method, url, headers.host ?? '', body]);
}

/** What node's own server, which reads strictly by default, makes of the bytes of one connection. */
async function askNode(text: string): Promise<Seen> {
  seen = [];
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.end(Buffer.from(text, 'latin1'));
  socket.resume();
  await once(socket, 'close');
  return seen;
}

/** A body as a head announces it: on the wire, and its contents. */
function bodyFor({ body }: RequestHead): { readonly wire: string; readonly contents: string } {
  if (body.kind === 'chunked') return { wire: '3\r\na\rb\r\n0\r\n\r\n', contents: 'a\rb' };
  const contents = body.kind === 'length' ? 'x'.repeat(body.bytes) : '';
  return { wire: contents, contents };
}

test('the server of Node reads every accepted head as the one request that was judged', async () => {
  let compared = 0;
  for (const { bytes } of changedRequests(11, 1500)) {
    const accepted = understood(bytes);
    if (accepted === null || (accepted.head.body.kind === 'length' && accepted.head.body.bytes > BODY_BYTES_MAX))
      continue;
    const { head } = accepted;
    const { wire, contents } = bodyFor(head);
    const host = head.fields.find(({ name }) => name === 'host')?.value ?? '';
    const expected: Seen = METHODS.includes(head.method) ? [[head.method, head.target, host, contents]] : [];
    assert.deepEqual(await askNode(`${renderAgain(head)}${wire}`), expected, bytes.toString('latin1'));
    compared += 1;
  }
  assert.ok(compared > 300, `${compared} were compared`);
});

test('the server of Node reads every forwarded head as the one request that was judged', async () => {
  let compared = 0;
  for (const { bytes } of changedRequests(12, 1500)) {
    const accepted = understood(bytes);
    if (accepted === null || (accepted.head.body.kind === 'length' && accepted.head.body.bytes > BODY_BYTES_MAX))
      continue;
    const reading = readIntent(accepted.head, accepted.within);
    if (reading.kind !== 'intent' || reading.intent.form === 'tunnel') continue;
    const { method } = reading.intent;
    const text = renderRequestHead({ method, target: reading.target }, requestFields(accepted.head, reading));
    const { wire, contents } = bodyFor(accepted.head);
    const expected: Seen = METHODS.includes(method) ? [[method, reading.target, reading.host, contents]] : [];
    assert.deepEqual(await askNode(`${text}${wire}`), expected, text);
    compared += 1;
  }
  assert.ok(compared > 200, `${compared} were compared`);
});

test('the server of Node is asked for something else where a head is read loosely', async () => {
  const smuggled = 'GET /evil HTTP/1.1\r\nHost: b.example\r\n\r\n';
  const text = `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n${smuggled}`;
  assert.deepEqual(await askNode(text), [
    ['POST', '/', 'a.example', ''],
    ['GET', '/evil', 'b.example', ''],
  ]);
});

test('the server of Node reads the same contents out of every accepted chunked body', async () => {
  const random = seededRandom(13);
  const source = Buffer.from('5\r\nhello\r\n1f\r\n0123456789012345678901234567890\r\n0\r\nX-End: a\r\n\r\n');
  const head = 'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n';
  let compared = 0;
  for (let round = 0; round < 1500; round += 1) {
    const bytes = mutateHttp(random, source);
    const reading = new ChunkedReader().add(bytes);
    if (reading.kind !== 'data' || reading.rest === null) continue;
    const body = bytes.subarray(0, bytes.length - reading.rest.length).toString('latin1');
    const contents = Buffer.concat(reading.parts).toString('latin1');
    // Node looks into the trailer, which is dropped here: it may refuse what is in there.
    const answer = await askNode(`${head}${body}`);
    if (answer.length > 0) assert.deepEqual(answer, [['POST', '/', 'a.example', contents]], body);
    compared += answer.length;
  }
  assert.ok(compared > 50, `${compared} were compared`);
});

/** The server name that OpenSSL finds in a whole ClientHello; undefined when it answers without having found one. */
function askOpenSsl(hello: Buffer): Promise<string | undefined> {
  return new Promise((resolve) => {
    const finish = (name?: string): void => {
      resolve(name);
      socket.destroy();
    };
    const wire = new Duplex({ read: () => undefined, write: () => finish() });
    const socket = new TLSSocket(wire, { isServer: true, SNICallback: (name) => finish(name) });
    for (const event of ['error', '_tlsError', 'close']) socket.on(event, () => finish());
    // The last record may be longer than the hello in it; nobody waits for its end.
    wire.push(Buffer.concat([hello, Buffer.alloc(2 ** 15)]));
  });
}

test('OpenSSL finds no other name in an accepted ClientHello', async () => {
  const random = seededRandom(14);
  const sources = readCorpus('hellos');
  let compared = 0;
  for (let round = 0; round < 1000; round += 1) {
    const bytes = mutateBinary(random, sources[round % sources.length]?.bytes ?? Buffer.alloc(0));
    const reading = readClientHello(bytes);
    if (reading.kind !== 'hello') continue;
    const name = await askOpenSsl(bytes);
    if (name === undefined) continue;
    assert.equal(name.toLowerCase().replace(/\.$/, ''), reading.serverName, bytes.toString('hex'));
    compared += 1;
  }
  assert.ok(compared > 100, `${compared} were compared`);
});
