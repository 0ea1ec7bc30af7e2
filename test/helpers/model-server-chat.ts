import {
  list,
  type ModelAnswer,
  type ModelEvent,
  type ModelRequest,
  type ModelTurn,
  type ModelUsage,
  type ModelWire,
  pieces,
  type ToolSchema,
} from './model-server-wire.ts';

/** `POST /v1/chat/completions` of the OpenAI API: https://platform.openai.com/docs/api-reference/chat-streaming. */
export const OPENAI_CHAT: ModelWire = { lineEnd: '\n', read, stream, whole };

function read(body: Readonly<Record<string, unknown>>): ModelRequest {
  const functions = list(body['tools']).flatMap((tool) => list([tool['function']]));
  const options = (body['stream_options'] ?? {}) as { readonly include_usage?: unknown };
  return {
    model: String(body['model']),
    tools: functions.map(({ name, description, parameters }) => ({
      name: String(name),
      description: String(description),
      schema: (parameters as ToolSchema | undefined) ?? {},
    })),
    results: list(body['messages']).filter(({ role }) => role === 'tool').length,
    isStreamed: body['stream'] === true,
    wantsUsage: options.include_usage === true,
  };
}

function argumentsOf(turn: Extract<ModelTurn, { readonly kind: 'call' }>): string {
  return JSON.stringify(turn.input);
}

function usageOf({ input, output }: ModelUsage): Readonly<Record<string, number>> {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

function finishReason(turn: ModelTurn): string {
  return turn.kind === 'call' ? 'tool_calls' : 'stop';
}

function frame({ request, serial }: ModelAnswer, object: string): Readonly<Record<string, unknown>> {
  return { id: `chatcmpl-${serial}`, object, created: 1_700_000_000 + serial, model: request.model };
}

function stream(answer: ModelAnswer): readonly ModelEvent[] {
  const { request, turn, serial, usage } = answer;
  const id = `call_${serial}`;
  const deltas: readonly unknown[] =
    turn.kind === 'say'
      ? [{ role: 'assistant', content: '' }, ...pieces(turn.text).map((content) => ({ content }))]
      : [
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ index: 0, id, type: 'function', function: { name: turn.tool, arguments: '' } }],
          },
          ...pieces(argumentsOf(turn)).map((text) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
        ];
  const choices = [
    ...deltas.map((delta) => ({ index: 0, delta, finish_reason: null })),
    { index: 0, delta: {}, finish_reason: finishReason(turn) },
  ];
  // With usage asked for, every other piece says that it has none yet.
  const none = request.wantsUsage ? { usage: null } : {};
  const head = frame(answer, 'chat.completion.chunk');
  const last = request.wantsUsage ? [{ ...head, choices: [], usage: usageOf(usage) }] : [];
  const data = [...choices.map((choice) => ({ ...head, choices: [choice], ...none })), ...last, '[DONE]'];
  return data.map((piece) => ({ data: piece }));
}

function whole(answer: ModelAnswer): unknown {
  const { turn, serial, usage } = answer;
  const message =
    turn.kind === 'say'
      ? { role: 'assistant', content: turn.text }
      : {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: `call_${serial}`, type: 'function', function: { name: turn.tool, arguments: argumentsOf(turn) } },
          ],
        };
  return {
    ...frame(answer, 'chat.completion'),
    choices: [{ index: 0, message, finish_reason: finishReason(turn) }],
    usage: usageOf(usage),
  };
}
