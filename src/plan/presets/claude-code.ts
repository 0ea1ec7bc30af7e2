import { WORKSPACE } from '../mount.ts';
import { jsonText, type ModelAccess, type Preset, type PresetInput, type PresetLaunch, readPrompt } from './preset.ts';

/** Settings and instructions of the administrator, over which those of the user and of the project have no say. */
const SETTINGS = '/etc/claude-code/managed-settings.json';
const INSTRUCTIONS = '/etc/claude-code/CLAUDE.md';

/** Claude Code. Its own permission prompts are off: the sandbox is the wall, and headless nobody answers them. */
export const CLAUDE_CODE: Preset = {
  program: 'claude',
  install: 'npm install -g @anthropic-ai/claude-code',
  providers: ['anthropic', 'custom'],
  keyVariable: 'ANTHROPIC_API_KEY',
  launch,
};

/**
 * Settings of a repository can run commands before the agent does anything: hooks, servers of tools, helpers that print
 * keys. So those of the user alone are read, and the instructions that go with the others are named instead.
 */
const FIXED = ['--dangerously-skip-permissions', '--setting-sources', 'user'];
const NAMED_INSTRUCTIONS = `@${WORKSPACE}/CLAUDE.md\n@${WORKSPACE}/.claude/CLAUDE.md\n`;

function launch({ access, words }: PresetInput): PresetLaunch {
  const { text, options } = readPrompt(words);
  return {
    command: ['claude', ...FIXED, ...(text === null ? options : ['-p', ...options, '--', text])],
    access: access === null ? {} : accessVariables(access),
    // Updates, telemetry, error reports, surveys, and what is asked of the API besides the model.
    readsInput: text === null,
    switches: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
    files: [
      { name: 'claude-code.json', path: SETTINGS, content: jsonText(settings(access)) },
      { name: 'claude-code.md', path: INSTRUCTIONS, content: NAMED_INSTRUCTIONS },
    ],
    directories: [],
    notices: [],
  };
}

function accessVariables({ baseUrl, placeholder }: ModelAccess): Record<string, string> {
  return {
    ...(baseUrl === null ? {} : { ANTHROPIC_BASE_URL: baseUrl }),
    ...(placeholder === null ? {} : { ANTHROPIC_API_KEY: placeholder }),
  };
}

/** Variables of the administrator's settings win over those of all others. */
function settings(access: ModelAccess | null): object {
  return access === null ? {} : { env: accessVariables(access) };
}
