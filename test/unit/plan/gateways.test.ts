import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveCard } from '../../../src/card/resolve.ts';
import { planEgress } from '../../../src/plan/egress.ts';
import { type PlannedCredential, planCredentials } from '../../../src/plan/gateways.ts';
import { cardWith, parse } from '../card/verdict.ts';

/** What becomes of the credentials of a card, or lines of problems. */
function planned(keys: Readonly<Record<string, unknown>>): readonly PlannedCredential[] | readonly string[] {
  const card = parse(cardWith(keys));
  assert.ok(card.ok, JSON.stringify(card));
  const result = planCredentials(resolveCard(card.value, 'spawned'));
  return result.ok
    ? result.value
    : result.problems.map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
}

/** Mount and base of each gateway. */
function ways(keys: Readonly<Record<string, unknown>>): readonly string[] {
  return planned(keys).map((one) => {
    if (typeof one === 'string') return one;
    const { mount, base } = one.gateway ?? assert.fail('a gateway');
    return `${mount} ${base.scheme} ${base.host} ${base.port} ${base.path}`;
  });
}

const KEY = '/run/secrets/key';

test('the short form is the gateway of the provider, and of the one that the agent implies', () => {
  const anthropic = '/anthropic https api.anthropic.com 443 ';
  assert.deepEqual(ways({ api_key_file: KEY }), [anthropic]);
  assert.deepEqual(ways({ api_key_file: KEY, agent: 'codex' }), ['/openai/v1 https api.openai.com 443 /v1']);
  assert.deepEqual(ways({ api_key_file: KEY, agent: 'gemini' }), [
    '/google https generativelanguage.googleapis.com 443 ',
  ]);
  assert.deepEqual(ways({ api_provider: 'ollama' }), ['/ollama/v1 http 127.0.0.1 11434 /v1']);
  assert.deepEqual(ways({ api_provider: 'anthropic' }), []);
});

test('a base URL is taken apart: name in lower case, no final slash or dot, the port of its scheme', () => {
  const custom = (base_url: string): readonly string[] => ways({ credentials: [{ provider: 'custom', base_url }] });
  assert.deepEqual(custom('https://LLM.Example.com'), ['/custom/llm.example.com https llm.example.com 443 ']);
  assert.deepEqual(custom('https://llm.example.com:443/'), ['/custom/llm.example.com https llm.example.com 443 ']);
  assert.deepEqual(custom('https://llm.example.com:8443/a/b/'), [
    '/custom/llm.example.com:8443 https llm.example.com 8443 /a/b',
  ]);
  assert.deepEqual(custom('http://10.0.3.7/v1'), ['/custom/10.0.3.7 http 10.0.3.7 80 /v1']);
  assert.deepEqual(custom('http://[FD00::7]:8080'), ['/custom/[fd00::7]:8080 http fd00::7 8080 ']);
});

