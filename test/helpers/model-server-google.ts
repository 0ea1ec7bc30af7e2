import {
  list,
  type ModelAnswer,
  type ModelEvent,
  type ModelRequest,
  type ModelWire,
  pieces,
  type ToolSchema,
} from './model-server-wire.ts';

/** `POST /v1beta/models/<model>:streamGenerateContent` of the Gemini API: https://ai.google.dev/api/generate-content. */
export const GOOGLE: ModelWire = { lineEnd: '\r\n', read, stream, whole };

function read(body: Readonly<Record<string, unknown>>, target: string): ModelRequest {
  const declared = list(body['tools']).flatMap(({ functionDeclarations }) => list(functionDeclarations));
  const parts = list(body['contents']).flatMap((content) => list(content['parts']));
  return {
    model: /\/models\/([^:/]+)/.exec(target)?.[1] ?? '',
    tools: declared.map(({ name, description, parameters, parametersJsonSchema }) => ({
      name: String(name),
      description: String(description),
      schema: ((parametersJsonSchema ?? parameters) as ToolSchema | undefined) ?? {},
    })),
    results: parts.filter(({ functionResponse }) => functionResponse !== undefined).length,
    isStreamed: target.includes(':streamGenerateContent'),
    wantsUsage: true,
  };
}

function piece(answer: ModelAnswer, parts: readonly unknown[], isLast: boolean): Readonly<Record<string, unknown>> {
  const { request, usage, serial } = answer;
  const output = isLast ? usage.output : 1;
  const ending = isLast ? { finishReason: 'STOP' } : {};
  return {
    candidates: [{ content: { parts, role: 'model' }, ...ending, index: 0 }],
    usageMetadata: {
      promptTokenCount: usage.input,
      candidatesTokenCount: output,
      totalTokenCount: usage.input + output,
    },
    modelVersion: request.model,
    responseId: `response-${serial}`,
  };
}

/** Every piece says what it has cost so far. */
function stream(answer: ModelAnswer): readonly ModelEvent[] {
  const { turn } = answer;
  const parts =
    turn.kind === 'say'
      ? pieces(turn.text).map((text) => ({ text }))
      : [{ functionCall: { name: turn.tool, args: turn.input } }];
  return [
    ...parts.map((part) => ({ data: piece(answer, [part], false) })),
    { data: piece(answer, [{ text: '' }], true) },
  ];
}

function whole(answer: ModelAnswer): unknown {
  const { turn } = answer;
  const part = turn.kind === 'say' ? { text: turn.text } : { functionCall: { name: turn.tool, args: turn.input } };
  return piece(answer, [part], true);
}
