import { jsonText, type ModelAccess, type Preset, type PresetInput, type PresetLaunch, readPrompt } from './preset.ts';

/** Settings of the administrator, merged over those of everybody else. */
const SETTINGS = '/etc/opencode/opencode.json';

/** opencode, which talks to whatever it is configured for. */
export const OPENCODE: Preset = {
  program: 'opencode',
  install: 'npm install -g opencode-ai',
  providers: ['anthropic', 'openai', 'google', 'ollama', 'custom'],
  keyVariable: null,
  launch,
};

function launch({ access, words }: PresetInput): PresetLaunch {
  const { text, options } = readPrompt(words);
  return {
    command: text === null ? ['opencode', ...options] : ['opencode', 'run', ...options, '--', text],
    access: {},
    switches: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
    files: [{ path: SETTINGS, content: jsonText(settings(access)) }],
    notices: [],
  };
}

function settings(access: ModelAccess | null): object {
  const general = { autoupdate: false, share: 'disabled', permission: 'allow' };
  if (access === null) return general;
  const { provider, baseUrl, variable } = access;
  const options = { baseURL: baseUrl, apiKey: `{env:${variable ?? ''}}` };
  return { ...general, enabled_providers: [provider], provider: { [provider]: { options } } };
}
