import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIVE_RULES_MAX } from '../../../src/base/limits.ts';
import type { AgentTable, EgressRule } from '../../../src/policy/table.ts';
import { carryLiveRules, changeTable } from '../../../src/sandbox/live-rules.ts';

const CARD_RULE = rule('api.example.org', [443], '/allowed_hosts/0');

const TABLE: AgentTable = {
  id: 'a',
  policy: { allow: [CARD_RULE], deny: [] },
  upstream: null,
  caps: { maxBytes: null, requestsPerMinute: null },
  gateways: [],
  budget: { requests: null, tokens: null },
};

function rule(host: string, ports: readonly number[] | null, pointer: string): EgressRule {
  return { host, ports, methods: null, paths: null, protocol: 'tls', pointer, reason: null };
}

/** The rules after some changes, `allow` and `deny` with hosts. */
function after(...changes: readonly (readonly ['allow' | 'deny', string])[]): AgentTable['policy'] {
  return changes.reduce((table, [action, host]) => changeTable(table, { action, host }).table, TABLE).policy;
}

test('a live rule is added behind those of the card, in canonical form and with its own pointer', () => {
  const { table, rule: added } = changeTable(TABLE, { action: 'allow', host: 'New.Example.ORG.' });
  assert.deepEqual(added, rule('new.example.org', [80, 443], '/live/allow/0'));
  assert.deepEqual(table, { ...TABLE, policy: { allow: [CARD_RULE, added], deny: [] } });
});

test('a port in the host is the only one of the rule; a denial without one is for every port', () => {
  assert.deepEqual(after(['allow', 'a.example:8443'], ['deny', 'b.example'], ['deny', 'c.example:80']), {
    allow: [CARD_RULE, rule('a.example', [8443], '/live/allow/0')],
    deny: [rule('b.example', null, '/live/deny/1'), rule('c.example', [80], '/live/deny/2')],
  });
});

test('the same change twice is one rule', () => {
  const once = after(['allow', 'a.example']);
  assert.deepEqual(after(['allow', 'a.example'], ['allow', 'A.example']), once);
});

test('a live denial is taken back by allowing the host again, and the other way round', () => {
  assert.deepEqual(after(['deny', 'api.example.org'], ['allow', 'api.example.org']), {
    allow: [CARD_RULE, rule('api.example.org', [80, 443], '/live/allow/1')],
    deny: [],
  });
  assert.deepEqual(after(['allow', 'a.example'], ['deny', 'a.example']), {
    allow: [CARD_RULE],
    deny: [rule('a.example', null, '/live/deny/1')],
  });
});

test("a live change never takes one of the card's own rules away", () => {
  assert.deepEqual(after(['deny', 'api.example.org:443']).allow, [CARD_RULE]);
});

test('a host that no card could name is refused as in a card', () => {
  assert.throws(() => changeTable(TABLE, { action: 'allow', host: '*.com' }), {
    code: 'card.host-pattern',
    message: /stands for everything below a top-level name/,
  });
});

test('live rules are bounded in number, and those of the card do not count', () => {
  let table = TABLE;
  for (let index = 0; index < LIVE_RULES_MAX; index += 1) {
    table = changeTable(table, { action: 'allow', host: `h${index}.example` }).table;
  }
  assert.equal(table.policy.allow.length, LIVE_RULES_MAX + 1);
  assert.throws(() => changeTable(table, { action: 'allow', host: 'more.example' }), { code: 'sandbox.live-rules' });
  assert.equal(changeTable(table, { action: 'allow', host: 'h7.example' }).rule.pointer, '/live/allow/7');
});

test('a restart keeps live rules and takes everything else from the new card', () => {
  const live = { ...TABLE, policy: after(['allow', 'a.example'], ['deny', 'b.example']) };
  const next: AgentTable = {
    ...TABLE,
    policy: { allow: [rule('new.example', [443], '/allowed_hosts/0')], deny: [] },
    caps: { maxBytes: 5, requestsPerMinute: null },
  };
  assert.deepEqual(carryLiveRules(live, next), {
    ...next,
    policy: {
      allow: [rule('new.example', [443], '/allowed_hosts/0'), rule('a.example', [80, 443], '/live/allow/0')],
      deny: [rule('b.example', null, '/live/deny/1')],
    },
  });
  assert.deepEqual(carryLiveRules(null, next), next);
});
