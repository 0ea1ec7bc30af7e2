import assert from 'node:assert/strict';
import test from 'node:test';
import { API_HEADER_BYTES_MAX } from '../../../src/base/limits.ts';
import { MalformedAnswer, readAnswer } from '../../../src/client/answer.ts';
import { EndedEarly } from '../../../src/client/byte-reader.ts';

const COUNTED =
  'HTTP/1.1 201 Created\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 7\r\n\r\n{"a":1}';
const CHUNKED =
  'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n' +
  '3\r\n{"a\r\nA\r\n":1}\n{"b":\r\n3\r\n2}\n\r\n0\r\n\r\n';

test('a counted body is read, however the bytes arrive', async () => {
  for (let at = 0; at <= COUNTED.length; at += 1) {
    assert.deepEqual(await read(split(COUNTED, at)), { status: 201, mediaType: 'application/json', text: '{"a":1}' });
  }
});

test('a body in chunks is read, however the bytes arrive', async () => {
  const expected = { status: 200, mediaType: 'application/x-ndjson', text: '{"a":1}\n{"b":2}\n' };
  for (let at = 0; at <= CHUNKED.length; at += 1) assert.deepEqual(await read(split(CHUNKED, at)), expected);
  assert.deepEqual(await read([...CHUNKED]), expected);
});

test('a response that is cut anywhere is told from a whole one', async () => {
  for (const text of [COUNTED, CHUNKED]) {
    for (let at = 0; at < text.length; at += 1)
      await assert.rejects(read([text.slice(0, at)]), EndedEarly, text.slice(0, at));
  }
});

test('what follows a counted body is not part of it', async () => {
  assert.equal((await read([`${COUNTED}more`])).text, '{"a":1}');
});

test('a response without content has no body', async () => {
  assert.deepEqual(await read(['HTTP/1.1 204 No Content\r\n\r\n']), { status: 204, mediaType: '', text: '' });
});

const MALFORMED: readonly (readonly [name: string, text: string])[] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['an older HTTP', COUNTED.replace('1.1', '1.0')],
  ['a field without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
  ['a line that is no field', 'HTTP/1.1 200 OK\r\nfield\r\n\r\n'],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\nbody'],
  ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\ncontent-length: 1e3\r\n\r\n'],
  ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n'],
  ['a chunk of a size that is no number', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n'],
  ['a chunk that is longer than it says', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n'],
];

for (const [name, text] of MALFORMED) {
  test(`${name} is not taken for an answer`, async () => {
    await assert.rejects(read([text]), MalformedAnswer);
  });
}

test('a header that does not end is not read for ever', async () => {
  const endless = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('HTTP/1.1 200 OK\r\n');
    for (;;) yield Buffer.from('x: y\r\n');
  };
  await assert.rejects(readAnswer(endless()), RangeError);
  await assert.rejects(read([`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(API_HEADER_BYTES_MAX)}`]), RangeError);
});

function split(text: string, at: number): readonly string[] {
  return [text.slice(0, at), text.slice(at)];
}

async function read(pieces: readonly string[]): Promise<{ status: number; mediaType: string; text: string }> {
  const source = async function* (): AsyncGenerator<Buffer> {
    for (const piece of pieces) yield Buffer.from(piece);
  };
  const { status, mediaType, body } = await readAnswer(source());
  let text = '';
  for await (const piece of body) text += piece.toString();
  return { status, mediaType, text };
}
