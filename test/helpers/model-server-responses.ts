import {
  list,
  type ModelAnswer,
  type ModelEvent,
  type ModelRequest,
  type ModelTool,
  type ModelUsage,
  type ModelWire,
  pieces,
  type ToolSchema,
} from './model-server-wire.ts';

/** `POST /v1/responses` of the OpenAI API: https://platform.openai.com/docs/api-reference/responses-streaming. */
export const OPENAI_RESPONSES: ModelWire = { lineEnd: '\n', read, stream, whole };

const RESULTS = ['function_call_output', 'custom_tool_call_output'];

type Item = Readonly<Record<string, unknown>>;

/** Tools are announced by the request, or by an item of its input; those of the namespace `functions` go by their names. */
function read(body: Readonly<Record<string, unknown>>): ModelRequest {
  const input = list(body['input']);
  const announced = input.filter(({ type }) => type === 'additional_tools').flatMap(({ tools }) => list(tools));
  return {
    model: String(body['model']),
    tools: [...list(body['tools']), ...announced].flatMap(toolsOf),
    results: input.filter(({ type }) => RESULTS.includes(String(type))).length,
    isStreamed: body['stream'] === true,
    wantsUsage: true,
  };
}

function toolsOf(tool: Item): readonly ModelTool[] {
  const { type, name, description, parameters, tools } = tool;
  if (type === 'namespace') return name === 'functions' ? list(tools).flatMap(toolsOf) : [];
  if (type !== 'function' && type !== 'custom') return [];
  const schema = type === 'custom' ? null : ((parameters as ToolSchema | undefined) ?? {});
  return [{ name: String(name), description: String(description), schema }];
}

function usageOf({ input, output }: ModelUsage): Item {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
}

/** The one item of the answer: as it begins, what comes bit by bit, and as it is in the end. */
interface Output {
  readonly started: Item;
  readonly done: Item;
  readonly steps: readonly Item[];
}

function outputOf({ turn, serial }: ModelAnswer): Output {
  if (turn.kind === 'say') return textOutput(turn.text, serial);
  const isText = typeof turn.input === 'string';
  const [type, field, event] = isText
    ? ['custom_tool_call', 'input', 'custom_tool_call_input']
    : ['function_call', 'arguments', 'function_call_arguments'];
  const text = typeof turn.input === 'string' ? turn.input : JSON.stringify(turn.input);
  const id = `${isText ? 'ctc' : 'fc'}_${serial}`;
  const item = { type, id, call_id: `call_${serial}`, name: turn.tool, status: 'in_progress', [field]: '' };
  return {
    started: item,
    done: { ...item, status: 'completed', [field]: text },
    steps: [
      ...pieces(text).map((delta) => ({ type: `response.${event}.delta`, item_id: id, delta })),
      { type: `response.${event}.done`, item_id: id, [field]: text },
    ],
  };
}

function textOutput(text: string, serial: number): Output {
  const id = `msg_${serial}`;
  const item = { type: 'message', id, status: 'in_progress', role: 'assistant', content: [] };
  const place = { item_id: id, content_index: 0 };
  const part = { type: 'output_text', text, annotations: [] };
  return {
    started: item,
    done: { ...item, status: 'completed', content: [part] },
    steps: [
      { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
      ...pieces(text).map((delta) => ({ type: 'response.output_text.delta', ...place, delta })),
      { type: 'response.output_text.done', ...place, text },
      { type: 'response.content_part.done', ...place, part },
    ],
  };
}

function frame({ request, serial }: ModelAnswer): Item {
  const created = { id: `resp_${serial}`, object: 'response', created_at: 1_700_000_000 + serial };
  return { ...created, model: request.model, status: 'in_progress', output: [], usage: null, error: null };
}

function stream(answer: ModelAnswer): readonly ModelEvent[] {
  const response = frame(answer);
  const { started, done, steps } = outputOf(answer);
  const events: readonly Item[] = [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
    { type: 'response.output_item.added', output_index: 0, item: started },
    ...steps.map((step) => ({ ...step, output_index: 0 })),
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: 'response.completed', response: whole(answer) },
  ];
  return events.map((data, index) => ({ event: String(data['type']), data: { ...data, sequence_number: index } }));
}

function whole(answer: ModelAnswer): unknown {
  const { done } = outputOf(answer);
  return { ...frame(answer), status: 'completed', output: [done], usage: usageOf(answer.usage) };
}
