import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { resolveCard } from '../../../src/card/resolve.ts';
import { planLaunch } from '../../../src/plan/launch.ts';

const GATEWAY = 'http://127.0.0.1:3128';

/** Variables of a card with a command of its own, placeholders shortened; or code, pointer and message of its problems. */
function variablesOf(keys: object, hasRelay = true): unknown {
  const text = JSON.stringify({ agent_id: 'a', workspace: '/srv/a', command: ['true'], ...keys });
  const parsed = parseCard(Buffer.from(text), { format: 'json' });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const launch = planLaunch(resolveCard(parsed.value, 'spawned'), [], hasRelay);
  if (!launch.ok) return launch.problems.map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
  return Object.fromEntries(
    Object.entries(launch.value.variables).map(([name, value]) => [
      name,
      value.replace(/agentspawn[0-9a-f]{40}$/, '…'),
    ]),
  );
}

test('a command of the card finds every gateway where the client libraries look for it', () => {
  const credentials = ['anthropic', 'openai', 'google'].map((provider) => ({ provider, api_key_file: '/k' }));
  assert.deepEqual(variablesOf({ credentials }), {
    ANTHROPIC_API_KEY: 'sk-ant-api03-…',
    ANTHROPIC_BASE_URL: `${GATEWAY}/anthropic`,
    GEMINI_API_KEY: 'AIzaSy…',
    GOOGLE_GEMINI_BASE_URL: `${GATEWAY}/google`,
    OPENAI_API_KEY: 'sk-proj-…',
    OPENAI_BASE_URL: `${GATEWAY}/openai/v1`,
  });
  assert.deepEqual(variablesOf({}), {});
});

test('ollama is where libraries of OpenAI look, unless OpenAI is there itself', () => {
  const ollama = { OLLAMA_API_KEY: 'sk-…', OLLAMA_BASE_URL: `${GATEWAY}/ollama/v1` };
  const card = { api_provider: 'ollama' };
  assert.deepEqual(variablesOf(card), {
    ...ollama,
    OPENAI_API_KEY: 'sk-…',
    OPENAI_BASE_URL: `${GATEWAY}/ollama/v1`,
  });
  assert.deepEqual(variablesOf({ ...card, credentials: [{ provider: 'openai', api_key_file: '/k' }] }), {
    ...ollama,
    OPENAI_API_KEY: 'sk-proj-…',
    OPENAI_BASE_URL: `${GATEWAY}/openai/v1`,
  });
  assert.deepEqual(variablesOf(card, false), {});
});

test('custom providers are counted from the second on', () => {
  const credentials = ['https://one.example/v1', 'https://two.example:8443'].map((base_url) => {
    return { provider: 'custom', base_url };
  });
  assert.deepEqual(variablesOf({ credentials }), {
    CUSTOM_API_KEY: 'sk-…',
    CUSTOM_BASE_URL: `${GATEWAY}/custom/one.example`,
    CUSTOM_2_API_KEY: 'sk-…',
    CUSTOM_2_BASE_URL: `${GATEWAY}/custom/two.example:8443`,
  });
});

test('keys in the environment go with the base URL of the card, and the key itself is none of these variables', () => {
  const card = { credentials: [{ provider: 'openai', base_url: 'https://llm.example/v1', api_key_file: '/k' }] };
  assert.deepEqual(variablesOf({ ...card, api_key_delivery: 'env' }), { OPENAI_BASE_URL: 'https://llm.example/v1' });
  const plain = { api_provider: 'openai', api_key_file: '/k', api_key_delivery: 'env' };
  assert.deepEqual(variablesOf(plain), {});
});

test('git goes through the gateway for what its token is for, however the address is written', () => {
  const token = (base_url: string): object => ({ provider: 'git', base_url, api_key_file: '/k' });
  assert.deepEqual(variablesOf({ credentials: [token('https://git.example'), token('https://h.example:8443/org/')] }), {
    GIT_CONFIG_COUNT: '6',
    GIT_CONFIG_KEY_0: `url.${GATEWAY}/git/git.example/.insteadOf`,
    GIT_CONFIG_VALUE_0: 'https://git.example/',
    GIT_CONFIG_KEY_1: `url.${GATEWAY}/git/git.example/.insteadOf`,
    GIT_CONFIG_VALUE_1: 'ssh://git@git.example/',
    GIT_CONFIG_KEY_2: `url.${GATEWAY}/git/git.example/.insteadOf`,
    GIT_CONFIG_VALUE_2: 'git@git.example:',
    GIT_CONFIG_KEY_3: `url.${GATEWAY}/git/h.example:8443/org.insteadOf`,
    GIT_CONFIG_VALUE_3: 'https://h.example:8443/org',
    GIT_CONFIG_KEY_4: `url.${GATEWAY}/git/h.example:8443/org.insteadOf`,
    GIT_CONFIG_VALUE_4: 'ssh://git@h.example/org',
    GIT_CONFIG_KEY_5: `url.${GATEWAY}/git/h.example:8443/org.insteadOf`,
    GIT_CONFIG_VALUE_5: 'git@h.example:org',
    GIT_TERMINAL_PROMPT: '0',
  });
});

test('a card sets no variable that leads to a gateway of its own, and any other', () => {
  const environment = { ANTHROPIC_BASE_URL: 'https://elsewhere.example', OPENAI_API_KEY: 'x' };
  const anthropic = { provider: 'anthropic', api_key_file: '/k' };
  const sentence = (name: string): string =>
    `card.conflict /environment/${name}: The variable ${name} belongs to a credential of the card, which the sandbox sets it for.`;
  assert.deepEqual(variablesOf({ environment, credentials: [anthropic] }), [sentence('ANTHROPIC_BASE_URL')]);
  assert.deepEqual(variablesOf({ environment }), {});
  const git = { provider: 'git', base_url: 'https://git.example', api_key_file: '/k' };
  assert.deepEqual(variablesOf({ environment: { GIT_CONFIG_COUNT: '0' }, credentials: [git] }), [
    sentence('GIT_CONFIG_COUNT'),
  ]);
});
