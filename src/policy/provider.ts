/** Whose API a gateway leads to. */
export type ProviderName = 'anthropic' | 'openai' | 'google' | 'ollama' | 'custom' | 'git';

/** What is known of one provider. */
export interface Provider {
  /** Where its API is, as its client libraries are told; null where the card must say so. */
  readonly baseUrl: string | null;
  /** First part of the paths at the proxy; for `custom` and `git` the host follows. */
  readonly mount: string;
  /** Field that carries the key, and the word before the key. */
  readonly field: CredentialField;
  /** Paths below the base URL that pass, each with everything below it; null for all. */
  readonly paths: readonly string[] | null;
  /** Variable that client libraries read the key from; null where there is none. */
  readonly variable: string | null;
  /** How its keys begin: agents look at that. */
  readonly keyPrefix: string;
  /** Whether its servers may want no key at all. */
  readonly isKeyOptional: boolean;
}

/** The field of a request that carries a credential. */
export interface CredentialField {
  /** In lower case. */
  readonly name: string;
  /** `Bearer`, `Basic` or another word before the credential; empty for none. */
  readonly word: string;
}

const BEARER: CredentialField = { name: 'authorization', word: 'Bearer' };

/** What the two families of model API are called below `/v1`; files, batches and everything of the account are left out. */
const OPENAI_PATHS = ['/chat/completions', '/completions', '/embeddings', '/models', '/moderations', '/responses'];

/**
 * The providers (interfaces of 2026: docs of the Anthropic, OpenAI and Gemini APIs; ollama's OpenAI-compatible one;
 * git's http protocol, gitprotocol-http(5), whose paths {@link gatewayPath} knows).
 */
export const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
  anthropic: {
    baseUrl: 'https://api.anthropic.com',
    mount: '/anthropic',
    field: { name: 'x-api-key', word: '' },
    paths: ['/v1/complete', '/v1/messages', '/v1/models'],
    variable: 'ANTHROPIC_API_KEY',
    keyPrefix: 'sk-ant-api03-',
    isKeyOptional: false,
  },
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    mount: '/openai/v1',
    field: BEARER,
    paths: OPENAI_PATHS,
    variable: 'OPENAI_API_KEY',
    keyPrefix: 'sk-proj-',
    isKeyOptional: false,
  },
  google: {
    baseUrl: 'https://generativelanguage.googleapis.com',
    mount: '/google',
    field: { name: 'x-goog-api-key', word: '' },
    paths: ['/v1/models', '/v1beta/models'],
    variable: 'GEMINI_API_KEY',
    keyPrefix: 'AIzaSy',
    isKeyOptional: false,
  },
  ollama: {
    baseUrl: 'http://127.0.0.1:11434/v1',
    mount: '/ollama/v1',
    field: BEARER,
    paths: OPENAI_PATHS,
    variable: 'OLLAMA_API_KEY',
    keyPrefix: 'sk-',
    isKeyOptional: true,
  },
  custom: {
    baseUrl: null,
    mount: '/custom',
    field: BEARER,
    paths: null,
    variable: null,
    keyPrefix: 'sk-',
    isKeyOptional: true,
  },
  git: {
    baseUrl: null,
    mount: '/git',
    field: { name: 'authorization', word: 'Basic' },
    paths: null,
    variable: null,
    keyPrefix: '',
    isKeyOptional: false,
  },
};
