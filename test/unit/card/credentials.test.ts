import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveCard } from '../../../src/card/resolve.ts';
import { cardWith, parse, problemLines } from './verdict.ts';

const KEY = '/run/secrets/key';
const GIT = { provider: 'git', base_url: 'https://git.example', api_key_file: KEY };
const CUSTOM = { provider: 'custom', base_url: 'https://a.example', api_key_file: KEY };

/** Problems without what to do about them. */
function problems(keys: Readonly<Record<string, unknown>>): readonly string[] {
  return problemLines(cardWith(keys)).map((line) => line.replace(/ \[[^[]*\]$/, ''));
}

/** The same for one entry of `credentials`. */
function entry(credential: object, keys: object = {}): readonly string[] {
  return problems({ credentials: [credential], ...keys });
}

test('a key has a source: a path or a credential of systemd, and never the key itself', () => {
  for (const good of ['/run/k', 'credential:k', 'credential:A_b-c.d'])
    assert.deepEqual(problems({ api_key_file: good }), []);
  const bad: readonly (readonly [string, string])[] = [
    ['credential:', 'names no systemd credential.'],
    ['credential:../k', 'names no systemd credential.'],
    ['credential:.k', 'names no systemd credential.'],
    ['credential:a/b', 'names no systemd credential.'],
    ['sk-ant-api03-abcdefghijklmnop', 'is no path.'],
    ['~/key', 'is "~/key", which does not start with "/"; a path must be absolute and normal.'],
    ['/run/../k', 'is "/run/../k", which has a part ".."; a path must be absolute and normal.'],
  ];
  for (const [source, cause] of bad) {
    const [line = ''] = problems({ api_key_file: source });
    assert.equal(line.replace(/^card\.bad-(?:format|path) /, ''), `/api_key_file: "api_key_file" ${cause}`);
    assert.doesNotMatch(problemLines(cardWith({ api_key_file: source })).join(), /sk-ant/);
  }
});

test('a base URL is whole, without secrets in it, and its host is a host', () => {
  const base = (base_url: string): readonly string[] => entry({ ...CUSTOM, base_url });
  for (const good of ['https://a.example', 'https://a.example:1/v1/', 'http://10.0.0.1', 'https://[::1]/x']) {
    assert.deepEqual(base(good), []);
  }
  const at = 'card.bad-format /credentials/0/base_url: "credentials[0].base_url"';
  assert.deepEqual(base('https://u:canary@a.example'), [`${at} holds a user name or a password.`]);
  for (const bad of [
    'a.example',
    'https://a.example?x',
    'https://a.example/../b',
    'ftp://a.example',
    'https://',
    'https://a:0',
  ]) {
    assert.deepEqual(base(bad), [
      `${at} is ${JSON.stringify(bad)}, but a base URL is written https://HOST:PORT/PATH, without a query.`,
    ]);
  }
  for (const bad of ['https://a.1', 'http://1.2.3.4.5', 'https://[::1.2.3]']) {
    assert.deepEqual(base(bad), [`${at} is ${JSON.stringify(bad)}, whose host is neither a name nor an address.`]);
  }
  assert.deepEqual(problems({ proxy: 'http://squid.1:3128' }), [
    'card.bad-format /proxy: "proxy" is "http://squid.1:3128", whose host is neither a name nor an address.',
  ]);
});

test('each provider has what it needs, and nothing that would do nothing', () => {
  const missing = (key: string, provider: string): string =>
    `card.missing-key /credentials/0/${key}: "credentials[0].${key}" is missing, and "${provider}" needs it.`;
  for (const provider of ['anthropic', 'openai', 'google']) {
    assert.deepEqual(entry({ provider }), [missing('api_key_file', provider)]);
    assert.deepEqual(entry({ provider, api_key_file: KEY }), []);
  }
  assert.deepEqual(entry({ provider: 'git' }), [missing('api_key_file', 'git'), missing('base_url', 'git')]);
  assert.deepEqual(entry({ provider: 'custom' }), [missing('base_url', 'custom')]);
  assert.deepEqual(entry({ provider: 'ollama' }), []);
  const useless = (key: string, cause: string): readonly string[] => [
    `card.conflict /credentials/0/${key}: "credentials[0].${key}" ${cause}.`,
  ];
  const env = { api_key_delivery: 'env' };
  assert.deepEqual(
    entry({ ...GIT, header: 'x' }),
    useless('header', 'stands at a credential for git, which sends it its own way'),
  );
  assert.deepEqual(
    entry({ provider: 'ollama', header: 'x' }),
    useless('header', 'says how a key is sent, and there is no key'),
  );
  assert.deepEqual(
    entry({ provider: 'openai', api_key_file: KEY, header: 'x' }, env),
    useless('header', 'says how the gateway sends a key that the agent sends itself'),
  );
  assert.deepEqual(
    entry({ ...CUSTOM, username: 'u' }),
    useless('username', 'stands at a credential that is not for git'),
  );
  const notGiven = useless('variable', 'names a variable for a key that the agent does not get');
  assert.deepEqual(entry({ ...CUSTOM, variable: 'V' }), notGiven);
  assert.deepEqual(entry({ ...GIT, variable: 'V' }, env), notGiven);
  assert.deepEqual(
    entry({ provider: 'ollama', variable: 'V' }, env),
    useless('variable', 'names a variable for a key, and there is no key'),
  );
  assert.deepEqual(entry(CUSTOM, env), [missing('variable', 'custom')]);
  assert.deepEqual(entry({ ...CUSTOM, variable: 'V' }, env), []);
});

test('the short form is one key, for a provider that has an address, and no other key is for the same', () => {
  const twice = (provider: string): readonly string[] => [
    `card.conflict /api_key_file: "api_key_file" is a key for "${provider}", and "credentials[0]" is another.`,
  ];
  const openai = { credentials: [{ provider: 'openai', api_key_file: KEY }], api_key_file: KEY };
  assert.deepEqual(problems(openai), []);
  assert.deepEqual(problems({ ...openai, api_provider: 'openai' }), twice('openai'));
  assert.deepEqual(problems({ ...openai, agent: 'codex' }), twice('openai'), 'the agent implies it');
  assert.deepEqual(problems({ api_key_file: KEY, api_provider: 'custom' }), [
    'card.conflict /api_key_file: "api_key_file" is the key of a "custom" provider, which has no address.',
  ]);
});

test('a gateway needs a way to it, and a budget something that counts', () => {
  const beside = (pointer: string, name: string, mode: string): string =>
    `card.conflict ${pointer}: "${name}" stands beside the network mode "${mode}", which has no way to the gateway that adds keys.`;
  for (const mode of ['none', 'host']) {
    const network = { mode };
    assert.deepEqual(problems({ network, api_key_file: KEY }), [beside('/api_key_file', 'api_key_file', mode)]);
    assert.deepEqual(problems({ network, api_key_file: KEY, api_key_delivery: 'env' }), []);
    assert.deepEqual(problems({ network, credentials: [GIT], api_key_delivery: 'env' }), [
      beside('/credentials/0', 'credentials[0]', mode),
    ]);
  }
  const budget = { requests: 1 };
  const useless = [
    'card.conflict /budget: "budget" stands in a card without a gateway to a model, so nothing would count.',
  ];
  for (const good of [{ api_key_file: KEY }, { api_provider: 'ollama' }, { credentials: [CUSTOM] }]) {
    assert.deepEqual(problems({ budget, ...good }), []);
  }
  const bad = [
    {},
    { api_provider: 'openai' },
    { credentials: [] },
    { credentials: [GIT] },
    { api_key_file: KEY, api_key_delivery: 'env' },
  ];
  for (const keys of bad) assert.deepEqual(problems({ budget, ...keys }), useless, JSON.stringify(keys));
});

test('what others say of a card is repeated in quotes only', () => {
  const nasty = 'a\u001b[31m\nb';
  const lines = problemLines(
    cardWith({ api_key_file: KEY, network: { mode: nasty }, credentials: [{ provider: nasty }], api_provider: nasty }),
  );
  assert.ok(lines.length >= 3);
  for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f]/);
});

test('the provider is the one named, or that of the first key for a model, or that of the agent', () => {
  const provider = (keys: Readonly<Record<string, unknown>>): string => {
    const card = parse(cardWith(keys));
    return card.ok ? resolveCard(card.value, 'spawned').apiProvider : assert.fail('a valid card');
  };
  const google = { provider: 'google', api_key_file: KEY };
  assert.equal(provider({}), 'anthropic');
  assert.equal(provider({ agent: 'codex' }), 'openai');
  assert.equal(provider({ credentials: [GIT, google] }), 'google');
  assert.equal(provider({ credentials: [GIT] }), 'anthropic');
  assert.equal(provider({ credentials: [google], api_key_file: KEY }), 'anthropic');
  assert.equal(provider({ credentials: [google], api_provider: 'openai' }), 'openai');
});
