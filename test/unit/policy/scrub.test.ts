import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRUBBED_SECRET_MIN } from '../../../src/base/limits.ts';
import { Scrubber, secretForms } from '../../../src/policy/scrub.ts';
import { seededRandom } from '../card/random.ts';
import { piecesOf } from './corpus.ts';
import { cutAtChance } from './wire-mutation.ts';

/** With everything that some encoding changes. */
const KEY = 'sk-ant-api03-a"b\\c/d+e<f>&%(g)h~i?';

/** What is left of bytes that come in these pieces. */
function scrub(secrets: readonly string[], pieces: readonly Uint8Array[]): string {
  const scrubber = new Scrubber(secretForms(secrets));
  const passed = pieces.map((piece) => scrubber.add(Buffer.from(piece)));
  return Buffer.concat([...passed, scrubber.end()]).toString('latin1');
}

function stars(text: string): string {
  return '*'.repeat(text.length);
}

test('a key is replaced in every form that an answer may give it, cut anywhere', () => {
  const hex = Buffer.from(KEY).toString('hex');
  const strict = [...Buffer.from(KEY)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const forms = [
    KEY,
    JSON.stringify(KEY).slice(1, -1),
    JSON.stringify(KEY).slice(1, -1).replaceAll('/', '\\/'),
    JSON.stringify(KEY).slice(1, -1).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026'),
    encodeURIComponent(KEY),
    encodeURIComponent(KEY).replace(/%../g, (code) => code.toLowerCase()),
    encodeURIComponent(KEY).replaceAll('(', '%28').replaceAll(')', '%29').replaceAll('~', '~'),
    strict,
    strict.toUpperCase(),
    hex,
    hex.toUpperCase(),
  ];
  for (const form of forms) {
    const bytes = Buffer.from(`{"a":"${form}"} ${form}${form}`);
    const expected = `{"a":"${stars(form)}"} ${stars(form)}${stars(form)}`;
    for (const size of [1, 2, 3, 7, bytes.length]) assert.equal(scrub([KEY], piecesOf(bytes, size)), expected, form);
    assert.equal(new Scrubber(secretForms([KEY])).scrubText(bytes.toString()), expected);
  }
});

test('base64 of whatever a key stands in tells nothing of it but what it shares a character with', () => {
  for (const encoding of ['base64', 'base64url'] as const) {
    for (let before = 0; before < 6; before += 1) {
      for (let after = 0; after < 4; after += 1) {
        const text = Buffer.from('x'.repeat(before) + KEY + 'y'.repeat(after)).toString(encoding);
        const left = scrub([KEY], piecesOf(Buffer.from(text), 4));
        assert.equal(left.length, text.length);
        const told = Buffer.from(left.replaceAll('*', 'A'), encoding).toString('latin1');
        const common = [...KEY].filter(
          (_, index) => told.includes(KEY.slice(index, index + 2)) && index < KEY.length - 1,
        );
        assert.deepEqual(common, [], `${left} tells ${told}`);
        assert.ok(left.split('*').length > (KEY.length * 8) / 6 - 3, left);
      }
    }
  }
});

test('the value of a Basic credential is a secret of its own', () => {
  const value = Buffer.from(`x-access-token:${KEY}`).toString('base64');
  assert.equal(scrub([KEY, value], [Buffer.from(`Basic ${value}\n`)]), `Basic ${stars(value)}\n`);
});

test('texts that overlap, follow each other or repeat themselves are covered wholly', () => {
  assert.equal(scrub(['abcabcab'], [Buffer.from('xabcabcabcabcaby')]), `x${'*'.repeat(14)}y`);
  assert.equal(scrub(['aaaaaaaa'], piecesOf(Buffer.from(`b${'a'.repeat(20)}b`), 3)), `b${'*'.repeat(20)}b`);
  assert.equal(scrub(['12345678', '56789012'], piecesOf(Buffer.from('1234567890123'), 1)), `${'*'.repeat(12)}3`);
  assert.equal(
    scrub(['12345678', '1234567890'], piecesOf(Buffer.from('1234567890 12345678'), 1)),
    '********** ********',
  );
});

test('nothing waits for more bytes but what may become a key', () => {
  const scrubber = new Scrubber(secretForms(['key-of-somebody']));
  const passed = ['data: hello\n\n', 'data: key-of', ' nobody key-of-some', 'body', ' k', ''].map((text) =>
    scrubber.add(Buffer.from(text)).toString(),
  );
  assert.deepEqual(passed, ['data: hello\n\n', 'data: ', 'key-of nobody ', '*'.repeat(15), ' ', '']);
  assert.equal(scrubber.end().toString(), 'k');
  assert.equal(scrubber.end().length, 0);
});

test('without a key in it an answer is not even copied', () => {
  const bytes = Buffer.from('data: nothing\n\n');
  assert.equal(new Scrubber(secretForms([KEY])).add(bytes), bytes);
});

test('a word that is shorter than a key can be stays in the text', () => {
  const word = 'x'.repeat(SCRUBBED_SECRET_MIN - 1);
  assert.deepEqual(secretForms([word, '']), []);
  assert.equal(scrub([word], [Buffer.from(`a ${word} b`)]), `a ${word} b`);
  assert.equal(scrub([`${word}x`], [Buffer.from(`a ${word}x b`)]), `a ${stars(`${word}x`)} b`);
});

test('what is left of random bytes does not depend on how they are cut, and has no form of any key', () => {
  let hits = 0;
  for (let seed = 0; seed < 1500; seed += 1) {
    const random = seededRandom(seed);
    const letters = ['ab', 'abc', 'ab+/='][seed % 3] ?? 'ab';
    const word = (length: number): string =>
      Array.from({ length }, () => letters[random.below(letters.length)]).join('');
    const keys = [word(8 + random.below(4)), word(8)];
    const forms = secretForms(keys);
    const parts = Array.from({ length: 12 }, () =>
      random.once(3) ? String(random.pick(['', ...forms.map(String)])) : word(5),
    );
    const bytes = Buffer.from(parts.join(''));
    const whole = scrub(keys, [bytes]);
    assert.equal(scrub(keys, cutAtChance(random, bytes)), whole, `seed ${seed}`);
    assert.equal(whole.length, bytes.length);
    assert.ok(!forms.some((form) => whole.includes(form.toString())), `seed ${seed}: ${whole}`);
    if (whole.includes('*')) hits += 1;
  }
  assert.ok(hits > 1000, String(hits));
});
