import { USAGE_TOKENS_MAX } from '../base/limits.ts';
import type { ProviderName } from './provider.ts';

/** Tokens of one answer as its provider states them. */
export interface TokenUsage {
  /** Read by the model, also from its caches. */
  readonly inputTokens: number;
  /** Written by it, also in thought. */
  readonly outputTokens: number;
}

/** Numbers of a JSON value by the names on the way to them, with dots between; objects only. */
export type NamedNumbers = ReadonlyMap<string, number>;

/** How one family of API states tokens. */
interface Shape {
  /** Of these numbers the sum is what was read. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  /** The first of them is stated when the answer is whole, or as far as it is. */
  readonly decisive: readonly string[];
}

/**
 * Anthropic messages: in a stream `message_start` has the counts below `message`, and what was written by then; only
 * `message_delta` at its end has the number of tokens that were written, so that a stream which was cut states nothing.
 */
const MESSAGES_INPUT = ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'];
const MESSAGES: Shape = {
  input: MESSAGES_INPUT.map((name) => `usage.${name}`),
  output: ['usage.output_tokens'],
  decisive: ['usage.output_tokens'],
};

/** OpenAI chat completions, and embeddings, which write nothing. What caches gave and what was thought is contained. */
const CHAT: Shape = {
  input: ['usage.prompt_tokens'],
  output: ['usage.completion_tokens'],
  decisive: ['usage.prompt_tokens', 'usage.completion_tokens'],
};

/** OpenAI responses as events of a stream; as a whole they are like {@link MESSAGES} without caches. */
const RESPONSES: Shape = {
  input: ['response.usage.input_tokens'],
  output: ['response.usage.output_tokens'],
  decisive: ['response.usage.output_tokens'],
};

/** Gemini; what was thought is not among the tokens of the candidates. */
const GEMINI: Shape = {
  input: ['usageMetadata.promptTokenCount', 'usageMetadata.toolUsePromptTokenCount'],
  output: ['usageMetadata.candidatesTokenCount', 'usageMetadata.thoughtsTokenCount'],
  decisive: ['usageMetadata.promptTokenCount', 'usageMetadata.candidatesTokenCount'],
};

const SHAPES: Readonly<Record<ProviderName, readonly Shape[]>> = {
  anthropic: [MESSAGES],
  openai: [CHAT, RESPONSES, MESSAGES],
  google: [GEMINI],
  ollama: [CHAT, RESPONSES, MESSAGES, GEMINI],
  custom: [CHAT, RESPONSES, MESSAGES, GEMINI],
  git: [],
};

/** The start of a stream of messages states what was read, under its own name. */
const START_PREFIX = 'message.';

/**
 * What the values of one answer state together. Every API counts up within an answer, so of each number the highest
 * stands.
 */
export class UsageCounts {
  readonly #shapes: readonly Shape[];
  readonly #counts = new Map<string, number>();

  constructor(provider: ProviderName) {
    this.#shapes = SHAPES[provider];
  }

  /** Takes one whole value of the answer. */
  add(numbers: NamedNumbers): void {
    for (const [path, number] of numbers) {
      if (number > USAGE_TOKENS_MAX) continue;
      this.#counts.set(path, Math.max(this.#counts.get(path) ?? 0, number));
    }
  }

  /** What is stated, by the shape that states most; null for nothing. */
  total(): TokenUsage | null {
    const stated = this.#shapes.flatMap((shape) => {
      if (!shape.decisive.some((path) => this.#counts.has(path))) return [];
      return [{ inputTokens: this.#sum(shape.input), outputTokens: this.#sum(shape.output) }];
    });
    return stated.reduce<TokenUsage | null>(
      (most, usage) => (most === null || sum(usage) > sum(most) ? usage : most),
      null,
    );
  }

  #sum(paths: readonly string[]): number {
    return paths.reduce((total, path) => total + this.#count(path), 0);
  }

  #count(path: string): number {
    return Math.max(this.#counts.get(path) ?? 0, this.#counts.get(`${START_PREFIX}${path}`) ?? 0);
  }
}

function sum({ inputTokens, outputTokens }: TokenUsage): number {
  return inputTokens + outputTokens;
}
