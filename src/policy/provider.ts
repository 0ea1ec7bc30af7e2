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
  /** What passes of paths below the base URL; null for all. */
  readonly calls: readonly ProviderCall[] | null;
  /** Variable that client libraries read the key from; null where there is none. */
  readonly variable: string | null;
  /** How its keys begin: agents look at that. */
  readonly keyPrefix: string;
  /** Whether its servers may want no key at all. */
  readonly isKeyOptional: boolean;
}

/** One call of an API. */
export interface ProviderCall {
  readonly methods: readonly string[];
  /** The whole path below the base URL, as it is judged. */
  readonly path: RegExp;
}

/** The field of a request that carries a credential. */
export interface CredentialField {
  /** In lower case. */
  readonly name: string;
  /** `Bearer`, `Basic` or another word before the credential; empty for none. */
  readonly word: string;
}

const BEARER: CredentialField = { name: 'authorization', word: 'Bearer' };

const READ = ['GET', 'HEAD'];
const ASK = ['POST'];

/**
 * The calls of a model, and what models there are. Left out is all that acts on the account: files, batches, whose cost
 * nobody can count, and lists of what others asked with the same key.
 */
const OPENAI_CALLS: readonly ProviderCall[] = [
  { methods: ASK, path: /^\/(?:chat\/completions|completions|embeddings|moderations)$/ },
  { methods: ASK, path: /^\/responses(?:\/compact|\/input_tokens|\/[\w-]+\/cancel)?$/ },
  { methods: READ, path: /^\/responses\/[\w-]+(?:\/input_items)?$/ },
  { methods: READ, path: /^\/models(?:\/[\w.:@/-]+)?$/ },
];

const ANTHROPIC_CALLS: readonly ProviderCall[] = [
  { methods: ASK, path: /^\/v1\/(?:complete|messages|messages\/count_tokens)$/ },
  { methods: READ, path: /^\/v1\/models(?:\/[\w.:@/-]+)?$/ },
];

const GOOGLE_CALLS: readonly ProviderCall[] = [
  {
    methods: ASK,
    path: /^\/v1(?:beta)?\/models\/[\w.-]+:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/,
  },
  { methods: READ, path: /^\/v1(?:beta)?\/models(?:\/[\w.-]+)?$/ },
];

/**
 * The providers (interfaces of 2026: docs of the Anthropic, OpenAI and Gemini APIs; ollama's OpenAI-compatible one;
 * git's http protocol, gitprotocol-http(5), whose paths {@link gatewayPath} knows).
 */
export const PROVIDERS: Readonly<Record<ProviderName, Provider>> = {
  anthropic: {
    baseUrl: 'https://api.anthropic.com',
    mount: '/anthropic',
    field: { name: 'x-api-key', word: '' },
    calls: ANTHROPIC_CALLS,
    variable: 'ANTHROPIC_API_KEY',
    keyPrefix: 'sk-ant-api03-',
    isKeyOptional: false,
  },
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    mount: '/openai/v1',
    field: BEARER,
    calls: OPENAI_CALLS,
    variable: 'OPENAI_API_KEY',
    keyPrefix: 'sk-proj-',
    isKeyOptional: false,
  },
  google: {
    baseUrl: 'https://generativelanguage.googleapis.com',
    mount: '/google',
    field: { name: 'x-goog-api-key', word: '' },
    calls: GOOGLE_CALLS,
    variable: 'GEMINI_API_KEY',
    keyPrefix: 'AIzaSy',
    isKeyOptional: false,
  },
  ollama: {
    baseUrl: 'http://127.0.0.1:11434/v1',
    mount: '/ollama/v1',
    field: BEARER,
    calls: OPENAI_CALLS,
    variable: 'OLLAMA_API_KEY',
    keyPrefix: 'sk-',
    isKeyOptional: true,
  },
  custom: {
    baseUrl: null,
    mount: '/custom',
    field: BEARER,
    calls: null,
    variable: null,
    keyPrefix: 'sk-',
    isKeyOptional: true,
  },
  git: {
    baseUrl: null,
    mount: '/git',
    field: { name: 'authorization', word: 'Basic' },
    calls: null,
    variable: null,
    keyPrefix: '',
    isKeyOptional: false,
  },
};
