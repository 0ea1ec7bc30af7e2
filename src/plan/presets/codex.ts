import { namedModel } from './model-option.ts';
import { type ModelAccess, type Preset, type PresetInput, type PresetLaunch, readPrompt } from './preset.ts';

/** Settings of the administrator, which come after those of the user, the project and the command line. */
const SETTINGS = '/etc/codex/managed_config.toml';

/**
 * Codex. It speaks the Responses API, brings a sandbox of its own that has no place inside another, and reads a
 * repository's settings only when its user trusts the repository.
 */
export const CODEX: Preset = {
  program: 'codex',
  install: 'npm install -g @openai/codex',
  providers: ['openai', 'custom', 'ollama'],
  keyVariable: null,
  launch,
};

const FIXED = ['--dangerously-bypass-approvals-and-sandbox'];

function launch({ access, words }: PresetInput): PresetLaunch {
  const { text, options } = readPrompt(words);
  const isUnnamed = access?.provider === 'ollama' && namedModel(options) === null;
  const headless = ['exec', ...FIXED, '--skip-git-repo-check'];
  return {
    command: ['codex', ...(text === null ? [...FIXED, ...options] : [...headless, ...options, '--', text])],
    readsInput: text === null,
    access: {},
    switches: {},
    files: [{ name: 'codex.toml', path: SETTINGS, content: settings(access) }],
    directories: [],
    notices: isUnnamed ? ['Codex asks ollama for a model of OpenAI; name one before the prompt: -- -m NAME "…".'] : [],
  };
}

/** What goes out besides the work: looks for updates, measurements, plugins and apps from the network. */
const QUIET = `check_for_update_on_startup = false

[analytics]
enabled = false

[feedback]
enabled = false

[features]
apps = false
plugins = false
`;

/**
 * A provider of its own: a base URL in the environment is not read, and at the built-in provider another base URL is
 * first tried with WebSockets. JSON's strings are TOML's too.
 */
function settings(access: ModelAccess | null): string {
  if (access === null) return QUIET;
  const { provider, baseUrl, variable } = access;
  const lines = [
    `name = ${JSON.stringify(provider)}`,
    `base_url = ${JSON.stringify(baseUrl ?? 'https://api.openai.com/v1')}`,
    ...(variable === null ? [] : [`env_key = ${JSON.stringify(variable)}`]),
    'wire_api = "responses"',
  ];
  return `model_provider = "card"\n${QUIET}\n[model_providers.card]\n${lines.join('\n')}\n`;
}
