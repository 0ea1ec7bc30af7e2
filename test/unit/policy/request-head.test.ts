import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  REQUEST_FIELDS_MAX,
  REQUEST_HEAD_BYTES_MAX,
  REQUEST_METHOD_BYTES_MAX,
  REQUEST_TARGET_BYTES_MAX,
} from '../../../src/base/limits.ts';
import { HeadReader, type HeadReading, type RequestHead, readRequestHead } from '../../../src/policy/request-head.ts';
import { piecesOf, readCorpus, readPieces } from './corpus.ts';

function read(text: string): HeadReading {
  return readRequestHead(Buffer.from(text, 'latin1'));
}

/** A head of a POST with these lines besides Host. */
function post(...lines: readonly string[]): string {
  return ['POST http://a.example/ HTTP/1.1', 'Host: a.example', ...lines, '', ''].join('\r\n');
}

function headOf(text: string): RequestHead {
  const reading = read(text);
  assert.ok(reading.kind === 'head', JSON.stringify(reading));
  return reading.head;
}

/** What is said of each of some texts. */
function verdicts(texts: readonly string[]): readonly string[] {
  return texts.map((text) => {
    const reading = read(text);
    return reading.kind === 'bad' ? `${reading.reason}: ${reading.detail}` : reading.kind;
  });
}

/** Texts that are refused as badly formed, each with its sentence. */
function expectBad(cases: readonly (readonly [string, string])[]): void {
  assert.deepEqual(
    verdicts(cases.map(([text]) => text)),
    cases.map(([, detail]) => `egress.bad-request: ${detail}`),
  );
}

test('a head is read whole, and what follows it is left alone', () => {
  const text =
    'POST http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nX-Odd:\t a  b \r\nX-Empty:\r\nContent-Length: 3\r\n\r\n';
  const reader = new HeadReader();
  const reading = reader.add(Buffer.from(`${text}a\n\0GET`, 'latin1'));
  assert.deepEqual(reading, {
    kind: 'head',
    length: text.length,
    head: {
      method: 'POST',
      target: 'http://a.example/x?y',
      version: '1.1',
      fields: [
        { name: 'host', value: 'a.example' },
        { name: 'x-odd', value: 'a  b' },
        { name: 'x-empty', value: '' },
        { name: 'content-length', value: '3' },
      ],
      body: { kind: 'length', bytes: 3 },
      connection: [],
      keepAlive: true,
      upgrade: null,
      expectContinue: false,
    },
  });
  assert.equal(Buffer.from(reader.rest()).toString('latin1'), 'a\n\0GET');
});

test('what real clients send to a proxy is read, however it is cut into pieces', () => {
  const samples = readCorpus('heads');
  assert.ok(samples.length >= 10);
  for (const { name, bytes } of samples) {
    const whole = readRequestHead(bytes);
    assert.equal(whole.kind, 'head', name);
    for (const size of [1, 2, 7, 64])
      assert.deepEqual(readPieces(new HeadReader(), piecesOf(bytes, size)), whole, name);
    assert.deepEqual(readRequestHead(bytes.subarray(0, -1)), { kind: 'incomplete' });
  }
});

test('lines end in CR LF and are not continued (W38)', () => {
  expectBad([
    ['\r\nGET http://a.example/ HTTP/1.1\r\n', 'The request starts with an empty line.'],
    ['\nGET', 'A line feed stands alone; lines end in CR LF.'],
    ['GET http://a.example/ HTTP/1.1\nHost: a.example\n\n', 'A line feed stands alone; lines end in CR LF.'],
    ['GET http://a.example/ HTTP/1.1\r\nHost: a.example\n\r\n', 'A line feed stands alone; lines end in CR LF.'],
    ['GET http://a.example/ HTTP/1.1\rHost: a.example\r\n\r\n', 'A carriage return stands alone; lines end in CR LF.'],
    [post('X: a\r'), 'A carriage return stands alone; lines end in CR LF.'],
    [post('X: a', ' b'), 'A field is continued on a second line.'],
    [post('X: a', '\tb'), 'A field is continued on a second line.'],
    [post('X: a\0b'), 'The head holds a control character.'],
    [post('X: a\x7fb'), 'The head holds a control character.'],
    [post('X: a\x0bb'), 'The head holds a control character.'],
    ['\x16\x03\x01\x02\x00\x01', 'The head holds a control character.'],
  ]);
});

