import { Agent, type ClientRequest, request } from 'node:http';
import type { Socket } from 'node:net';
import { assert } from '../base/assert.ts';
import { EGRESS_ANSWER_HEAD_BYTES_MAX } from '../base/limits.ts';
import type { Address } from '../policy/address.ts';
import type { RawFields } from '../policy/forward-head.ts';
import type { UpstreamProxy } from '../policy/table.ts';

/** A request as it goes to a host. */
export interface LinkRequest {
  readonly method: string;
  /** Path and query, or for an upstream proxy the whole URL. */
  readonly target: string;
  readonly fields: RawFields;
}

/** Size of a request's head as it is sent, bytes, without the version. */
export function headBytes({ method, target, fields }: LinkRequest): number {
  return fields.reduce((sum, text) => sum + text.length + 2, method.length + target.length + 2);
}

/** Where a link leads, for telling whether a request may use it. */
export interface LinkPlace {
  /** `host:port` of the requests. */
  readonly endpoint: string;
  /** The address that was dialled; null through an upstream proxy. */
  readonly address: Address | null;
  readonly upstream: UpstreamProxy | null;
  /** Whether the upstream proxy gets the requests themselves; otherwise it only made a tunnel. */
  readonly isAbsolute: boolean;
}

/**
 * A connection to a host that takes one HTTP request after the other. It belongs to one connection of one agent, so that
 * nothing of one agent's ever meets another's.
 */
export class Link {
  readonly place: LinkPlace;
  readonly #socket: Socket;
  readonly #agent: OneSocketAgent;
  #requests = 0;

  constructor(socket: Socket, place: LinkPlace) {
    this.place = place;
    this.#socket = socket;
    this.#agent = new OneSocketAgent(socket);
    // What the host ends between two requests is of no more use to anybody.
    socket.on('end', () => {
      if (this.#agent.isFree) socket.destroy();
    });
  }

  /** Whether the connection stands and waits for a request. */
  get isFree(): boolean {
    return this.#agent.isFree && !this.#socket.destroyed && this.#socket.writable && this.#socket.readable;
  }

  /** Whether it has carried a request: the host may have closed it since, without a fault of the request. */
  get isUsed(): boolean {
    return this.#requests > 1;
  }

  /** Begins a request; the link must be free. */
  request({ method, target, fields }: LinkRequest): ClientRequest {
    assert(this.isFree, 'a link takes one request at a time');
    this.#requests += 1;
    this.#agent.isFree = false;
    const options = {
      agent: this.#agent,
      // There is no TLS here: without a name Node would look for one in every request.
      servername: '',
      method,
      path: target,
      headers: fields as string[],
      setHost: false,
      maxHeaderSize: EGRESS_ANSWER_HEAD_BYTES_MAX,
    };
    return request(options);
  }

  /** Ends it. */
  destroy(): void {
    this.#socket.destroy();
  }
}

/** Keeps Node's client on the one socket that was judged: it never connects anywhere itself. */
class OneSocketAgent extends Agent {
  isFree = true;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
    this.#socket = socket;
  }

  /** Called once, for the first request. */
  override createConnection(): Socket {
    return this.#socket;
  }

  override getName(): string {
    return '';
  }

  /** Called when a request is over and the host keeps the connection. */
  override keepSocketAlive(): boolean {
    this.isFree = true;
    return true;
  }
}
