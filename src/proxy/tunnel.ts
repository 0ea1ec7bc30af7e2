import type { Socket } from 'node:net';
import { EGRESS_HALF_CLOSED_TIMEOUT_MS } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import type { Meter } from './meter.ts';

/** What went through a tunnel. */
export interface Traffic {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly durationMs: number;
}

/** The two ends of a tunnel. */
export interface TunnelEnds {
  readonly client: Socket;
  readonly upstream: Socket;
}

/**
 * Carries bytes both ways until both sides have ended or one is gone. Each side may end for itself; then the other has
 * a while to say what it has left. A slow side makes the other wait.
 */
export class Tunnel {
  readonly #ends: TunnelEnds;
  readonly #meter: Meter;
  readonly #clock: HostClock;
  readonly #startedMs: number;
  #bytesSent = 0;
  #bytesReceived = 0;
  #idle: Disposable | null = null;

  constructor(ends: TunnelEnds, meter: Meter, clock: HostClock) {
    this.#ends = ends;
    this.#meter = meter;
    this.#clock = clock;
    this.#startedMs = clock.now();
  }

  /** Carries, first of all, `first` to the host; resolves when both sockets are closed. */
  async run(first: readonly Uint8Array[]): Promise<Traffic> {
    const { client, upstream } = this.#ends;
    const closed = Promise.all([this.#closing(client, upstream), this.#closing(upstream, client)]);
    const sent = (bytes: number): void => {
      this.#bytesSent += bytes;
      this.#meter.sent(bytes);
    };
    for (const bytes of first) {
      sent(bytes.length);
      upstream.write(bytes);
    }
    pour(client, upstream, sent);
    pour(upstream, client, (bytes) => {
      this.#bytesReceived += bytes;
      this.#meter.received(bytes);
    });
    client.once('end', () => this.#watchHalf());
    upstream.once('end', () => this.#watchHalf());
    await closed;
    this.#idle?.[Symbol.dispose]();
    return this.traffic;
  }

  /** What has gone through so far. */
  get traffic(): Traffic {
    const durationMs = this.#clock.now() - this.#startedMs;
    return { bytesSent: this.#bytesSent, bytesReceived: this.#bytesReceived, durationMs };
  }

  /** Resolves when a socket is closed; the other gets what was on its way to it and is then closed as well. */
  #closing(socket: Socket, other: Socket): Promise<void> {
    const end = (): void => {
      if (other.destroyed) return;
      other.destroySoon();
      this.#watchHalf();
    };
    if (socket.destroyed) end();
    return new Promise((resolve) => {
      if (socket.destroyed) resolve();
      else {
        socket.once('close', () => {
          end();
          resolve();
        });
      }
    });
  }

  /** Cuts a tunnel that one side has ended, as soon as nothing has passed the other way for a while. */
  #watchHalf(): void {
    const before = this.#bytesSent + this.#bytesReceived;
    this.#idle?.[Symbol.dispose]();
    this.#idle = this.#clock.timer(EGRESS_HALF_CLOSED_TIMEOUT_MS, () => {
      if (this.#bytesSent + this.#bytesReceived > before) return this.#watchHalf();
      this.#ends.client.destroy();
      this.#ends.upstream.destroy();
    });
  }
}

/** One direction. */
function pour(from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on('data', (bytes: Buffer) => {
    count(bytes.length);
    if (!to.write(bytes)) from.pause();
  });
  from.on('end', () => to.end());
  to.on('drain', () => from.resume());
  if (to.writableNeedDrain) from.pause();
  else from.resume();
  if (from.readableEnded) to.end();
}
