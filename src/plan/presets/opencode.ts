import { WORKSPACE } from '../mount.ts';
import { namedModel, wholeModelNames } from './model-option.ts';
import {
  jsonText,
  type ModelAccess,
  type ModelProvider,
  type Preset,
  type PresetInput,
  type PresetLaunch,
  readPrompt,
} from './preset.ts';

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

/** What the paths of a provider begin with, where its base URL ends before and opencode's after it. */
const VERSIONS: Readonly<Record<ModelProvider, string>> = {
  anthropic: '/v1',
  openai: '',
  google: '/v1beta',
  ollama: '',
  custom: '',
};

/** Of Google's models opencode (1.18) would choose one for images; of what it lists, this alone is a name that lasts. */
const GOOGLE_MODEL = 'google/gemini-flash-latest';

/** Providers that opencode has no catalogue of: their models are those that somebody names. */
const UNLISTED: readonly ModelProvider[] = ['ollama', 'custom'];

const SWITCHES = {
  OPENCODE_DISABLE_AUTOUPDATE: '1',
  // It would fetch servers for languages, and a plugin of its own.
  OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
  OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
  OPENCODE_DISABLE_MODELS_FETCH: '1',
  // Configuration of a repository can run commands before the agent does anything: plugins, servers of tools.
  OPENCODE_DISABLE_PROJECT_CONFIG: '1',
  OPENCODE_PURE: '1',
};

function launch({ access, words }: PresetInput): PresetLaunch {
  const { text, options } = readPrompt(access === null ? words : wholeModelNames(words, access.provider));
  const model = namedModel(options);
  return {
    command: text === null ? ['opencode', ...options] : ['opencode', 'run', ...options, '--', text],
    readsInput: text === null,
    access: {},
    switches: SWITCHES,
    files: [{ name: 'opencode.json', path: SETTINGS, content: jsonText(settings(access, model)) }],
    directories: [],
    notices: access === null || model !== null ? [] : modelNotices(access.provider),
  };
}

const GENERAL = {
  $schema: 'https://opencode.ai/config.json',
  autoupdate: false,
  share: 'disabled',
  permission: 'allow',
  // Calls of a model for the title of a conversation, which nobody reads.
  agent: { title: { disable: true } },
  // Those of the workspace go with its configuration, and are no more than text.
  instructions: [`${WORKSPACE}/AGENTS.md`, `${WORKSPACE}/CLAUDE.md`],
};

function settings(access: ModelAccess | null, model: string | null): object {
  if (access === null) return GENERAL;
  const { provider, baseUrl, variable } = access;
  const options = {
    ...(baseUrl === null ? {} : { baseURL: `${baseUrl}${VERSIONS[provider]}` }),
    ...(variable === null ? {} : { apiKey: `{env:${variable}}` }),
  };
  const listed = { enabled_providers: [provider], provider: { [provider]: { options } } };
  if (provider === 'google') return { ...GENERAL, ...listed, model: GOOGLE_MODEL };
  if (!UNLISTED.includes(provider)) return { ...GENERAL, ...listed };
  const name = model?.slice(provider.length + 1);
  const own = { npm: '@ai-sdk/openai-compatible', options, models: name === undefined ? {} : { [name]: {} } };
  const models = model === null ? {} : { model, small_model: model };
  return { ...GENERAL, ...listed, ...models, provider: { [provider]: own } };
}

function modelNotices(provider: ModelProvider): readonly string[] {
  if (!UNLISTED.includes(provider)) return [];
  return [`opencode knows no model of "${provider}"; name one before the prompt: -- -m NAME "…".`];
}
