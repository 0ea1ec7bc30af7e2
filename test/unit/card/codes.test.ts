import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS } from '../../../src/base/errors.ts';
import { CARD_BYTES_MAX } from '../../../src/base/limits.ts';
import { cardWith, parse } from './verdict.ts';

/** The smallest card, or text, that is refused with each code and no other. */
const REFUSED: Readonly<Record<string, unknown>> = {
  'card.bad-environment': cardWith({ environment: { AGENT_ID: '' } }),
  'card.bad-format': cardWith({ agent_id: 'A' }),
  'card.bad-path': cardWith({ workspace: '/etc' }),
  'card.conflict': cardWith({ resource_limits: { memory_mb: 16, memory_high_mb: 17 } }),
  'card.duplicate-key': '{"agent_id": "a", "workspace": "/a", "workspace": "/b"}',
  'card.forbidden-key': '{"agent_id": "a", "workspace": "/a", "__proto__": {}}',
  'card.missing-key': { agent_id: 'a' },
  'card.not-allowed': cardWith({ agent: 'cobol' }),
  'card.out-of-range': cardWith({ ttl_seconds: -1 }),
  'card.syntax': '{',
  'card.too-deep': '['.repeat(17),
  'card.too-large': ' '.repeat(CARD_BYTES_MAX + 1),
  'card.unknown-key': cardWith({ uid: 0 }),
  'card.wrong-type': cardWith({ ttl_seconds: '1' }),
};

/** Codes of the room's area that arise where a card is fetched or its hosts are read, not where it is parsed. */
const ELSEWHERE = ['card.host-pattern', 'card.id-mismatch', 'card.unreadable'];

test('every code of the card is reached by a card that has only this fault', () => {
  const codes = Object.keys(ERRORS).filter((code) => code.startsWith('card.') && !ELSEWHERE.includes(code));
  assert.deepEqual(Object.keys(REFUSED).sort(), codes.sort());
  for (const [code, card] of Object.entries(REFUSED)) {
    const result = parse(card);
    assert.deepEqual(result.ok ? [] : result.problems.map((problem) => problem.code), [code]);
  }
});
