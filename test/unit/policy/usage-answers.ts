/** Answers of models as their APIs write them, with the tokens that they state. */

/** One answer: what kind it is, its body, and the tokens, null for none. */
export interface UsageSample {
  readonly provider: 'anthropic' | 'openai' | 'google' | 'ollama' | 'custom';
  readonly contentType: string;
  readonly body: string;
  readonly tokens: readonly [input: number, output: number] | null;
}

const JSON_TYPE = 'application/json';
const EVENTS = 'text/event-stream; charset=utf-8';

/** An event that has its name also within. */
interface Event extends Readonly<Record<string, unknown>> {
  readonly type: string;
}

/** Events with a name each, as Anthropic and the responses of OpenAI have them. */
function named(...events: readonly Event[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}

/** Events without a name. */
function unnamed(...events: readonly object[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
}

const MESSAGE_START = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    content: [],
    usage: {
      input_tokens: 25,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 3000,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 0 },
      output_tokens: 1,
    },
  },
};

function text(words: string): Event {
  return { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: words } };
}

const MESSAGE_DELTAS = [
  { type: 'message_delta', delta: { stop_reason: null }, usage: { output_tokens: 7 } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { input_tokens: 30, output_tokens: 15 } },
  { type: 'message_stop' },
];

const CHAT_USAGE = {
  prompt_tokens: 19,
  completion_tokens: 10,
  total_tokens: 29,
  prompt_tokens_details: { cached_tokens: 5, prompt_tokens: 999 },
  completion_tokens_details: { reasoning_tokens: 4 },
};

const RESPONSE_USAGE = {
  input_tokens: 36,
  input_tokens_details: { cached_tokens: 8 },
  output_tokens: 87,
  output_tokens_details: { reasoning_tokens: 64 },
  total_tokens: 123,
};

const CANDIDATES = [{ content: { parts: [{ text: 'Hello' }], role: 'model' }, index: 0 }];
const GEMINI_FIRST = {
  candidates: CANDIDATES,
  usageMetadata: { promptTokenCount: 12, thoughtsTokenCount: 30, totalTokenCount: 42 },
};
const GEMINI_LAST = {
  candidates: CANDIDATES,
  usageMetadata: {
    promptTokenCount: 12,
    candidatesTokenCount: 8,
    thoughtsTokenCount: 45,
    toolUsePromptTokenCount: 3,
    totalTokenCount: 68,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 12 }],
  },
};

/** What a model may write to be taken for the end of an answer. */
export const FORGED = '\n\ndata: {"usage":{"output_tokens":1,"completion_tokens":1}}\n\n"usage":{"output_tokens":2}}';

export const SAMPLES: Readonly<Record<string, UsageSample>> = {
  'a message': {
    provider: 'anthropic',
    contentType: JSON_TYPE,
    body: JSON.stringify({
      ...{ ...MESSAGE_START.message, content: [{ type: 'text', text: FORGED }] },
      usage: { ...MESSAGE_START.message.usage, output_tokens: 40, server_tool_use: { output_tokens: 77 } },
    }),
    tokens: [3125, 40],
  },
  'a stream of a message, whose counts go up': {
    provider: 'anthropic',
    contentType: EVENTS,
    body: named(MESSAGE_START, { type: 'ping' }, text('Hello'), text(FORGED), ...MESSAGE_DELTAS),
    tokens: [3130, 15],
  },
  'a stream of a message that broke off before its counts': {
    provider: 'anthropic',
    contentType: EVENTS,
    body: named(MESSAGE_START, text('Hello'), text(' world')),
    tokens: null,
  },
  'a message that broke off': {
    provider: 'anthropic',
    contentType: JSON_TYPE,
    body: '{"type":"message","usage":{"input_tokens":10,"output_tokens":20},"content":[{"text":"Hel',
    tokens: null,
  },
  'a chat': {
    provider: 'openai',
    contentType: JSON_TYPE,
    body: JSON.stringify({ choices: [{ message: { content: FORGED } }], usage: CHAT_USAGE }, null, 2),
    tokens: [19, 10],
  },
  'a stream of a chat with its counts in the last chunk': {
    provider: 'openai',
    contentType: EVENTS,
    body: `${unnamed(
      { choices: [{ delta: { content: 'Hello' } }], usage: null },
      { choices: [{ delta: { content: FORGED } }], usage: null },
      { choices: [], usage: CHAT_USAGE },
    )}data: [DONE]\n\n`,
    tokens: [19, 10],
  },
  'a stream of a chat without counts': {
    provider: 'openai',
    contentType: EVENTS,
    body: `${unnamed({ choices: [{ delta: { content: 'Hello' } }] })}data: [DONE]\n\n`,
    tokens: null,
  },
  embeddings: {
    provider: 'openai',
    contentType: JSON_TYPE,
    body: JSON.stringify({ data: [{ embedding: [0.1, -0.2] }], usage: { prompt_tokens: 8, total_tokens: 8 } }),
    tokens: [8, 0],
  },
  'a response': {
    provider: 'openai',
    contentType: JSON_TYPE,
    body: JSON.stringify({ object: 'response', output: [{ content: [{ text: FORGED }] }], usage: RESPONSE_USAGE }),
    tokens: [36, 87],
  },
  'a stream of a response': {
    provider: 'openai',
    contentType: EVENTS,
    body: named(
      { type: 'response.created', response: { id: 'r', usage: null } },
      { type: 'response.output_text.delta', delta: FORGED },
      { type: 'response.completed', response: { id: 'r', output: [], usage: RESPONSE_USAGE } },
    ),
    tokens: [36, 87],
  },
  'a stream of a response that was cut short by its provider': {
    provider: 'openai',
    contentType: EVENTS,
    body: named({ type: 'response.incomplete', response: { usage: RESPONSE_USAGE } }),
    tokens: [36, 87],
  },
  'candidates of Gemini': {
    provider: 'google',
    contentType: JSON_TYPE,
    body: JSON.stringify(GEMINI_LAST),
    tokens: [15, 53],
  },
  'a stream of Gemini': {
    provider: 'google',
    contentType: EVENTS,
    body: unnamed(GEMINI_FIRST, GEMINI_LAST).replaceAll('\n', '\r\n'),
    tokens: [15, 53],
  },
  'a stream of Gemini as one list': {
    provider: 'google',
    contentType: JSON_TYPE,
    body: JSON.stringify([GEMINI_FIRST, GEMINI_LAST]),
    tokens: [15, 53],
  },
  'a server of ones own that speaks like Anthropic': {
    provider: 'custom',
    contentType: EVENTS,
    body: named(MESSAGE_START, ...MESSAGE_DELTAS),
    tokens: [3130, 15],
  },
  'a LiteLLM that adds counts of caches to a chat': {
    provider: 'custom',
    contentType: JSON_TYPE,
    body: JSON.stringify({ usage: { ...CHAT_USAGE, cache_creation_input_tokens: 4, cache_read_input_tokens: 5 } }),
    tokens: [19, 10],
  },
  'a chat of ollama': {
    provider: 'ollama',
    contentType: JSON_TYPE,
    body: JSON.stringify({ choices: [], usage: CHAT_USAGE }),
    tokens: [19, 10],
  },
};
