import {
  list,
  type ModelAnswer,
  type ModelEvent,
  type ModelRequest,
  type ModelTurn,
  type ModelWire,
  pieces,
  type ToolSchema,
} from './model-server-wire.ts';

/** `POST /v1/messages` of the Anthropic API: https://docs.anthropic.com/en/api/messages-streaming. */
export const ANTHROPIC: ModelWire = { lineEnd: '\n', read, stream, whole };

function read(body: Readonly<Record<string, unknown>>): ModelRequest {
  const blocks = list(body['messages']).flatMap(({ content }) => list(content));
  return {
    model: String(body['model']),
    tools: list(body['tools']).map(({ name, description, input_schema }) => ({
      name: String(name),
      description: String(description),
      schema: (input_schema as ToolSchema | undefined) ?? {},
    })),
    results: blocks.filter(({ type }) => type === 'tool_result').length,
    isStreamed: body['stream'] === true,
    wantsUsage: true,
  };
}

function message({ request, serial }: ModelAnswer): Readonly<Record<string, unknown>> {
  return { id: `msg_${serial}`, type: 'message', role: 'assistant', model: request.model };
}

function block(turn: ModelTurn, serial: number): Readonly<Record<string, unknown>> {
  if (turn.kind === 'say') return { type: 'text', text: turn.text };
  return { type: 'tool_use', id: `toolu_${serial}`, name: turn.tool, input: turn.input };
}

function stopReason(turn: ModelTurn): string {
  return turn.kind === 'call' ? 'tool_use' : 'end_turn';
}

function usageOf({ usage }: ModelAnswer, output: number): Readonly<Record<string, number>> {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output,
  };
}

/** Output tokens are counted up: the first event has 1, the last one all of them. */
function stream(answer: ModelAnswer): readonly ModelEvent[] {
  const { turn, serial, usage } = answer;
  const start = { ...message(answer), content: [], stop_reason: null, stop_sequence: null, usage: usageOf(answer, 1) };
  const empty = turn.kind === 'say' ? { ...block(turn, serial), text: '' } : { ...block(turn, serial), input: {} };
  const deltas =
    turn.kind === 'say'
      ? pieces(turn.text).map((text) => ({ type: 'text_delta', text }))
      : ['', ...pieces(JSON.stringify(turn.input))].map((text) => ({ type: 'input_json_delta', partial_json: text }));
  const ending = { stop_reason: stopReason(turn), stop_sequence: null };
  const events = [
    { type: 'message_start', message: start },
    { type: 'content_block_start', index: 0, content_block: empty },
    { type: 'ping' },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: ending, usage: { output_tokens: usage.output } },
    { type: 'message_stop' },
  ];
  return events.map((data) => ({ event: data.type, data }));
}

function whole(answer: ModelAnswer): unknown {
  const { turn, serial, usage } = answer;
  return {
    ...message(answer),
    content: [block(turn, serial)],
    stop_reason: stopReason(turn),
    stop_sequence: null,
    usage: usageOf(answer, usage.output),
  };
}