test('the first line is a method, a target and a version', () => {
  const shape = 'The first line is not a method, a target and a version with one space between them.';
  const first = (line: string): string => `${line}\r\nHost: a.example\r\n\r\n`;
  expectBad([
    [first('GET http://a.example/'), shape],
    [first('GET  http://a.example/ HTTP/1.1'), shape],
    [first('GET http://a.example/ x HTTP/1.1'), shape],
    [first('GET http://a.example/ HTTP/1.1 '), shape],
    [first('GET'), shape],
    [first(' GET http://a.example/ HTTP/1.1'), shape],
    [first('GET\thttp://a.example/ HTTP/1.1'), shape],
    [first('G(T http://a.example/ HTTP/1.1'), 'The method "G(T" is not a token.'],
    [first('GET http://a.example/ HTTP/0.9'), 'The version is "HTTP/0.9"; it must be HTTP/1.1 or HTTP/1.0.'],
    [first('GET http://a.example/ HTTP/1.2'), 'The version is "HTTP/1.2"; it must be HTTP/1.1 or HTTP/1.0.'],
    [first('GET http://a.example/ http/1.1'), 'The version is "http/1.1"; it must be HTTP/1.1 or HTTP/1.0.'],
    [first('GET http://a.example/ HTTP/1.10'), 'The version is "HTTP/1.10"; it must be HTTP/1.1 or HTTP/1.0.'],
    [first('GET http://ä.example/ HTTP/1.1'), 'The target holds characters that are not visible ASCII.'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'HTTP/2 without TLS is not spoken here; use HTTP/1.1.'],
  ]);
});

test('a field is a token, a colon and a value', () => {
  expectBad([
    [post('X'), 'A line of the head has no colon.'],
    [post('X : a'), 'White space stands before the colon of "X ".'],
    [post('X\t: a'), 'White space stands before the colon of "X\\t".'],
    [post(': a'), 'The name of the field "" is not a token.'],
    [post('X y: a'), 'The name of the field "X y" is not a token.'],
    [post('Ä: a'), 'The name of the field "Ä" is not a token.'],
    [post('Content-Length\xa0: 1'), 'The name of the field "Content-Length\xa0" is not a token.'],
  ]);
  assert.equal(headOf(post('X: \xe4\xff:')).fields.at(-1)?.value, '\xe4\xff:');
});

test('there is one Host field, and none at most in HTTP/1.0', () => {
  expectBad([
    [post('Host: a.example'), 'The head has several Host fields.'],
    [post('hOsT: b.example'), 'The head has several Host fields.'],
    ['GET http://a.example/ HTTP/1.1\r\n\r\n', 'The head has no Host field.'],
    ['GET http://a.example/ HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 'The head has several Host fields.'],
  ]);
  assert.deepEqual(headOf('CONNECT a.example:443 HTTP/1.0\r\n\r\n').fields, []);
});

test('where a body ends can be read in one way only (W38)', () => {
  const noNumber = (value: string): string => `Content-Length is "${value}", which is not a plain number.`;
  const coding = 'The one Transfer-Encoding that is read is "chunked".';
  expectBad([
    [post('Content-Length: 3', 'Content-Length: 3'), 'The head has several Content-Length fields.'],
    [post('Content-Length: 3', 'Content-Length: 4'), 'The head has several Content-Length fields.'],
    [post('Content-Length: 3, 3'), noNumber('3, 3')],
    [post('Content-Length: +3'), noNumber('+3')],
    [post('Content-Length: -0'), noNumber('-0')],
    [post('Content-Length: 0x3'), noNumber('0x3')],
    [post('Content-Length: 03'), noNumber('03')],
    [post('Content-Length: 3 '.concat('x')), noNumber('3 x')],
    [post('Content-Length:'), noNumber('')],
    [post('Content-Length: 1000000000000000'), noNumber('1000000000000000')],
    [post('Content-Length: 3', 'Transfer-Encoding: chunked'), 'The head has Content-Length and Transfer-Encoding.'],
    [post('Transfer-Encoding: chunked', 'Content-Length: 0'), 'The head has Content-Length and Transfer-Encoding.'],
    [post('Transfer-Encoding: xchunked'), coding],
    [post('Transfer-Encoding: Chunked'), coding],
    [post('Transfer-Encoding: gzip, chunked'), coding],
    [post('Transfer-Encoding: chunked, identity'), coding],
    [post('Transfer-Encoding: identity'), coding],
    [post('Transfer-Encoding: "chunked"'), coding],
    [post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), coding],
    [post('Transfer-Encoding: \x0bchunked'), 'The head holds a control character.'],
    [post('Transfer-Encoding : chunked'), 'White space stands before the colon of "Transfer-Encoding ".'],
    [post('Transfer-Encoding: chunked').replace('1.1', '1.0'), 'HTTP/1.0 has no Transfer-Encoding.'],
    [post('Content-Length: 3').replace('POST', 'GET'), 'A GET request with a body is not passed on.'],
    [post('Transfer-Encoding: chunked').replace('POST', 'HEAD'), 'A HEAD request with a body is not passed on.'],
    [post('Content-Length: 1').replace('POST', 'CONNECT'), 'A CONNECT request with a body is not passed on.'],
  ]);
  assert.deepEqual(
    [
      post(),
      post('Content-Length: 0'),
      post('content-LENGTH:999999999999999'),
      post('Transfer-Encoding:\tchunked '),
      post('Content-Length: 0').replace('POST', 'GET'),
      post('Content-Length: 2').replace('POST', 'DELETE'),
    ].map((text) => headOf(text).body),
    [
      { kind: 'none' },
      { kind: 'length', bytes: 0 },
      { kind: 'length', bytes: 999_999_999_999_999 },
      { kind: 'chunked' },
      { kind: 'none' },
      { kind: 'length', bytes: 2 },
    ],
  );
});

