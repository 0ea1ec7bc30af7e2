import type { Socket } from 'node:net';
import { EGRESS_IDLE_TIMEOUT_MS, EGRESS_LINGER_MS } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import type { EgressIntent } from '../policy/intent.ts';
import { ClientReader } from './client-reader.ts';
import { Deadline } from './deadline.ts';

/** One connection of an agent, with everything that hangs on it. */
export class Connection {
  readonly socket: Socket;
  readonly reader: ClientReader;
  readonly #clock: HostClock;
  readonly #upstreams = new Set<Socket>();
  readonly #intents: EgressIntent[] = [];
  #isCut = false;

  constructor(socket: Socket, clock: HostClock) {
    this.socket = socket;
    this.reader = new ClientReader(socket);
    this.#clock = clock;
    // Errors are followed by `close`, which is listened to.
    socket.on('error', () => undefined);
  }

  /** Whether it was ended by force. */
  get isCut(): boolean {
    return this.#isCut || this.socket.destroyed;
  }

  /** What is going on: a tunnel, a request, or a request in a tunnel, outermost first. */
  get intents(): readonly EgressIntent[] {
    return this.#intents;
  }

  /** Begins something that new rules may end. */
  begin(intent: EgressIntent): void {
    this.#intents.push(intent);
  }

  /** It is over. */
  finish(intent: EgressIntent): void {
    this.#intents.splice(this.#intents.lastIndexOf(intent), 1);
  }

  /** Makes a socket to a host end with this connection. */
  attach(upstream: Socket): void {
    if (this.isCut) upstream.destroy();
    this.#upstreams.add(upstream);
    upstream.once('close', () => this.#upstreams.delete(upstream));
  }

  /** Ends all of it at once; what was not sent yet is lost. */
  cut(): void {
    this.#isCut = true;
    this.socket.destroy();
    for (const upstream of this.#upstreams) upstream.destroy();
  }

  /** Sends bytes; resolves when there is room for more, or when nothing can be sent any more. */
  async send(bytes: Uint8Array | string): Promise<void> {
    if (this.isCut || this.socket.write(bytes, 'latin1')) return;
    using deadline = new Deadline(this.#clock, EGRESS_IDLE_TIMEOUT_MS);
    deadline.listen(() => this.cut());
    await drained(this.socket);
  }

  /**
   * Ends it after some last bytes. What the client still sends is thrown away for a while: closing the socket under it
   * would take the bytes away from it that say why.
   */
  async close(): Promise<void> {
    this.reader.whenGone(null);
    for (const upstream of this.#upstreams) upstream.destroy();
    this.socket.end();
    using deadline = new Deadline(this.#clock, EGRESS_LINGER_MS);
    while (typeof (await this.reader.read(deadline)) !== 'string');
    if (this.socket.writableFinished || this.socket.destroyed) this.socket.destroy();
    else await finished(this.socket, deadline);
  }
}

/** Resolves when a stream takes more, or is closed. */
export function drained(stream: NodeJS.EventEmitter & { readonly destroyed: boolean }): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle);
      stream.off('close', settle);
      resolve();
    };
    stream.once('drain', settle);
    stream.once('close', settle);
  });
}

/** Lets the last bytes out, in the time that is left, and destroys the socket. */
async function finished(socket: Socket, deadline: Deadline): Promise<void> {
  if (!deadline.isOver) {
    await new Promise<void>((resolve) => {
      deadline.listen(resolve);
      socket.once('finish', resolve);
      socket.once('close', resolve);
    });
  }
  socket.destroy();
}
