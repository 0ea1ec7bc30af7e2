import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveCard } from '../../../src/card/resolve.ts';
import { LinkTable } from '../../../src/sandbox/link-table.ts';

function card(id: string, mode: 'isolated' | 'veth' = 'veth'): ReturnType<typeof resolveCard> {
  return resolveCard({ agent_id: id, workspace: '/srv/a', network: { mode } }, 'spawned');
}

test('an agent keeps its number, and a new one has the lowest that is free', () => {
  const links = new LinkTable('10.213.0.0/16');
  assert.deepEqual(
    ['a', 'b', 'c', 'a'].map((id) => links.reserve(card(id))),
    [1, 2, 3, 1],
  );
  links.release('b');
  assert.equal(links.peek(card('d')), 2);
  assert.equal(links.peek(card('e')), 2, 'looking takes nothing');
  assert.deepEqual(
    ['d', 'e'].map((id) => links.reserve(card(id))),
    [2, 4],
  );
});

test('only agents with a link have a number', () => {
  const links = new LinkTable('10.213.0.0/16');
  assert.equal(links.reserve(card('a', 'isolated')), null);
  assert.equal(links.reserve(card('b')), 1);
});

test('what a record says counts, also beyond a range that was made smaller', () => {
  const links = new LinkTable('10.213.0.0/24');
  links.adopt('a', 1);
  links.adopt('b', 5000);
  links.adopt('c', null);
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => links.reserve(card(id))),
    [1, 5000, 2],
  );
});

test('a full range has nothing left, until somebody goes', () => {
  const links = new LinkTable('10.213.0.0/24');
  for (let index = 1; index <= 127; index += 1) assert.equal(links.reserve(card(`a${index}`)), index);
  assert.equal(links.reserve(card('late')), null);
  links.release('a64');
  assert.equal(links.reserve(card('late')), 64);
});