test('what is said of the connection is read as a list', () => {
  const lasting = (...lines: readonly string[]): boolean => headOf(post(...lines)).keepAlive;
  assert.deepEqual(
    [lasting(), lasting('Connection: close'), lasting('Connection: Keep-Alive, CLOSE'), lasting('Connection: x')],
    [true, false, false, true],
  );
  const old = (...lines: readonly string[]): boolean => headOf(post(...lines).replace('1.1', '1.0')).keepAlive;
  assert.deepEqual([old(), old('Connection: keep-alive'), old('Proxy-Connection: keep-alive')], [false, true, false]);
  const head = headOf(post('Connection: Upgrade,, X-Hop \t', 'connection: a', 'Upgrade: WebSocket'));
  assert.deepEqual([head.connection, head.upgrade], [['upgrade', 'x-hop', 'a'], 'websocket']);
  expectBad([
    [post('Connection: host'), 'The Connection field names "host".'],
    [post('Connection: close, Content-Length'), 'The Connection field names "content-length".'],
    [post('Connection: Transfer-Encoding'), 'The Connection field names "transfer-encoding".'],
    [post('Connection: a b'), 'The Connection field names "a b".'],
    [post('Connection: close\xa0'), 'The Connection field names "close\xa0".'],
    [post('Upgrade: websocket', 'Upgrade: h2c'), 'The head has several Upgrade fields.'],
  ]);
});

test('of expectations only 100-continue is met, and only where a body follows', () => {
  const expects = (...lines: readonly string[]): boolean => headOf(post(...lines)).expectContinue;
  assert.deepEqual(
    [expects('Expect: 100-Continue', 'Content-Length: 1'), expects('Expect: 100-continue'), expects()],
    [true, false, false],
  );
  expectBad([[post('Expect: 200-ok'), 'The one expectation that is met is "100-continue".']]);
});

test('a head, its parts and their number are bounded', () => {
  const method = (length: number): string => post().replace('POST', 'A'.repeat(length));
  assert.equal(headOf(method(REQUEST_METHOD_BYTES_MAX)).method.length, REQUEST_METHOD_BYTES_MAX);
  assert.match(verdicts([method(REQUEST_METHOD_BYTES_MAX + 1)])[0] ?? '', /^egress.bad-request: .* is too long\.$/);
  const target = (length: number): string => post().replace('http://a.example/', `/${'a'.repeat(length - 1)}`);
  assert.equal(headOf(target(REQUEST_TARGET_BYTES_MAX)).target.length, REQUEST_TARGET_BYTES_MAX);
  const fields = (count: number): string => post(...Array.from({ length: count - 1 }, (_, index) => `X-${index}: a`));
  assert.equal(headOf(fields(REQUEST_FIELDS_MAX)).fields.length, REQUEST_FIELDS_MAX);
  const padded = (length: number): string => post(`X: ${'a'.repeat(length - post('X: ').length)}`);
  assert.equal(headOf(padded(REQUEST_HEAD_BYTES_MAX)).fields.length, 2);
  assert.deepEqual(
    verdicts([
      target(REQUEST_TARGET_BYTES_MAX + 1),
      fields(REQUEST_FIELDS_MAX + 1),
      padded(REQUEST_HEAD_BYTES_MAX + 1),
      'a'.repeat(REQUEST_HEAD_BYTES_MAX),
      'a'.repeat(REQUEST_HEAD_BYTES_MAX + 1),
    ]),
    [
      'egress.head-too-large: The target has more than 8192 bytes.',
      'egress.head-too-large: The head has 129 fields; 128 are the most.',
      'egress.head-too-large: The head has more than 32768 bytes.',
      'incomplete',
      'egress.head-too-large: The head has more than 32768 bytes.',
    ],
  );
});
