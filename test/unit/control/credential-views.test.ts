import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { type ResolvedCard, resolveCard } from '../../../src/card/resolve.ts';
import { budgetView, credentialViews } from '../../../src/control/credential-views.ts';
import type { EgressSummary } from '../../../src/policy/table.ts';
import { usage } from '../audit/samples.ts';

function cardOf(keys: Readonly<Record<string, unknown>>): ResolvedCard {
  const parsed = parseCard(Buffer.from(JSON.stringify({ agent_id: 'demo', workspace: '/mnt/demo', ...keys })), {
    format: 'json',
  });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return resolveCard(parsed.value, 'spawned');
}

function summaryOf(gateways: EgressSummary['gateways']): EgressSummary {
  const counters = { allowed: 0, refused: 0, bytesSent: 0, bytesReceived: 0, openConnections: 0 };
  return { id: 'demo', ...counters, topRefusals: [], gateways, auditHead: { sequence: 0, hash: '' } };
}

const CREDENTIALS = [
  { provider: 'anthropic', api_key_file: '/run/secrets/anthropic' },
  { provider: 'ollama', base_url: 'http://[fd00::1]:11434/v1' },
  { provider: 'git', base_url: 'https://git.example.com:8443/team/', api_key_file: 'credential:git' },
];

test('a credential is shown with where it comes from, what the agent uses, where that leads and what was used', () => {
  const { mount: _, provider: _provider, ...counts } = usage();
  const views = credentialViews(cardOf({ credentials: CREDENTIALS }), summaryOf([usage()]));
  const gateway = { delivery: 'gateway', variable: null } as const;
  assert.deepEqual(views, [
    {
      ...{ provider: 'anthropic', ...gateway, source: '/run/secrets/anthropic', usage: counts },
      ...{ address: 'http://127.0.0.1:3128/anthropic', leadsTo: 'https://api.anthropic.com' },
    },
    {
      ...{ provider: 'ollama', ...gateway, source: null, usage: null },
      ...{ address: 'http://127.0.0.1:3128/ollama/v1', leadsTo: 'http://[fd00::1]:11434/v1' },
    },
    {
      ...{ provider: 'git', ...gateway, source: 'credential:git', usage: null },
      ...{
        address: 'http://127.0.0.1:3128/git/git.example.com:8443/team',
        leadsTo: 'https://git.example.com:8443/team',
      },
    },
  ]);
});

test('a key that the agent has itself is shown by its variable', () => {
  const card = cardOf({ api_provider: 'anthropic', api_key_file: '/run/secrets/k', api_key_delivery: 'env' });
  assert.deepEqual(credentialViews(card, null), [
    {
      ...{ provider: 'anthropic', delivery: 'env', source: '/run/secrets/k', variable: 'ANTHROPIC_API_KEY' },
      ...{ address: null, leadsTo: null, usage: null },
    },
  ]);
});

test('of a budget as much is left as nothing has used, and nothing is said where nobody knows', () => {
  const card = cardOf({ credentials: CREDENTIALS, budget: { requests: 3, tokens: 1000 } });
  const used = [
    usage({ modelCalls: 2, estimatedTokens: 10 }),
    usage({ mount: '/git', provider: 'git', modelCalls: 0, inputTokens: 0, outputTokens: 0 }),
  ];
  assert.deepEqual(budgetView(card, summaryOf(used)), {
    ...{ requests: 3, requestsSpent: 2, requestsLeft: 1 },
    ...{ tokens: 1000, tokensSpent: 1550, tokensLeft: 0 },
  });
  assert.deepEqual(budgetView(cardOf({ budget: { requests: 3 }, credentials: CREDENTIALS }), null), {
    ...{ requests: 3, requestsSpent: null, requestsLeft: null },
    ...{ tokens: null, tokensSpent: null, tokensLeft: null },
  });
  assert.equal(budgetView(cardOf({ credentials: CREDENTIALS }), summaryOf(used)), null);
});
