import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { resolveCard } from '../../../src/card/resolve.ts';
import { planLaunch } from '../../../src/plan/launch.ts';
import { namedModel, wholeModelNames } from '../../../src/plan/presets/model-option.ts';
import { readPrompt } from '../../../src/plan/presets/preset.ts';

const GATEWAY = 'http://127.0.0.1:3128';
const CUSTOM = { provider: 'custom', base_url: 'https://llm.example.com/v1', api_key_file: '/k' };

/** What a card's agent is launched with, or its problems: code, pointer, message and suggestion. */
function launchOf(keys: object, words: readonly string[] = [], hasRelay = true): Record<string, unknown> {
  const text = JSON.stringify({ agent_id: 'a', workspace: '/srv/a', ...keys });
  const parsed = parseCard(Buffer.from(text), { format: 'json' });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const launch = planLaunch(resolveCard(parsed.value, 'spawned'), words, hasRelay);
  if (!launch.ok) return { problems: launch.problems };
  return { ...launch.value, files: launch.value.files.map(({ path, content }) => [path, content]) };
}

function commandOf(agent: string, words: readonly string[]): unknown {
  const { command, readsInput } = launchOf({ agent }, words);
  return [readsInput, command];
}

function settingsOf(keys: object, words: readonly string[] = []): unknown {
  const files = launchOf(keys, words)['files'] as readonly (readonly [string, string])[];
  return JSON.parse(files[0]?.[1] ?? '');
}

test('the last word is the prompt, and options at the end mean that there is none', () => {
  assert.deepEqual(readPrompt([]), { text: null, options: [] });
  assert.deepEqual(readPrompt(['do it']), { text: 'do it', options: [] });
  assert.deepEqual(readPrompt(['-m', 'x', 'do it']), { text: 'do it', options: ['-m', 'x'] });
  assert.deepEqual(readPrompt(['do it', '-m=x']), { text: null, options: ['do it', '-m=x'] });
  assert.deepEqual(readPrompt(['']), { text: '', options: [] });
});

test('the last model that the options name is the one, and opencode has its provider in front', () => {
  assert.equal(namedModel(['-m', 'a', '--model=b', '--mode', 'c']), 'b');
  assert.equal(namedModel(['--model', 'a=b']), 'a=b');
  assert.equal(namedModel(['-m']), null);
  assert.deepEqual(wholeModelNames(['-m', 'a/b', '--model=custom/c', '--x=-m', 'd'], 'custom'), [
    '-m',
    'custom/a/b',
    '--model=custom/c',
    '--x=-m',
    'd',
  ]);
});

test('a prompt makes a headless command that reads no input, and without one there is a conversation', () => {
  const claude = ['claude', '--dangerously-skip-permissions', '--setting-sources', 'user'];
  assert.deepEqual(commandOf('claude-code', ['--model', 'opus', 'do it']), [
    false,
    [...claude, '-p', '--model', 'opus', '--', 'do it'],
  ]);
  assert.deepEqual(commandOf('claude-code', ['--continue']), [true, [...claude, '--continue']]);
  const bypass = '--dangerously-bypass-approvals-and-sandbox';
  assert.deepEqual(commandOf('codex', ['-m', 'x', 'do it']), [
    false,
    ['codex', 'exec', bypass, '--skip-git-repo-check', '-m', 'x', '--', 'do it'],
  ]);
  assert.deepEqual(commandOf('codex', []), [true, ['codex', bypass]]);
  const yolo = ['gemini', '--approval-mode', 'yolo'];
  assert.deepEqual(commandOf('gemini', ['-m', 'x', 'do it']), [false, [...yolo, '-m', 'x', '-p', 'do it']]);
  assert.deepEqual(commandOf('gemini', []), [true, yolo]);
  assert.deepEqual(commandOf('opencode', ['-m', 'a/b', 'do it']), [
    false,
    ['opencode', 'run', '-m', 'a/b', '--', 'do it'],
  ]);
  assert.deepEqual(commandOf('opencode', []), [true, ['opencode']]);
  assert.deepEqual(commandOf('shell', ['-c', 'true']), [true, ['/bin/sh', '-c', 'true']]);
});

test('without a key the agents start all the same, and nothing leads them to a gateway', () => {
  for (const agent of ['claude-code', 'codex', 'gemini', 'opencode', 'shell']) {
    for (const hasRelay of [true, false]) {
      const launch = launchOf({ agent }, ['do it'], hasRelay);
      assert.deepEqual(
        [agent, JSON.stringify(launch).includes('127.0.0.1'), launch['problems']],
        [agent, false, undefined],
      );
      assert.deepEqual([agent, launch['writable'], launch['notices']], [agent, [], []]);
    }
  }
});

