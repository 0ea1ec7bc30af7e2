import { jsonText, type ModelAccess, type Preset, type PresetInput, type PresetLaunch, readPrompt } from './preset.ts';

/** Settings of the administrator, which those of the user and of the project cannot change. */
const SETTINGS = '/etc/claude-code/managed-settings.json';

/** Claude Code. Its own permission prompts are off: the sandbox is the wall, and headless nobody answers them. */
export const CLAUDE_CODE: Preset = {
  program: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',
  providers: ['anthropic', 'custom'],
  keyVariable: 'ANTHROPIC_API_KEY',
  launch,
};

function launch({ access, words }: PresetInput): PresetLaunch {
  const { text, options } = readPrompt(words);
  const command = ['claude', '--dangerously-skip-permissions'];
  return {
    command: text === null ? [...command, ...options] : [...command, '-p', ...options, '--', text],
    access: access === null ? {} : accessVariables(access),
    // Updates, telemetry, error reports and surveys; all but the first go with one switch.
    switches: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
    files: [{ path: SETTINGS, content: jsonText(settings(access)) }],
    notices: [],
  };
}

function accessVariables({ baseUrl, placeholder }: ModelAccess): Record<string, string> {
  return {
    ...(baseUrl === null ? {} : { ANTHROPIC_BASE_URL: baseUrl }),
    ...(placeholder === null ? {} : { ANTHROPIC_API_KEY: placeholder }),
  };
}

function settings(access: ModelAccess | null): object {
  return access === null ? {} : { env: accessVariables(access) };
}
