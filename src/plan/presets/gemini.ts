import { jsonText, type ModelAccess, type Preset, type PresetInput, type PresetLaunch, readPrompt } from './preset.ts';

/** Settings of the administrator. */
const SETTINGS = '/etc/gemini-cli/settings.json';

/** Gemini CLI, a script for Node. */
export const GEMINI: Preset = {
  program: 'gemini',
  install: 'npm install -g @google/gemini-cli',
  providers: ['google', 'custom'],
  keyVariable: 'GEMINI_API_KEY',
  launch,
};

function launch({ access, words }: PresetInput): PresetLaunch {
  const { text, options } = readPrompt(words);
  const command = ['gemini', '--approval-mode', 'yolo', ...options];
  return {
    command: text === null ? command : [...command, '-p', text],
    access: access === null ? {} : accessVariables(access),
    switches: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    files: [{ path: SETTINGS, content: jsonText({ security: { auth: { selectedType: 'gemini-api-key' } } }) }],
    notices: [],
  };
}

function accessVariables({ baseUrl, placeholder }: ModelAccess): Record<string, string> {
  return {
    ...(baseUrl === null ? {} : { GOOGLE_GEMINI_BASE_URL: baseUrl }),
    ...(placeholder === null ? {} : { GEMINI_API_KEY: placeholder }),
  };
}
