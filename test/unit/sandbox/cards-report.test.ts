import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CardEffect, cardsReport } from '../../../src/sandbox/cards-report.ts';

function effect(id: string, did: CardEffect['did']): CardEffect {
  return { id, did, message: null };
}

test('of an agent the last effect is told, the others are counted, and ids are in order', () => {
  const earlier = { effects: [effect('d', 'installed'), effect('b', 'installed')], ids: ['a', 'b', 'd'], pending: [] };
  const later = {
    effects: [effect('c', 'refused'), effect('gone', 'removed')],
    ids: ['a', 'b', 'c', 'd'],
    pending: [],
  };
  assert.deepEqual(cardsReport([earlier, later], [effect('b', 'restarted')]), {
    cards: [effect('b', 'restarted'), effect('c', 'refused'), effect('d', 'installed'), effect('gone', 'removed')],
    unchanged: 1,
  });
});

test('a reading that did nothing counts its cards', () => {
  assert.deepEqual(cardsReport([{ effects: [], ids: ['a', 'b'], pending: [] }], []), { cards: [], unchanged: 2 });
});
