import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { SpawnError } from '../base/errors.ts';
import { EGRESS_ANSWER_BYTES_MAX, EGRESS_CALL_TIMEOUT_MS } from '../base/limits.ts';
import type { AgentTable, EgressSummary } from '../policy/table.ts';
import type { HostEgress } from './host.ts';

/** The proxy's control socket; PID 1 holds it and starts the proxy when somebody connects. */
export const EGRESS_CONTROL_SOCKET: string = '/run/agent-egress-control.sock';

const NOT_FOUND = 404;

/** A request and the head of its answer. */
interface Sent {
  readonly sent: ClientRequest;
  readonly response: IncomingMessage;
}

/** One answer of the proxy. */
interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The egress proxy behind its control socket: HTTP and JSON, one connection per call, so that none outlives the proxy. */
export class EgressControl implements HostEgress {
  readonly #socketPath: string;

  constructor(socketPath: string = EGRESS_CONTROL_SOCKET) {
    this.#socketPath = socketPath;
  }

  async put(table: AgentTable): Promise<void> {
    await this.#call('PUT', `/agents/${table.id}`, table);
  }

  async restore(tables: readonly AgentTable[]): Promise<void> {
    await this.#call('PUT', '/tables', { agents: tables });
  }

  async remove(id: string): Promise<EgressSummary | null> {
    return summaryOf(await this.#call('DELETE', `/agents/${id}`));
  }

  async summary(id: string): Promise<EgressSummary | null> {
    return summaryOf(await this.#call('GET', `/agents/${id}`));
  }

  async watch(ended: () => void): Promise<Disposable> {
    const { sent, response } = await this.#send('GET', '/watch', null);
    let isWatched = true;
    const end = (): void => {
      if (isWatched) ended();
      isWatched = false;
    };
    response.once('close', end).on('error', end).resume();
    if (response.statusCode !== 200) {
      isWatched = false;
      sent.destroy();
      throw unavailable(`it answered GET /watch with ${response.statusCode}`);
    }
    return {
      [Symbol.dispose]: () => {
        isWatched = false;
        sent.destroy();
      },
    };
  }

  async #call(method: string, path: string, body: unknown = null): Promise<Answer> {
    const { response } = await this.#send(method, path, body);
    const timer = setTimeout(() => response.destroy(new Error('its answer did not end')), EGRESS_CALL_TIMEOUT_MS);
    try {
      const answer = { status: response.statusCode ?? 0, body: await read(response) };
      const isFine = answer.status < 300 || (answer.status === NOT_FOUND && method !== 'PUT');
      if (!isFine)
        throw unavailable(`it answered ${method} ${path} with ${answer.status}: ${answer.body.slice(0, 500)}`);
      return answer;
    } catch (error) {
      throw unavailable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves with the head of the answer. */
  #send(method: string, path: string, body: unknown): Promise<Sent> {
    return new Promise((resolve, reject) => {
      const text = body === null ? '' : JSON.stringify(body);
      const headers =
        body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const sent = request({ socketPath: this.#socketPath, host: 'localhost', method, path, headers, agent: false });
      const timer = setTimeout(() => sent.destroy(new Error('it did not answer in time')), EGRESS_CALL_TIMEOUT_MS);
      sent.once('response', (response) => {
        clearTimeout(timer);
        resolve({ sent, response });
      });
      sent.on('error', (error) => {
        clearTimeout(timer);
        reject(unavailable(error));
      });
      sent.end(text);
    });
  }
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > EGRESS_ANSWER_BYTES_MAX) throw new Error('its answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function summaryOf({ status, body }: Answer): EgressSummary | null {
  if (status === NOT_FOUND || body === '') return null;
  try {
    return JSON.parse(body) as EgressSummary;
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): SpawnError {
  if (cause instanceof SpawnError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new SpawnError('host.egress-unavailable', `The egress proxy cannot be asked: ${text}.`, {
    remedy: 'systemctl status agent-egressd.socket agent-egressd.service',
    cause,
  });
}
