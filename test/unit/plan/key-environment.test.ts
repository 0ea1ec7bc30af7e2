import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { resolveCard } from '../../../src/card/resolve.ts';
import { planEgress } from '../../../src/plan/egress.ts';
import { heldKeys, keyOptions } from '../../../src/plan/key-environment.ts';
import { factQuery, type PlanRequest, planAgent } from '../../../src/plan/plan.ts';
import { hostFacts } from '../../helpers/facts.ts';

const ENV = { agent: 'shell', api_provider: 'openai', api_key_file: '/etc/keys/openai', api_key_delivery: 'env' };

function request(keys: object): PlanRequest {
  const parsed = parseCard(Buffer.from(JSON.stringify({ agent_id: 'a', workspace: '/srv/a', ...keys })), {
    format: 'json',
  });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return {
    card: resolveCard(parsed.value, 'spawned'),
    arguments: ['-c', 'true'],
    agentUid: 1_900_000_000,
    uidRange: { first: 1_900_000_000, count: 65_536 },
    agentsRunDirectory: '/run/agent-spawn/agents',
    homesDirectory: '/run/agent-spawn/homes',
    linkIndex: null,
  };
}

/** What is wrong with a card, or the rules, the notices and the variables of its plan. */
function outcome(keys: object, canLoadCredential: boolean | null = true): unknown {
  const plan = planAgent(request({ ...ENV, ...keys }), hostFacts('/srv/a', { canLoadCredential }));
  if (!plan.ok) return plan.problems.map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
  const { keys: held, network, notices } = plan.value;
  return {
    held: held?.keys.map(({ variable, source }) => `${variable} ${source}`),
    reach: network.egress?.table.policy.allow.map(({ host, ports }) => `${host} ${ports}`),
    gateways: network.egress?.table.gateways.map(({ mount }) => mount),
    notices,
  };
}

test('the provider of a key in the environment is reached without a gateway, and the plan says who holds the key', () => {
  assert.deepEqual(outcome({}), {
    held: ['OPENAI_API_KEY /etc/keys/openai'],
    reach: ['api.openai.com 443'],
    gateways: [],
    notices: [
      'The agent holds its key, in its environment (OPENAI_API_KEY), and can send it wherever it may send anything.',
    ],
  });
});

test('allowed hosts are all of them', () => {
  assert.deepEqual((outcome({ allowed_hosts: [] }) as { reach: unknown }).reach, []);
});

test('a key for git stays at the gateway', () => {
  const git = { provider: 'git', api_key_file: '/etc/keys/git', base_url: 'https://git.example' };
  const { card } = request({ ...ENV, credentials: [git] });
  const egress = planEgress(card, null);
  assert.deepEqual(
    [heldKeys(card).map(({ variable }) => variable), egress.ok ? egress.value.secrets.gateways : egress.problems],
    [
      ['OPENAI_API_KEY'],
      [{ mount: '/git/git.example', source: '/etc/keys/git', pointer: '/credentials/0/api_key_file' }],
    ],
  );
});

test('the place of another server is implied, with its port', () => {
  const inner = { provider: 'custom', api_key_file: 'credential:inner', base_url: 'https://llm.corp:8443/v1' };
  const { held, reach } = outcome({
    api_key_file: undefined,
    api_provider: undefined,
    credentials: [{ ...inner, variable: 'INNER' }],
  }) as { held: unknown; reach: unknown };
  assert.deepEqual([held, reach], [['INNER credential:inner'], ['llm.corp 8443']]);
});

test('a variable that somebody else sets too is refused', () => {
  assert.deepEqual(outcome({ environment: { OPENAI_API_KEY: 'x' } }), [
    'card.conflict /api_key_file: The key of /api_key_file belongs in the variable OPENAI_API_KEY, which /environment/OPENAI_API_KEY sets too.',
  ]);
  const other = { provider: 'google', api_key_file: '/etc/keys/google' };
  assert.deepEqual(outcome({ credentials: [{ ...other, variable: 'OPENAI_API_KEY' }] }), [
    'card.conflict /credentials/0/api_key_file: The key of /credentials/0/api_key_file belongs in the variable OPENAI_API_KEY, which /api_key_file sets too.',
  ]);
  assert.deepEqual(outcome({ credentials: [{ ...other, variable: 'HOME' }] }), [
    'card.conflict /credentials/0/api_key_file: The key of /credentials/0/api_key_file belongs in the variable HOME, which the sandbox itself sets too.',
  ]);
});

test('a host whose PID 1 cannot hand keys over refuses the card', () => {
  assert.deepEqual(outcome({}, false), [
    'host.credentials-unavailable /api_key_delivery: PID 1 cannot hand keys to a unit on this host: what it mounts below /run for them does not arrive.',
  ]);
});

test('only a card with keys in the environment asks for that', () => {
  assert.equal(factQuery(request(ENV).card).wantsCredential, true);
  assert.equal(factQuery(request({ ...ENV, api_key_delivery: 'gateway' }).card).wantsCredential, false);
});

test('keys are options of bubblewrap, each word ended by NUL', () => {
  assert.equal(
    keyOptions([
      { variable: 'A', value: 'sk-1' },
      { variable: 'B', value: '--bind / /' },
    ]),
    '--setenv\0A\0sk-1\0--setenv\0B\0--bind / /\0',
  );
});
