import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveCard } from '../../../src/card/resolve.ts';
import { Agent } from '../../../src/sandbox/agent.ts';
import { NO_CARDS, NO_EGRESS } from '../../../src/sandbox/record.ts';
import { Registry } from '../../../src/sandbox/registry.ts';

test('agents are listed in order of id, whenever they came and went', () => {
  const registry = new Registry();
  const idsAfter = (change: () => void): readonly string[] => {
    change();
    return registry.all().map(({ id }) => id);
  };
  assert.deepEqual(
    idsAfter(() => undefined),
    [],
  );
  assert.deepEqual(
    idsAfter(() => registry.put(ended('b'))),
    ['b'],
  );
  assert.deepEqual(
    idsAfter(() => registry.admit(ended('c'))),
    ['b', 'c'],
  );
  assert.deepEqual(
    idsAfter(() => registry.put(ended('a'))),
    ['a', 'b', 'c'],
  );
  assert.deepEqual(
    idsAfter(() => registry.drop('b')),
    ['a', 'c'],
  );
});

test('an agent that takes the place of another is the one that is listed', () => {
  const registry = new Registry();
  const [first, second] = [ended('a'), ended('a')];
  registry.put(first);
  assert.deepEqual(registry.all(), [first]);
  assert.equal(registry.admit(second), first);
  assert.ok(registry.all()[0] === second && registry.all().length === 1);
});

test('a list that was taken stays as it was', () => {
  const registry = new Registry();
  registry.put(ended('a'));
  const taken = registry.all();
  registry.drop('a');
  assert.equal(taken.length, 1);
});

function ended(id: string): Agent {
  const card = resolveCard({ agent_id: id, workspace: '/mnt/agents' }, 'spawned');
  return new Agent({
    ...NO_CARDS,
    ...NO_EGRESS,
    version: 1,
    id,
    origin: 'spawned',
    phase: 'ended',
    card,
    cardSource: { text: '', format: 'json', source: '' },
    arguments: [],
    user: { name: '', uid: -1, gid: -1, reason: '' },
    attach: null,
    callerUid: 0,
    startedAtMs: null,
    endedAtMs: null,
    outcome: null,
    usage: null,
    linkIndex: null,
    notices: [],
  });
}
