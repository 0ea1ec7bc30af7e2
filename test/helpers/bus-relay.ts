import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { makeScratch, type Scratch } from './scratch.ts';

/** A way to the system bus that a test can cut and close. */
export class BusRelay implements AsyncDisposable {
  readonly #scratch: Scratch;
  readonly #path: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  private constructor(scratch: Scratch) {
    this.#scratch = scratch;
    this.#path = join(scratch.path, 'bus');
  }

  /** Opens a way to the real system bus. */
  static async open(): Promise<BusRelay> {
    const relay = new BusRelay(await makeScratch());
    await relay.reopen();
    return relay;
  }

  /** D-Bus address of this end. */
  get address(): string {
    return `unix:path=${this.#path}`;
  }

  /** Takes connections again. */
  async reopen(): Promise<void> {
    const server = createServer((near) => {
      const far = connect('/run/dbus/system_bus_socket');
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
        one.pipe(other);
      }
    });
    this.#server = server;
    server.listen(this.#path);
    await once(server, 'listening');
  }

  /** Cuts every connection; new ones are taken unless {@link close} was called. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** Takes no connections any more. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.#scratch[Symbol.asyncDispose]();
  }
}