test('an agent without a way to the proxy is led to no gateway', () => {
  const launch = launchOf({ agent: 'codex', api_provider: 'ollama' }, ['-m', 'x', 'do it'], false);
  assert.equal(JSON.stringify(launch).includes('127.0.0.1'), false);
});

test('Claude Code has its base URL and placeholder where a repository cannot change them', () => {
  const { variables, files } = launchOf({ agent: 'claude-code', api_key_file: '/k' }, ['do it']);
  const placeholder = 'sk-ant-api03-agentspawn01614457bff0ed43475099cb4cee1c3d6abf5886';
  const env = { ANTHROPIC_BASE_URL: `${GATEWAY}/anthropic`, ANTHROPIC_API_KEY: placeholder };
  assert.deepEqual(variables, { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', ...env });
  assert.deepEqual(files, [
    ['/etc/claude-code/managed-settings.json', `${JSON.stringify({ env }, null, 2)}\n`],
    ['/etc/claude-code/CLAUDE.md', '@/workspace/CLAUDE.md\n@/workspace/.claude/CLAUDE.md\n'],
  ]);
});

test('Claude Code with a custom provider is led to that, also when there is one of Anthropic', () => {
  const credentials = [CUSTOM, { provider: 'anthropic', api_key_file: '/k' }];
  const { variables } = launchOf({ agent: 'claude-code', credentials }) as { variables: Record<string, string> };
  assert.equal(variables['ANTHROPIC_BASE_URL'], `${GATEWAY}/custom/llm.example.com`);
  assert.equal(variables['ANTHROPIC_API_KEY'], variables['CUSTOM_API_KEY']);
});

test('Codex has a provider of its own that names the variable of the placeholder', () => {
  const provider = (name: string, path: string, variable: string): string =>
    `[model_providers.card]\nname = "${name}"\nbase_url = "${path}"\nenv_key = "${variable}"\nwire_api = "responses"\n`;
  const tail = (keys: object): unknown => {
    const [[path, content] = ['', '']] = launchOf({ agent: 'codex', ...keys })['files'] as [string, string][];
    return [path, content.startsWith('model_provider = "card"\n'), content.slice(content.indexOf('[model_providers'))];
  };
  const file = '/etc/codex/managed_config.toml';
  assert.deepEqual(tail({ api_key_file: '/k' }), [
    file,
    true,
    provider('openai', `${GATEWAY}/openai/v1`, 'OPENAI_API_KEY'),
  ]);
  assert.deepEqual(tail({ api_provider: 'ollama' }), [
    file,
    true,
    provider('ollama', `${GATEWAY}/ollama/v1`, 'OLLAMA_API_KEY'),
  ]);
  assert.deepEqual(tail({ credentials: [CUSTOM] }), [
    file,
    true,
    provider('custom', `${GATEWAY}/custom/llm.example.com`, 'CUSTOM_API_KEY'),
  ]);
  assert.deepEqual(tail({ credentials: [{ ...CUSTOM, variable: 'LLM_KEY' }], api_key_delivery: 'env' }), [
    file,
    true,
    provider('custom', 'https://llm.example.com/v1', 'LLM_KEY'),
  ]);
});

test('Gemini CLI has its state beside the home directory, around settings that it cannot change', () => {
  const { variables, files, writable } = launchOf({ agent: 'gemini', api_key_file: '/k' });
  assert.deepEqual(variables, {
    GEMINI_API_KEY: 'AIzaSyagentspawn0b732711a602f058c4f778ed484f9ed7f6fdf1cb',
    GEMINI_CLI_HOME: '/var/gemini-cli',
    GEMINI_CLI_NO_RELAUNCH: 'true',
    GEMINI_CLI_TRUST_WORKSPACE: 'true',
    GEMINI_MODEL: 'pro',
    GOOGLE_GEMINI_BASE_URL: `${GATEWAY}/google`,
  });
  assert.deepEqual(writable, ['/var/gemini-cli']);
  const settings = {
    security: { auth: { selectedType: 'gemini-api-key' } },
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
    privacy: { usageStatisticsEnabled: false },
  };
  assert.deepEqual(files, [['/var/gemini-cli/.gemini/settings.json', `${JSON.stringify(settings, null, 2)}\n`]]);
});

test('opencode has one provider, under the base URL that its own clients want', () => {
  const providerOf = (keys: object): unknown => {
    const {
      enabled_providers: enabled,
      provider,
      model,
    } = settingsOf({ agent: 'opencode', ...keys }) as {
      enabled_providers: unknown;
      provider: unknown;
      model?: unknown;
    };
    return [enabled, provider, model];
  };
  const options = (baseURL: string, variable: string): object => ({
    options: { baseURL, apiKey: `{env:${variable}}` },
  });
  assert.deepEqual(providerOf({ api_key_file: '/k' }), [
    ['anthropic'],
    { anthropic: options(`${GATEWAY}/anthropic/v1`, 'ANTHROPIC_API_KEY') },
    undefined,
  ]);
  assert.deepEqual(providerOf({ api_provider: 'openai', api_key_file: '/k' }), [
    ['openai'],
    { openai: options(`${GATEWAY}/openai/v1`, 'OPENAI_API_KEY') },
    undefined,
  ]);
  assert.deepEqual(providerOf({ api_provider: 'google', api_key_file: '/k' }), [
    ['google'],
    { google: options(`${GATEWAY}/google/v1beta`, 'GEMINI_API_KEY') },
    'google/gemini-flash-latest',
  ]);
  assert.deepEqual(providerOf({ api_provider: 'openai', api_key_file: '/k', api_key_delivery: 'env' }), [
    ['openai'],
    { openai: { options: { apiKey: '{env:OPENAI_API_KEY}' } } },
    undefined,
  ]);
});

test('opencode gets the model of a provider without a catalogue from the words, or says that it has none', () => {
  const card = { agent: 'opencode', api_provider: 'ollama' };
  const settings = settingsOf(card, ['-m', 'qwen3', 'do it']) as Record<string, unknown>;
  assert.deepEqual(
    [settings['model'], settings['small_model'], settings['provider']],
    [
      'ollama/qwen3',
      'ollama/qwen3',
      {
        ollama: {
          npm: '@ai-sdk/openai-compatible',
          options: { baseURL: `${GATEWAY}/ollama/v1`, apiKey: '{env:OLLAMA_API_KEY}' },
          models: { qwen3: {} },
        },
      },
    ],
  );
  const { command } = launchOf(card, ['-m', 'qwen3', 'do it']);
  assert.deepEqual(command, ['opencode', 'run', '-m', 'ollama/qwen3', '--', 'do it']);
  assert.deepEqual(launchOf(card, ['do it'])['notices'], [
    'opencode knows no model of "ollama"; name one before the prompt: -- -m NAME "…".',
  ]);
});

test('an agent whose model is of a provider that it cannot talk to is refused, where the card says so', () => {
  const refusal = (keys: object): unknown => launchOf(keys)['problems'];
  assert.deepEqual(refusal({ agent: 'claude-code', api_provider: 'openai', api_key_file: '/k' }), [
    {
      code: 'card.conflict',
      pointer: '/api_provider',
      message: 'The agent "claude-code" cannot talk to the provider "openai".',
      suggestion: 'Choose "anthropic" or "custom"; or another "agent", or a "command" of your own.',
    },
  ]);
  const pointers = (keys: object): unknown =>
    (refusal(keys) as { code: string; pointer: string }[]).map(({ code, pointer }) => `${code} ${pointer}`);
  const git = { provider: 'git', base_url: 'https://git.example', api_key_file: '/k' };
  const openai = { provider: 'openai', api_key_file: '/k' };
  assert.deepEqual(pointers({ agent: 'gemini', credentials: [git, openai] }), ['card.conflict /credentials/1']);
  assert.deepEqual(pointers({ agent: 'codex', api_provider: 'anthropic' }), ['card.conflict /api_provider']);
  assert.deepEqual(refusal({ agent: 'gemini', credentials: [openai], command: ['true'] }), undefined);
  assert.deepEqual(refusal({ agent: 'shell', credentials: [openai] }), undefined);
});

test('a key that an agent would not find in its environment is refused with the variable that it reads', () => {
  const card = { agent: 'claude-code', api_key_delivery: 'env', credentials: [{ ...CUSTOM, variable: 'LLM_KEY' }] };
  assert.deepEqual(launchOf(card)['problems'], [
    {
      code: 'card.conflict',
      pointer: '/credentials/0/variable',
      message: 'The agent "claude-code" reads its key from ANTHROPIC_API_KEY, and the card puts it into LLM_KEY.',
      suggestion: 'Write "variable": "ANTHROPIC_API_KEY", or leave the delivery to the gateway.',
    },
  ]);
});
