import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isAgentId } from '../base/ids.ts';
import { EGRESS_CONTROL_BYTES_MAX } from '../base/limits.ts';
import type { Problem } from '../base/result.ts';
import type { Agents } from './agents.ts';
import { readTable, readTables } from './table-reader.ts';

/** What the control socket is made of. */
export interface ControlOptions {
  readonly agents: Agents;
  /** Told of failures that are bugs or the machine's. */
  readonly onError: (error: unknown) => void;
}

/** Where to listen: a descriptor that PID 1 passed, or a path. */
export type ControlPlace = { readonly fd: number } | { readonly path: string };

/** What is answered; `watch` stays open. */
type Reply = { readonly status: number; readonly value: unknown } | 'watch';

const NOT_FOUND: Reply = { status: 404, value: { detail: 'There is no such agent.' } };

/**
 * The socket by which the daemon tells what agents may reach: HTTP and JSON. Who may connect is decided by the mode of
 * the socket.
 *
 * `PUT /tables` makes these tables the only ones, `PUT /agents/<id>` puts one, `DELETE /agents/<id>` ends an agent and
 * answers with its summary, as does `GET /agents/<id>`. `GET /watch` has no end before the proxy has one.
 */
export class Control implements AsyncDisposable {
  readonly #options: ControlOptions;
  readonly #server: Server;
  readonly #watchers = new Set<ServerResponse>();

  private constructor(options: ControlOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      response.on('error', () => undefined);
      this.#answer(request, response).catch((error: unknown) => {
        options.onError(error);
        send(response, { status: 500, value: { detail: 'The proxy failed; its journal says how.' } });
      });
    });
  }

  /** Listens. Throws what Node throws when it cannot. */
  static async listen(place: ControlPlace, options: ControlOptions): Promise<Control> {
    const control = new Control(options);
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', reject);
      control.#server.listen(place, () => {
        control.#server.off('error', reject);
        control.#server.on('error', options.onError);
        resolve();
      });
    });
    return control;
  }

  /** Takes no more calls and ends the watches. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const watcher of this.#watchers) watcher.end();
    this.#server.closeIdleConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = await this.#reply(request);
    if (reply !== 'watch') return send(response, reply);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.flushHeaders();
    this.#watchers.add(response);
    response.once('close', () => this.#watchers.delete(response));
  }

  async #reply(request: IncomingMessage): Promise<Reply> {
    const { agents } = this.#options;
    const [, collection, id = '', ...more] = (request.url ?? '').split('/');
    const asked = `${request.method} /${collection}`;
    if (more.length > 0) return NOT_FOUND;
    if (id === '') {
      if (asked === 'GET /health') return { status: 200, value: { agents: agents.size } };
      if (asked === 'GET /watch') return 'watch';
      if (asked === 'PUT /tables') return await this.#putTables(request);
      return NOT_FOUND;
    }
    if (collection !== 'agents' || !isAgentId(id)) return NOT_FOUND;
    switch (request.method) {
      case 'PUT':
        return await this.#putTable(request, id);
      case 'GET':
        return found(agents.summary(id));
      case 'DELETE':
        return found(await agents.remove(id));
      default:
        return { status: 405, value: { detail: 'This takes GET, PUT and DELETE.' } };
    }
  }

  async #putTables(request: IncomingMessage): Promise<Reply> {
    const body = await readJson(request);
    if ('status' in body) return body;
    const tables = readTables(body.json);
    if (!tables.ok) return unfit(tables.problems);
    const done = await this.#options.agents.putAll(tables.value);
    return done.ok ? { status: 200, value: { agents: tables.value.length } } : unfit(done.problems);
  }

  async #putTable(request: IncomingMessage, id: string): Promise<Reply> {
    const body = await readJson(request);
    if ('status' in body) return body;
    const table = readTable(body.json, id);
    if (!table.ok) return unfit(table.problems);
    const done = await this.#options.agents.put(table.value);
    return done.ok ? { status: 200, value: { id } } : unfit(done.problems);
  }
}

function found(summary: unknown): Reply {
  return summary === null ? NOT_FOUND : { status: 200, value: summary };
}

function unfit(problems: readonly Problem[]): Reply {
  return { status: 422, value: { problems } };
}

/** The body of a request as JSON, or what to answer when there is none. */
async function readJson(request: IncomingMessage): Promise<{ readonly json: unknown } | Exclude<Reply, 'watch'>> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > EGRESS_CONTROL_BYTES_MAX) return { status: 413, value: { detail: 'The request is too large.' } };
    pieces.push(piece);
  }
  try {
    return { json: JSON.parse(Buffer.concat(pieces).toString('utf8')) };
  } catch {
    return { status: 400, value: { detail: 'The request is not JSON.' } };
  }
}

function send(response: ServerResponse, { status, value }: Exclude<Reply, 'watch'>): void {
  if (response.headersSent) return;
  const text = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
