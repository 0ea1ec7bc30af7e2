import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { CLIENT_HELLO_BYTES_MAX } from '../../../src/base/limits.ts';
import { HelloReader, type HelloReading, readClientHello } from '../../../src/policy/client-hello.ts';
import { piecesOf, readCorpus, readPieces } from './corpus.ts';
import { type HelloParts, handshake, helloMessage, records, serverNames } from './hello-writer.ts';

const NAMED = serverNames([0, 'a.example']);
const PLAIN: HelloReading = { kind: 'hello', serverName: 'a.example', encryptedClientHello: false };
const MALFORMED: HelloReading = { kind: 'bad', detail: 'The ClientHello is malformed.' };

function readParts(parts: HelloParts): HelloReading {
  return readClientHello(records(helloMessage(parts)));
}

function readExtensions(...extensions: readonly (readonly [number, Uint8Array])[]): HelloReading {
  return readParts({ extensions });
}

/** What a reading is, with the sentence of a bad one. */
function verdict(reading: HelloReading): string {
  return reading.kind === 'bad' ? reading.detail : reading.kind;
}

/** The first thing that node's own TLS client sends. */
function nodeHello(options: ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => undefined, write: (piece: Buffer) => resolve(piece) });
    connect({ socket: wire, ...options }).on('error', () => undefined);
  });
}

test('what real clients send names its server, however it is cut into pieces', () => {
  const readings = readCorpus('hellos').map(({ name, bytes }) => {
    const whole = readClientHello(bytes);
    for (const size of [1, 3, 64]) assert.deepEqual(readPieces(new HelloReader(), piecesOf(bytes, size)), whole, name);
    return [name, whole];
  });
  const named = (serverName: string | null): HelloReading => ({
    kind: 'hello',
    serverName,
    encryptedClientHello: false,
  });
  assert.deepEqual(readings, [
    ['curl-old-tls', named('api.example.com')],
    ['curl-tls', named('api.example.com')],
    ['git-tls', named('git.example.com')],
    ['npm-tls', named('packages.example.com')],
    ['openssl-no-name', named(null)],
    ['openssl-tls1', named('api.example.com')],
    ['openssl', named('api.example.com')],
    ['pip-tls', named('packages.example.com')],
    ['python-tls', named('api.example.com')],
  ]);
});

test('what the TLS client of this Node sends is read', async () => {
  assert.deepEqual(readClientHello(await nodeHello({ servername: 'A.example' })), PLAIN);
  assert.deepEqual(readClientHello(await nodeHello({ servername: 'a.example', maxVersion: 'TLSv1.2' })), PLAIN);
  assert.deepEqual(readClientHello(await nodeHello({})), { ...PLAIN, serverName: null });
});

test('a hello is read across records of any size and version, also of one byte each (W32)', () => {
  const message = helloMessage({ extensions: [NAMED] });
  for (const size of [1, 2, 3, 4, 5, 40, message.length]) {
    const bytes = records(message, size);
    assert.deepEqual(readClientHello(bytes), PLAIN);
    assert.deepEqual(readPieces(new HelloReader(), piecesOf(bytes, 1)), PLAIN);
    assert.deepEqual(readClientHello(bytes.subarray(0, -1)), { kind: 'incomplete' });
  }
  for (const minor of [0, 1, 2, 3, 4]) assert.deepEqual(readClientHello(records(message, 50, { minor })), PLAIN);
  assert.equal(verdict(readClientHello(records(message, 50, { minor: 5 }))), 'The version of a TLS record is unknown.');
});

test('what follows the hello does not matter', () => {
  const message = helloMessage({ extensions: [NAMED] });
  assert.deepEqual(readClientHello(Buffer.concat([records(message), Buffer.from('anything')])), PLAIN);
  assert.deepEqual(readClientHello(records(Buffer.concat([message, Buffer.from('anything')]))), PLAIN);
});

test('a hello without extensions, or without a name among them, names no server (W32)', () => {
  assert.deepEqual(readParts({ extensions: null }), { ...PLAIN, serverName: null });
  assert.deepEqual(readExtensions(), { ...PLAIN, serverName: null });
  assert.deepEqual(readExtensions([16, Buffer.from('x')]), { ...PLAIN, serverName: null });
});

test('a hello that hides a name, or pretends to, is marked (W32)', () => {
  const hidden = { ...PLAIN, encryptedClientHello: true };
  assert.deepEqual(readExtensions(NAMED, [0xfe0d, Buffer.alloc(100)]), hidden);
  assert.deepEqual(readExtensions([0xfe0d, Buffer.alloc(0)], NAMED), hidden);
  assert.deepEqual(readExtensions(NAMED, [0xffce, Buffer.alloc(9)]), hidden);
});

