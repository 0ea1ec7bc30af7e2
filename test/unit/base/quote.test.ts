import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneOf, quote } from '../../../src/base/quote.ts';

test('a quoted text cannot break out of its line, its quotes or its reading direction', () => {
  const cases = [
    ['plain', '"plain"'],
    ['', '""'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['a\nb\tc\0\u001b[31m', '"a\\nb\\tc\\u0000\\u001b[31m"'],
    ['\u007f\u009b\u2028\u202e\u2066', '"\\u007f\\u009b\\u2028\\u202e\\u2066"'],
    ['\ud800', '"\\ud800"'],
    ['größe', '"größe"'],
  ];
  assert.deepEqual(
    cases.map(([text]) => [text, quote(text ?? '')]),
    cases,
  );
});

test('a long text is cut between characters', () => {
  assert.equal(quote('a'.repeat(60)), `"${'a'.repeat(60)}"`);
  assert.equal(quote('a'.repeat(61)), `"${'a'.repeat(59)}…"`);
  assert.equal(quote('\u{10000}'.repeat(60)), `"${'\u{10000}'.repeat(60)}"`);
  assert.equal(quote('\u{10000}'.repeat(200_000)), `"${'\u{10000}'.repeat(59)}…"`);
});

test('a list becomes part of a sentence', () => {
  assert.deepEqual([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(oneOf), ['', 'a', 'a or b', 'a, b or c']);
});
