import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { type ResolvedCard, resolveCard } from '../../../src/card/resolve.ts';
import { type HostRules, judgeCard } from '../../../src/plan/card-judgement.ts';
import { refusedCards } from '../../helpers/refused-cards.ts';

const WORKSPACE = '/srv/agents/demo';
const STRICT: HostRules = {
  publishAddresses: ['loopback'],
  allowHostNetwork: false,
  proxy: null,
  vethRange: '10.213.0.0/16',
};

function cardOf(keys: object): ResolvedCard {
  const text = JSON.stringify({ agent_id: 'demo', workspace: WORKSPACE, agent: 'shell', ...keys });
  const parsed = parseCard(Buffer.from(text), { format: 'json' });
  assert.ok(parsed.ok, parsed.ok ? '' : JSON.stringify(parsed.problems));
  return resolveCard(parsed.value, 'spawned');
}

function problemsOf(keys: object, rules: HostRules = STRICT): readonly string[] {
  const judged = judgeCard(cardOf(keys), rules);
  return judged.ok ? [] : judged.problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

for (const { about, keys, problems } of refusedCards(WORKSPACE)) {
  test(`no host takes a card with ${about}`, () => {
    assert.deepEqual(problemsOf(keys), problems);
  });
}

test('what depends on a host alone is no fault of a card', () => {
  const keys = {
    agent: 'claude-code',
    api_key_delivery: 'env',
    api_key_file: 'credential:key',
    filesystem: { read_only: ['/srv/nowhere'] },
    network: { mode: 'veth', publish: [{ port: 8001, listen: '/srv/nowhere/x.sock' }] },
  };
  assert.deepEqual(problemsOf(keys), []);
  assert.deepEqual(problemsOf({ command: ['/no/such/program'] }), []);
});

test('a host with other rules takes other cards', () => {
  const published = { network: { publish: [{ port: 8001, listen: '0.0.0.0:8001' }] } };
  const onHost = { network: { mode: 'host' } };
  const linked = { network: { mode: 'veth', allow: [{ address: '10.213.0.9', port: 53 }] } };
  const open: HostRules = { ...STRICT, publishAddresses: ['any'], allowHostNetwork: true, vethRange: '10.99.0.0/16' };
  assert.deepEqual(
    [published, onHost, linked].map((keys) => [problemsOf(keys).length, problemsOf(keys, open)]),
    [
      [1, []],
      [1, []],
      [1, []],
    ],
  );
});

test('what the reader of a card should know is told without a host, too', () => {
  const judged = judgeCard(cardOf({ api_key_delivery: 'env', api_key_file: '/etc/key' }), STRICT);
  assert.ok(judged.ok);
  assert.match(judged.value.notices.join('\n'), /holds its key, in its environment \(ANTHROPIC_API_KEY\)/);
});