test('a server has one name, and it is a plain host name', () => {
  const twice = 'The ClientHello names its server more than once or not as a host.';
  const odd = 'The ClientHello names a server that is not a plain host name.';
  const name = (text: string): HelloReading => readExtensions(serverNames([0, text]));
  assert.deepEqual(name('A.EXAMPLE'), PLAIN);
  assert.deepEqual(name('a.example.'), PLAIN);
  assert.equal(verdict(readExtensions(serverNames([0, 'a.example'], [0, 'b.example']))), twice);
  assert.equal(verdict(readExtensions(serverNames([0, 'a.example'], [1, 'b.example']))), twice);
  assert.equal(verdict(readExtensions(serverNames([1, 'a.example']))), twice);
  const names = [
    '',
    '.',
    'a..example',
    'a.example\0.b.example',
    'a.example\0',
    '1.2.3.4',
    '::1',
    '\xe4.example',
    '*.example',
  ];
  assert.deepEqual(
    [...names, 'a_b.example', 'a.example:443', 'a'.repeat(64), 'a.'.repeat(200)].map((text) => verdict(name(text))),
    [...names, '', '', '', ''].map(() => odd),
  );
  assert.deepEqual(readExtensions(serverNames()), MALFORMED);
  assert.deepEqual(readExtensions([0, Buffer.alloc(0)]), MALFORMED);
  assert.deepEqual(readExtensions([0, Buffer.concat([NAMED[1], Buffer.of(0)])]), MALFORMED);
  assert.deepEqual(readExtensions([0, NAMED[1].subarray(0, -1)]), MALFORMED);
});

test('an extension that comes twice makes a hello malformed', () => {
  assert.deepEqual(readExtensions(NAMED, serverNames([0, 'b.example'])), MALFORMED);
  assert.deepEqual(readExtensions(NAMED, [16, Buffer.alloc(0)], [16, Buffer.alloc(0)]), MALFORMED);
});

test('a message that does not add up is malformed', () => {
  const message = helloMessage({ extensions: [NAMED] });
  const body = message.subarray(4);
  const cases = [
    handshake(1, body.subarray(0, -1)),
    handshake(1, Buffer.concat([body, Buffer.of(0)])),
    handshake(1, body.subarray(0, 34)),
    handshake(1, Buffer.alloc(0)),
    helloMessage({ extensions: [NAMED], sessionId: Buffer.alloc(33) }),
    helloMessage({ extensions: [NAMED], suites: Buffer.alloc(3) }),
    helloMessage({ extensions: [NAMED], suites: Buffer.alloc(0) }),
    helloMessage({ extensions: [NAMED], compressions: Buffer.alloc(0) }),
  ];
  assert.deepEqual(
    cases.map((bytes) => readClientHello(records(bytes))),
    cases.map(() => MALFORMED),
  );
});

test('a hello and its records are bounded (W32)', () => {
  const padded = (length: number): Buffer => {
    const bare = helloMessage({ extensions: [NAMED, [21, Buffer.alloc(0)]] }).length - 4;
    return helloMessage({ extensions: [NAMED, [21, Buffer.alloc(length - bare)]] });
  };
  const large = `The ClientHello has more than ${CLIENT_HELLO_BYTES_MAX} bytes.`;
  assert.deepEqual(readClientHello(records(padded(CLIENT_HELLO_BYTES_MAX))), PLAIN);
  assert.equal(verdict(readClientHello(records(padded(CLIENT_HELLO_BYTES_MAX + 1)))), large);
  assert.equal(verdict(readClientHello(Buffer.of(22, 3, 1, 0, 4, 1, 0, 0x40, 1))), large);
  assert.equal(verdict(readClientHello(Buffer.of(22, 3, 1, 0, 0))), 'A TLS record has a length of 0 bytes.');
  assert.equal(verdict(readClientHello(Buffer.of(22, 3, 1, 0x40, 1))), 'A TLS record has a length of 16385 bytes.');
});

test('what is not TLS is told at its first byte, and what is no hello within TLS soon (W33)', () => {
  const others = [
    'SSH-2.0-OpenSSH_9.2\r\n',
    'GET / HTTP/1.1\r\n',
    '\0',
    '\x80\x2e\x01\x03\x01',
    '\x16\x02',
    '\x15\x03\x01\0\x02\x02\x28',
  ];
  assert.deepEqual(
    others.map((text) => verdict(readClientHello(Buffer.from(text, 'latin1')))),
    others.map(() => 'not-tls'),
  );
  assert.equal(
    verdict(readClientHello(records(handshake(2, Buffer.alloc(40))))),
    'The TLS handshake does not start with a ClientHello.',
  );
  const message = helloMessage({ extensions: [NAMED] });
  const interrupted = Buffer.concat([
    records(message.subarray(0, 20)),
    records(Buffer.of(1), 1, { type: 20 }),
    records(message.subarray(20)),
  ]);
  assert.equal(verdict(readClientHello(interrupted)), 'Another record stands inside the ClientHello.');
  assert.deepEqual(readClientHello(Buffer.alloc(0)), { kind: 'incomplete' });
});
