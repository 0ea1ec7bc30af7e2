import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ANTHROPIC } from './model-server-anthropic.ts';
import { OPENAI_CHAT } from './model-server-chat.ts';
import { GOOGLE } from './model-server-google.ts';
import { OPENAI_RESPONSES } from './model-server-responses.ts';
import { errorOf, keyIn, routeOf } from './model-server-routes.ts';
import { callFor } from './model-server-tools.ts';
import type { ModelAction, ModelFormat, ModelRequest, ModelTurn, ModelUsage, ModelWire } from './model-server-wire.ts';

/** What a model server is told. */
export interface ModelServerOptions {
  /** The key that each format takes; null for everybody. */
  readonly keys: Readonly<Record<ModelFormat, string | null>>;
  /** What the model has done, one call of a tool each; then it says that it is done. */
  readonly actions: readonly ModelAction[];
}

/** One request, as it came. */
export interface ModelCall {
  readonly host: string;
  readonly method: string;
  /** With its query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The key in the field where the format looks for it. */
  readonly key: string | null;
  readonly status: number;
  /** As the answer states it; null for answers without. */
  readonly usage: ModelUsage | null;
  /** What the model said or called; null for answers that are none of a model's. */
  readonly turn: ModelTurn | null;
  readonly body: string;
}

const WIRES: Readonly<Record<ModelFormat, ModelWire>> = {
  anthropic: ANTHROPIC,
  google: GOOGLE,
  'openai-chat': OPENAI_CHAT,
  'openai-responses': OPENAI_RESPONSES,
};

/** What the model says when everything is done. */
export const CLOSING = 'Everything that was asked for is done.';

type Request = Http2ServerRequest | IncomingMessage;
type Response = Http2ServerResponse | ServerResponse;
type Told = Pick<ModelCall, 'status' | 'usage' | 'turn'>;

/**
 * Model APIs of four formats whose one model plays a script. How far it is stands in each request: the results of tools
 * that the conversation has so far. A request that announces no tool (for a title, say) gets a sentence.
 */
export class ModelServer {
  readonly #options: ModelServerOptions;
  readonly #onCall: (call: ModelCall) => void;
  #serial = 0;

  /** `onCall` hears of every request when its answer is complete. */
  constructor(options: ModelServerOptions, onCall: (call: ModelCall) => void) {
    this.#options = options;
    this.#onCall = onCall;
  }

  /** Answers one request. */
  async serve(request: Request, response: Response): Promise<void> {
    const body = await text(request);
    const method = request.method ?? '';
    const target = request.url ?? '';
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const host = headers['host'] ?? headers[':authority'] ?? '';
    const route = routeOf(method, target.replace(/\?.*/, ''));
    const key = route === null ? null : keyIn(route.format, headers);
    const call = { host, method, target, headers, key, body };
    const told = this.#answer(call, response);
    this.#onCall({ ...call, ...told });
    response.end();
  }

  #answer(call: Pick<ModelCall, 'method' | 'target' | 'key' | 'body'>, response: Response): Told {
    const path = call.target.replace(/\?.*/, '');
    const route = routeOf(call.method, path);
    if (route === null) return sendJson(response, 404, errorOf('openai-chat', 404, `Nothing is at ${path}.`));
    const { format, does } = route;
    const wanted = this.#options.keys[format];
    if (wanted !== null && call.key !== wanted) {
      return sendJson(response, 401, errorOf(format, 401, 'The key is not one of ours.'));
    }
    if (does === 'list') return sendJson(response, 200, { object: 'list', data: [], models: [] });
    if (does === 'count') return sendJson(response, 200, { input_tokens: 10, totalTokens: 10 });
    this.#serial += 1;
    const wire = WIRES[format];
    try {
      const request = wire.read(JSON.parse(call.body), call.target);
      const usage = { input: 1000 + this.#serial, output: 10 + this.#serial };
      const answer = { request, turn: this.#turn(request), usage, serial: this.#serial };
      if (request.isStreamed) sendEvents(response, wire, answer);
      else sendJson(response, 200, wire.whole(answer));
      const isStated = request.wantsUsage || !request.isStreamed;
      return { status: 200, usage: isStated ? usage : null, turn: answer.turn };
    } catch (error) {
      return sendJson(response, 400, errorOf(format, 400, String(error)));
    }
  }

  #turn({ tools, results }: ModelRequest): ModelTurn {
    const action = this.#options.actions[results];
    if (tools.length === 0 || action === undefined) return { kind: 'say', text: CLOSING };
    return callFor(action, tools);
  }
}

function sendJson(response: Response, status: number, body: unknown): Told {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  // As the Anthropic API says; without it its clients go on for minutes with a key that is refused.
  if (status >= 400) response.setHeader('x-should-retry', 'false');
  (response as Writable).write(JSON.stringify(body));
  return { status, usage: null, turn: null };
}

/** Each event is a write of its own. */
function sendEvents(response: Response, wire: ModelWire, answer: Parameters<ModelWire['stream']>[0]): void {
  response.statusCode = 200;
  response.setHeader('content-type', 'text/event-stream');
  for (const { event, data } of wire.stream(answer)) {
    const content = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}`;
    const lines = event === undefined ? [content] : [`event: ${event}`, content];
    (response as Writable).write(`${lines.join(wire.lineEnd)}${wire.lineEnd}${wire.lineEnd}`);
  }
}
