import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SpawnError } from '../base/errors.ts';
import {
  API_CONNECTIONS_MAX,
  API_DRAIN_TIMEOUT_MS,
  API_HEADER_BYTES_MAX,
  API_HEADER_TIMEOUT_MS,
  API_REQUEST_TIMEOUT_MS,
} from '../base/limits.ts';
import type { Operations } from '../control/operations.ts';
import type { Call } from './call.ts';
import { isExpected, PROBLEM_TYPE, problemDocument } from './problem.ts';
import { checkBodyHeader, checkNoBody, readBody } from './request.ts';
import { findRoute, type Match, WrongMethod } from './router.ts';
import { ROUTES } from './routes.ts';
import { sendEmpty, sendEvents, sendJson } from './send.ts';

/** What the API is made of. */
export interface ApiServerOptions {
  readonly operations: Operations;
  /** Who is at the other end of a connection, as the kernel tells; asked once per connection. */
  readonly peerUid: (socket: Socket) => number;
  /** Told of every failure the program does not expect; the caller only learns that there was one. */
  readonly onError: (error: unknown) => void;
}

/** Where to listen: a listening descriptor handed over by systemd, or a path to make a socket at. */
export type ListenPlace = { readonly fd: number } | { readonly path: string };

/** One request that was read, and where its answer goes. */
interface Asked {
  readonly match: Match;
  readonly body: Uint8Array;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** How often the time-outs of requests are looked at, milliseconds. */
const TIMEOUT_CHECK_MS = 1_000;

/**
 * The HTTP API on Unix sockets. Disposing it lets answers that are on their way
 * out finish, ends streams and waits, and leaves the agents alone.
 */
export class ApiServer implements AsyncDisposable {
  readonly #options: ApiServerOptions;
  readonly #servers: Server[] = [];
  readonly #uids = new WeakMap<Socket, number>();
  readonly #answers = new Set<Promise<void>>();
  readonly #open = new Set<AbortController>();
  #isClosing = false;

  private constructor(options: ApiServerOptions) {
    this.#options = options;
  }

  /** Listens on every place. Throws what Node throws when one cannot be listened on. */
  static async listen(places: readonly ListenPlace[], options: ApiServerOptions): Promise<ApiServer> {
    const api = new ApiServer(options);
    try {
      for (const place of places) await api.#listen(place);
    } catch (error) {
      await api[Symbol.asyncDispose]();
      throw error;
    }
    return api;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    for (const call of this.#open) call.abort();
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const server of this.#servers) server.closeIdleConnections();
    await this.#drain();
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(closed);
  }

  /** Waits for the answers that are being worked out, but not for ever: a host that is stuck must not keep us. */
  async #drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, API_DRAIN_TIMEOUT_MS)));
    await Promise.race([Promise.allSettled(this.#answers), late]);
    clearTimeout(timer);
  }

  #listen(place: ListenPlace): Promise<void> {
    const server = createServer(
      {
        headersTimeout: API_HEADER_TIMEOUT_MS,
        requestTimeout: API_REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
        maxHeaderSize: API_HEADER_BYTES_MAX,
      },
      (request, response) => this.#track(this.#answer(request, response)),
    );
    server.maxConnections = API_CONNECTIONS_MAX;
    server.on('connection', (socket: Socket) => this.#identify(socket));
    server.on('clientError', (error, socket) => refuseUnparsed(error, socket as Socket));
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(place, () => {
        server.off('error', reject);
        server.on('error', this.#options.onError);
        resolve();
      });
    });
  }

  /** Keeps an answer until it is out, so that closing can wait for it. */
  #track(answer: Promise<void>): void {
    const tracked = answer.catch(this.#options.onError).finally(() => this.#answers.delete(tracked));
    this.#answers.add(tracked);
  }

  #identify(socket: Socket): void {
    try {
      this.#uids.set(socket, this.#options.peerUid(socket));
    } catch (error) {
      socket.destroy();
      this.#options.onError(error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A write to a caller who left is no failure; `close` tells of it.
    response.on('error', () => undefined);
    try {
      const match = findRoute(ROUTES, request.method ?? '', request.url ?? '');
      const { body: mediaType } = match.route;
      if (mediaType === null) checkNoBody(request);
      else checkBodyHeader(request, mediaType);
      const body = mediaType === null ? new Uint8Array() : await readBody(request);
      await this.#reply(match, this.#call({ match, body, request, response }), response);
    } catch (error) {
      if (!isExpected(error)) this.#options.onError(error);
      refuse(response, error);
    }
  }

  async #reply(match: Match, call: Call, response: ServerResponse): Promise<void> {
    const reply = await match.route.answer(call);
    // A wait that ended because the daemon does has no answer.
    if (this.#isClosing && match.route.path.endsWith('/wait')) throw restarting();
    switch (reply.kind) {
      case 'json':
        return sendJson(response, reply.status, reply.value);
      case 'empty':
        return sendEmpty(response);
      case 'events':
        return sendEvents(response, reply.events, call.signal);
    }
  }

  #call({ match, body, request, response }: Asked): Call {
    // Not the socket of the response, which has none before the one ahead of it is out.
    const uid = this.#uids.get(request.socket);
    if (uid === undefined) throw new SpawnError('control.forbidden', 'The caller left before it was known.');
    const open = new AbortController();
    let isCallerGone = response.closed && !this.#isClosing;
    this.#open.add(open);
    response.once('close', () => {
      isCallerGone = !response.writableFinished && !this.#isClosing;
      this.#open.delete(open);
      open.abort();
    });
    if (this.#isClosing || response.closed) open.abort();
    return {
      operations: this.#options.operations,
      caller: { uid },
      id: match.id,
      query: match.query,
      body,
      signal: open.signal,
      isCallerGone: () => isCallerGone,
    };
  }
}

/** Answers a failure; when the answer has begun already, all that is left is to end it. */
function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  if (error instanceof WrongMethod) response.setHeader('allow', error.allow);
  // What is left of a body nobody will read must not be taken for the next request.
  response.setHeader('connection', 'close');
  const problem = problemDocument(error);
  sendJson(response, problem.status, problem, PROBLEM_TYPE);
}

/** Answers bytes that are no HTTP request. */
function refuseUnparsed(error: Error, socket: Socket): void {
  if (!socket.writable || (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const text = JSON.stringify(
    problemDocument(new SpawnError('control.bad-request', `No HTTP request: ${error.message}`)),
  );
  const head = [
    'HTTP/1.1 400 Bad Request',
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(text)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n${text}`);
}

function restarting(): SpawnError {
  return new SpawnError('control.unavailable', 'The daemon is about to end; agents go on.', { remedy: 'Ask again.' });
}