test('without TLS only an address of the own network will do', () => {
  const refused = (base_url: string): readonly string[] => ways({ credentials: [{ provider: 'custom', base_url }] });
  for (const base of [
    'http://llm.example.com',
    'http://localhost:11434/v1',
    'http://8.8.8.8',
    'http://[2606:4700::1]',
  ]) {
    assert.deepEqual(refused(base), [
      'plan.credentials-refused /credentials/0/base_url: The base URL of /credentials/0 has no TLS, so anybody on the way could read the key.',
    ]);
  }
  for (const base of ['http://127.0.0.1', 'http://192.168.1.2:1', 'http://[::1]:2'])
    assert.match(refused(base)[0] ?? '', /^\/custom\//);
});

test('two ways to one server are one too many, whatever they are called', () => {
  const twice = (...credentials: readonly object[]): readonly string[] => ways({ credentials });
  const git = { provider: 'git', api_key_file: KEY };
  assert.deepEqual(twice({ provider: 'openai', api_key_file: KEY }, { provider: 'openai', api_key_file: KEY }), [
    'card.conflict /credentials/1: /credentials/1 and /credentials/0 are for the same provider, and there is one way to it.',
  ]);
  assert.deepEqual(
    twice({ ...git, base_url: 'https://git.example/a' }, { ...git, base_url: 'https://GIT.example:443/b' }),
    [
      'card.conflict /credentials/1: /credentials/1 and /credentials/0 are for the same server, and there is one way to it.',
    ],
  );
  const fine = twice({ ...git, base_url: 'https://git.example' }, { ...git, base_url: 'https://git.example:8443' });
  assert.deepEqual(
    fine.map((way) => way.split(' ')[0]),
    ['/git/git.example', '/git/git.example:8443'],
  );
});

test('a placeholder looks like a key, and no two agents or gateways have the same', () => {
  const credentials = [
    { provider: 'anthropic', api_key_file: KEY },
    { provider: 'openai', api_key_file: KEY },
    { provider: 'google', api_key_file: KEY },
    { provider: 'custom', base_url: 'https://a.example' },
    { provider: 'custom', base_url: 'https://b.example' },
    { provider: 'git', base_url: 'https://git.example', api_key_file: KEY },
  ];
  const of = (agent_id: string): readonly (string | null)[] =>
    planned({ agent_id, credentials }).map((one) =>
      typeof one === 'string' ? one : (one.gateway?.placeholder ?? null),
    );
  const first = of('a');
  assert.deepEqual(of('a'), first, 'the same agent has the same ones');
  const prefixes = [/^sk-ant-api03-[a-z0-9]{50}$/, /^sk-proj-/, /^AIzaSy/, /^sk-/, /^sk-/];
  prefixes.forEach((prefix, index) => {
    assert.match(first[index] ?? '', prefix);
  });
  assert.equal(first[5], null, 'git needs none');
  const all = [...first, ...of('b')].filter((one) => one !== null);
  assert.equal(new Set(all).size, 10);
});

test('a key that the agent gets itself has a variable and no gateway, that of git has a gateway all the same', () => {
  const git = { provider: 'git', base_url: 'https://git.example', api_key_file: KEY };
  const found = planned({ api_key_file: KEY, api_key_delivery: 'env', credentials: [git] });
  assert.deepEqual(
    found.map((one) => (typeof one === 'string' ? one : [one.variable, one.gateway?.mount])),
    [
      ['ANTHROPIC_API_KEY', undefined],
      [null, '/git/git.example'],
    ],
  );
});

test('a header is a field in lower case and a word', () => {
  const field = (header: string): unknown => {
    const [one] = planned({
      credentials: [{ provider: 'custom', base_url: 'https://a.example', api_key_file: KEY, header }],
    });
    return typeof one === 'object' ? one.gateway?.field : one;
  };
  assert.deepEqual(field('Api-Key'), { name: 'api-key', word: '' });
  assert.deepEqual(field('Authorization: Token'), { name: 'authorization', word: 'Token' });
});

test('a provider with a gateway needs no rule, and the key of another provider brings none along', () => {
  const allowed = (keys: Readonly<Record<string, unknown>>): readonly string[] => {
    const card = parse(cardWith(keys));
    assert.ok(card.ok);
    const plan = planEgress(resolveCard(card.value, 'spawned'), null);
    return plan.ok ? plan.value.table.policy.allow.map(({ host }) => host) : assert.fail('a plan');
  };
  assert.deepEqual(allowed({}), ['api.anthropic.com']);
  assert.deepEqual(allowed({ api_key_file: KEY }), []);
  assert.deepEqual(allowed({ credentials: [{ provider: 'openai', api_key_file: KEY }] }), []);
  const git = { provider: 'git', base_url: 'https://git.example', api_key_file: KEY };
  assert.deepEqual(allowed({ credentials: [git] }), ['api.anthropic.com']);
});
