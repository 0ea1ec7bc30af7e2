import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameCard, type WrittenCard } from '../../../src/card/same-card.ts';

const CARD = { agent_id: 'a', workspace: '/srv/a', resource_limits: { memory_mb: 64 }, allowed_hosts: ['one.example'] };

function json(value: object, indent?: number): WrittenCard {
  return { format: 'json', text: JSON.stringify(value, null, indent) };
}

const TOML = `# The same.
agent_id = "a"
workspace = "/srv/a"
allowed_hosts = [{ host = "one.example" }]

[resource_limits]
memory_mb = 64
`;

const SAME: readonly (readonly [title: string, other: WrittenCard])[] = [
  ['the same text', json(CARD)],
  ['other white space', json(CARD, 4)],
  ['another order of keys', json(Object.fromEntries(Object.entries(CARD).reverse()))],
  ['defaults that are written out', json({ ...CARD, ttl_seconds: 0, autostart: false, restart: 'on-failure' })],
  ['TOML, with a comment and the long form of a host', { format: 'toml', text: TOML }],
];

for (const [title, other] of SAME) {
  test(`cards mean the same: ${title}`, () => {
    assert.equal(isSameCard(json(CARD), other), true);
    assert.equal(isSameCard(other, json(CARD)), true);
  });
}

const OTHER: readonly (readonly [title: string, other: WrittenCard])[] = [
  ['another limit', json({ ...CARD, resource_limits: { memory_mb: 65 } })],
  ['another order of hosts', json({ ...CARD, allowed_hosts: ['two.example', 'one.example'] })],
  ['what a spawned card means by the same words', json({ ...CARD, restart: 'no' })],
  ['another description', json({ ...CARD, description: 'Reviews.' })],
  ['a text that is no card', { format: 'json', text: '{' }],
  ['a card that is refused by its schema', json({ ...CARD, memroy: 1 })],
  ['its text in another format', { format: 'toml', text: JSON.stringify(CARD) }],
];

for (const [title, other] of OTHER) {
  test(`cards mean something else: ${title}`, () => {
    assert.equal(isSameCard(json(CARD), other), false);
    assert.equal(isSameCard(other, json(CARD)), false);
  });
}

test('two texts that are no cards are the same only when they are one text', () => {
  assert.equal(isSameCard({ format: 'json', text: '{' }, { format: 'json', text: '{' }), true);
  assert.equal(isSameCard({ format: 'json', text: '{' }, { format: 'json', text: '{ ' }), false);
});
