import type { Preset, PresetInput, PresetLaunch } from './preset.ts';
import { type ModelAccess, readPrompt } from './preset.ts';

/** Settings of the administrator, which come after those of the user, the project and the command line. */
const SETTINGS = '/etc/codex/managed_config.toml';

/** Codex: it speaks the Responses API, and brings a sandbox of its own that has no place inside another. */
export const CODEX: Preset = {
  program: 'codex',
  install: 'npm install -g @openai/codex',
  providers: ['openai', 'custom', 'ollama'],
  keyVariable: null,
  launch,
};

function launch({ access, words }: PresetInput): PresetLaunch {
  const { text, options } = readPrompt(words);
  const fixed = ['--dangerously-bypass-approvals-and-sandbox'];
  return {
    command:
      text === null
        ? ['codex', ...fixed, ...options]
        : ['codex', 'exec', ...fixed, '--skip-git-repo-check', ...options, '--', text],
    access: {},
    switches: {},
    files: access === null ? [] : [{ path: SETTINGS, content: settings(access) }],
    notices: [],
  };
}

function settings({ baseUrl, variable }: ModelAccess): string {
  const lines = [
    'model_provider = "agent-spawn"',
    '[model_providers.agent-spawn]',
    'name = "agent-spawn"',
    `base_url = ${JSON.stringify(baseUrl ?? 'https://api.openai.com/v1')}`,
    ...(variable === null ? [] : [`env_key = ${JSON.stringify(variable)}`]),
    'wire_api = "responses"',
  ];
  return lines.map((line) => `${line}\n`).join('');
}
