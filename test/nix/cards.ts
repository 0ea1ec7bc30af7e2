import assert from 'node:assert/strict';
import { checkCard, readHostRules } from '../../src/control/card-check.ts';

/** Fails unless a host with this configuration (null for none) takes each of these cards, by their ids, as a declared one. */
export function acceptCards(cards: Readonly<Record<string, unknown>>, config: unknown): void {
  const rules = readHostRules(config === null ? null : Buffer.from(JSON.stringify(config)));
  if (!rules.ok) assert.fail(JSON.stringify(rules.problems));
  for (const [id, card] of Object.entries(cards)) {
    const checked = checkCard(
      { text: JSON.stringify(card), format: 'json', origin: 'declared', fileName: `${id}.json`, option: null },
      rules.value,
    );
    assert.deepEqual([checked.id, checked.problems], [id, []]);
  }
}
