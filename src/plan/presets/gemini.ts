import { jsonText, type ModelAccess, type Preset, type PresetInput, type PresetLaunch, readPrompt } from './preset.ts';

/**
 * Where Gemini CLI has its settings and its state when they lead to a gateway. Its settings for a whole system are of no
 * use: it reads them from root's directories alone, and no directory of the sandbox is root's. So its state is beside
 * the home directory, around a file of settings that it cannot change.
 */
const OWN_HOME = '/var/gemini-cli';

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
  const shared = {
    command: text === null ? command : [...command, '-p', text],
    // Nobody is there to be asked about the workspace, and without trust it asks about each tool.
    readsInput: text === null,
    switches: { GEMINI_CLI_NO_RELAUNCH: 'true', GEMINI_CLI_TRUST_WORKSPACE: 'true', GEMINI_MODEL: 'pro' },
    notices: [],
  };
  if (access === null) return { ...shared, access: {}, files: [], directories: [] };
  return {
    ...shared,
    access: accessVariables(access),
    files: [{ name: 'gemini-cli.json', path: `${OWN_HOME}/.gemini/settings.json`, content: jsonText(SETTINGS) }],
    directories: [OWN_HOME],
  };
}

function accessVariables({ baseUrl, placeholder }: ModelAccess): Record<string, string> {
  return {
    GEMINI_CLI_HOME: OWN_HOME,
    ...(baseUrl === null ? {} : { GOOGLE_GEMINI_BASE_URL: baseUrl }),
    ...(placeholder === null ? {} : { GEMINI_API_KEY: placeholder }),
  };
}

const SETTINGS = {
  // A base URL alone would select an authentication that headless runs refuse.
  security: { auth: { selectedType: 'gemini-api-key' } },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
  privacy: { usageStatisticsEnabled: false },
};
