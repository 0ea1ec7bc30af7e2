import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CardEffect, type CardsReading, cardsReport, settledReport } from '../../../src/sandbox/cards-report.ts';
import { FakeHost } from '../../helpers/fake-host.ts';

const host = new FakeHost();

function effect(id: string, did: CardEffect['did']): CardEffect {
  return { id, did, message: null };
}

function reading(changes: Partial<CardsReading>): CardsReading {
  return { effects: [], ids: [], pending: [], next: null, ...changes };
}

test('of an agent the last effect is told, the others are counted, and ids are in order', () => {
  const effects = [
    effect('d', 'installed'),
    effect('b', 'installed'),
    effect('c', 'refused'),
    effect('b', 'restarted'),
  ];
  assert.deepEqual(cardsReport(effects, ['a', 'b', 'c', 'd', 'e']), {
    cards: [effect('b', 'restarted'), effect('c', 'refused'), effect('d', 'installed')],
    unchanged: 2,
  });
});

test('what readings begin is told when it is done, and what is read after that as well', async () => {
  const readings: CardsReading[] = [];
  const next = (async (): Promise<CardsReading> => {
    await Promise.resolve();
    const later = reading({ effects: [effect('a', 'started')], ids: ['a', 'c'] });
    readings.push(later);
    return later;
  })();
  const pending = [
    { id: 'b', effect: Promise.resolve(effect('b', 'stopped')) },
    { id: 'c', effect: Promise.resolve(null) },
  ];
  readings.unshift(
    reading({ effects: [effect('a', 'refused'), effect('b', 'removed')], ids: ['a', 'c'], pending, next }),
  );
  assert.deepEqual(await settledReport({ host }, readings), {
    cards: [effect('a', 'started'), effect('b', 'stopped')],
    unchanged: 1,
  });
});

test('a reading that did nothing counts its cards', async () => {
  assert.deepEqual(await settledReport({ host }, [reading({ ids: ['a', 'b'] })]), { cards: [], unchanged: 2 });
});
