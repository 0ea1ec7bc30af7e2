import assert from 'node:assert/strict';
import test from 'node:test';
import { Scrubber, secretForms } from '../../../src/policy/scrub.ts';

const KEY = 'sk-ant-api03-Zx81+/"kQ7';
/** Another one of the same length, in every spelling. */
const OTHER = 'sk-ant-api03-Ab92+/"mR6';

/** What a scrubber for a key gives for each of these pieces, and at the end. */
function passed(key: string, pieces: readonly string[]): readonly string[] {
  const scrubber = new Scrubber(secretForms([key]));
  const given = pieces.map((piece) => scrubber.add(Buffer.from(piece, 'latin1')).toString('latin1'));
  return [...given, scrubber.end().toString('latin1')];
}

test('how the pieces of an answer come out says nothing of the key, but for its length', () => {
  for (let length = 1; length < KEY.length; length += 1) {
    const guess = KEY.slice(0, length);
    for (const form of [guess, btoa(guess), encodeURIComponent(guess), Buffer.from(guess).toString('hex')]) {
      const pieces = ['data: ', `{"echo":"${form}`, 'x', '"}\n\n', `a ${form}`, '\n'];
      assert.deepEqual(passed(KEY, pieces), passed(OTHER, pieces), form);
    }
  }
});

test('a key that is cut anywhere is covered, and the text around it is as it was', () => {
  const text = `before ${KEY} and "${KEY}", ${btoa(`ab${KEY}`)} after\n`;
  const whole = passed(KEY, [text]).join('');
  assert.equal(whole.length, text.length);
  assert.match(whole, /^before \*+ and "\*+", [\w+/]{0,4}\*+[\w+/=]{0,4} after\n$/);
  for (let at = 0; at <= text.length; at += 1)
    assert.equal(passed(KEY, [text.slice(0, at), text.slice(at)]).join(''), whole);
  assert.equal(passed(KEY, [...text]).join(''), whole);
});

test('an event waits for nothing once its line ends, nor does what follows a blank', () => {
  const events = ['event: ping\ndata: {"a":1}\n\n', `data: {"text":"${KEY.slice(0, 9)} "}\r\n\r\n`, 'one word '];
  assert.deepEqual(passed(KEY, events), [...events, '']);
  assert.deepEqual(passed(KEY, ['sk-']), ['', 'sk-']);
});

test('a long text without a blank waits only as far as a key may reach', () => {
  const longest = Math.max(...secretForms([KEY]).map((form) => form.length));
  const text = 'y'.repeat(10_000);
  const [first = '', ...rest] = passed(KEY, [text]);
  assert.equal(first.length, text.length - longest + 1);
  assert.equal([first, ...rest].join(''), text);
});
