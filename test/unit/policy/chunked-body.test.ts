import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRAILER_BYTES_MAX } from '../../../src/base/limits.ts';
import { ChunkedReader } from '../../../src/policy/chunked-body.ts';
import { piecesOf } from './corpus.ts';

/** Contents and rest of a body that comes in pieces of one size, or the sentence that refuses it. */
function read(text: string, size = text.length): readonly [string, string | null] | string {
  const reader = new ChunkedReader();
  const bytes = Buffer.from(text, 'latin1');
  const pieces = piecesOf(bytes, size);
  let contents = '';
  for (const [index, piece] of pieces.entries()) {
    const reading = reader.add(piece);
    if (reading.kind === 'bad') return reading.detail;
    contents += Buffer.concat(reading.parts).toString('latin1');
    if (reading.rest === null) continue;
    return [contents, Buffer.concat([reading.rest, ...pieces.slice(index + 1)]).toString('latin1')];
  }
  return [contents, null];
}

/** The same verdict for the whole text and for every way to cut it into equal pieces. */
function readEveryWay(text: string): readonly [string, string | null] | string {
  const whole = read(text);
  for (const size of [1, 2, 3, 5]) assert.deepEqual(read(text, size), whole, JSON.stringify(text));
  return whole;
}

test('a chunked body is its contents, and what follows it is left alone', () => {
  assert.deepEqual(
    [
      '0\r\n\r\n',
      '3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n',
      'A\r\n0123456789\r\n1\r\n\r\r\n00000002\r\n\r\n\r\n000\r\n\r\n',
      '3\r\nabc\r\n0\r\nX-End: a\r\nX: \t\xe4\r\n\r\nrest',
    ].map(readEveryWay),
    [
      ['', ''],
      ['abc', 'GET / HTTP/1.1\r\n'],
      ['0123456789\r\r\n', ''],
      ['abc', 'rest'],
    ],
  );
});

test('a body that has not ended yields what it has', () => {
  assert.deepEqual(
    ['3', '3\r\n', '3\r\nab', '3\r\nabc\r\n0\r\n', '3\r\nabc\r\n0\r\n\r', '5\r\nabc'].map(readEveryWay),
    [
      ['', null],
      ['', null],
      ['ab', null],
      ['abc', null],
      ['abc', null],
      ['abc', null],
    ],
  );
});

test('contents are passed on without a copy', () => {
  const piece = Buffer.from('3\r\nabc\r\n');
  const reading = new ChunkedReader().add(piece);
  assert.ok(reading.kind === 'data');
  assert.equal(reading.parts[0]?.buffer, piece.buffer);
});

test('extensions, odd sizes and odd line ends are refused (W38)', () => {
  const size = 'The size of a chunk is not a plain hexadecimal number.';
  const end = 'A chunk does not end in CR LF where it should.';
  const cases: readonly (readonly [string, string])[] = [
    ['3;a=b\r\nabc\r\n', size],
    ['3 \r\nabc\r\n', size],
    [' 3\r\nabc\r\n', size],
    ['0x3\r\nabc\r\n', size],
    ['+3\r\nabc\r\n', size],
    ['-1\r\n', size],
    ['g\r\n', size],
    ['\r\n', size],
    ['3\nabc\n', size],
    ['3\r\nabc\r\n\r\n', size],
    ['3\rabc', end],
    ['3\r\nabcd\r\n', end],
    ['3\r\nabc\n', end],
    ['3\r\nabc\r0', end],
    ['0\r\n\rX', end],
    ['0\r\nX: a\rb', end],
    ['0\r\nX: a\nb', 'The trailer holds a control character.'],
    ['0\r\n\n', 'The trailer holds a control character.'],
    ['0\r\nX: \0', 'The trailer holds a control character.'],
    ['100000000\r\n', 'The size of a chunk is too large.'],
    ['000000000\r\n', 'The size of a chunk is too large.'],
    [`0\r\n${'X: a\r\n'.repeat(TRAILER_BYTES_MAX)}`, `The trailer has more than ${TRAILER_BYTES_MAX} bytes.`],
  ];
  assert.deepEqual(
    cases.map(([text]) => readEveryWay(text)),
    cases.map(([, detail]) => detail),
  );
});

test('the largest size is read as a number', () => {
  const reader = new ChunkedReader();
  const reading = reader.add(Buffer.from('ffffffff\r\nabc'));
  assert.deepEqual(
    reading.kind === 'data' ? reading.parts.map(String) : reading,
    ['97,98,99'].map(() => 'abc'),
  );
});
