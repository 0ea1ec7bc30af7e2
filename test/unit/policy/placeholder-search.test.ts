import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlaceholderSearch } from '../../../src/policy/placeholder-search.ts';
import type { Field } from '../../../src/policy/request-head.ts';
import { seededRandom } from '../card/random.ts';
import { piecesOf } from './corpus.ts';
import { cutAtChance } from './wire-mutation.ts';

const ANTHROPIC = 'sk-ant-api03-agentspawn0123456789abcdef0123456789abcdef01234567';
const GOOGLE = 'AIzaSyagentspawn89abcdef0123456789abcdef0123456789abcdef';
const BOTH = [ANTHROPIC, GOOGLE];

function inHead(target: string, ...fields: readonly Field[]): string | null {
  return new PlaceholderSearch(BOTH).inHead({ target, fields });
}

/** What is sent of a body that comes in pieces, and what was found in it. */
function search(pieces: readonly Uint8Array[]): readonly [sent: string, found: string | null] {
  const searching = new PlaceholderSearch(BOTH);
  let sent = '';
  for (const bytes of pieces) {
    const piece = searching.add(Buffer.from(bytes));
    if (piece.kind === 'found') return [sent, piece.placeholder];
    sent += piece.bytes.toString('latin1');
  }
  return [sent + searching.end().toString('latin1'), null];
}

test('a placeholder is found wherever it stands in a head', () => {
  const basic = Buffer.from(`someone:${ANTHROPIC}`).toString('base64');
  const heads: readonly (readonly [string, ...Field[]])[] = [
    [`/${ANTHROPIC}`],
    [`/x?key=${ANTHROPIC}&y=1`],
    [`/x?key=${ANTHROPIC.replaceAll('-', '%2d').replaceAll('a', '%61')}`],
    [`http://${ANTHROPIC.toLowerCase()}.example.com/`],
    ['/', { name: 'x-api-key', value: ANTHROPIC }],
    ['/', { name: ANTHROPIC.toLowerCase(), value: '' }],
    ['/', { name: 'authorization', value: `Bearer ${ANTHROPIC}` }],
    ['/', { name: 'authorization', value: `Basic ${basic}` }],
    ['/', { name: 'proxy-authorization', value: `basic  ${basic.replaceAll('=', '')}` }],
    ['/', { name: 'cookie', value: `a=1; key=${ANTHROPIC.replaceAll('-', '%2D')}` }],
    ['/', { name: 'x', value: Buffer.from(ANTHROPIC).toString('hex') }],
  ];
  for (const head of heads) assert.equal(inHead(...head), ANTHROPIC, JSON.stringify(head));
  assert.equal(inHead(`http://${GOOGLE.toLowerCase()}.example.com/`), GOOGLE);
});

test('a text that only looks like one is not found', () => {
  const other = ANTHROPIC.replace('abcdef', 'abcdee');
  assert.equal(inHead(`/${other}`, { name: 'authorization', value: `Basic ${btoa(`x:${other}`)}` }), null);
  assert.equal(inHead(`/${ANTHROPIC.slice(0, 30)}`, { name: 'x', value: ANTHROPIC.slice(30) }), null);
  assert.deepEqual(search([Buffer.from(other)]), [other, null]);
  assert.equal(new PlaceholderSearch([]).inHead({ target: `/${ANTHROPIC}`, fields: [] }), null);
  assert.equal(new PlaceholderSearch([]).isEmpty, true);
});

test('of a body nothing is sent on from the first byte of a placeholder on, however it is cut', () => {
  for (const text of [ANTHROPIC, Buffer.from(ANTHROPIC).toString('hex')]) {
    const bytes = Buffer.from(`before ${text} after`);
    for (const size of [1, 2, 7, 30, bytes.length]) {
      const [sent, found] = search(piecesOf(bytes, size));
      assert.equal(found, ANTHROPIC);
      assert.equal('before '.startsWith(sent), true, sent);
    }
  }
  for (const before of ['', '.', '..']) {
    const [sent, found] = search(piecesOf(Buffer.from(Buffer.from(`${before}${GOOGLE}!`).toString('base64')), 3));
    assert.equal(found, GOOGLE);
    assert.ok(sent.length <= 4, sent);
  }
});

test('a body without a placeholder is sent on byte by byte as it came', () => {
  const letters = [...BOTH.flatMap((text) => [text.slice(0, 20), text.slice(0, -2), text.slice(2)]), 'sk-', 'AI', ' '];
  let held = 0;
  for (let seed = 0; seed < 300; seed += 1) {
    const random = seededRandom(seed);
    const text = Array.from({ length: 10 }, () => letters[random.below(letters.length)]).join('|');
    const pieces = cutAtChance(random, Buffer.from(text));
    assert.deepEqual(search(pieces), [text, null], `seed ${seed}`);
    const searching = new PlaceholderSearch(BOTH);
    if (pieces.some((piece) => (searching.add(Buffer.from(piece)) as { bytes: Buffer }).bytes.length < piece.length))
      held += 1;
  }
  assert.ok(held > 150, String(held));
});
