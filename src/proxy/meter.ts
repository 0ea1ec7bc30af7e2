import { EGRESS_REFUSALS_COUNTED_MAX, EGRESS_REFUSALS_SHOWN_MAX } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import type { ReasonCode } from '../policy/reasons.ts';
import type { EgressCaps, EgressSummary, RefusalCount } from '../policy/table.ts';

const MINUTE_MS = 60_000;

/** Is told of bytes that pass. */
export interface ByteCounter {
  /** Bytes from the agent. */
  sent(bytes: number): void;
  /** Bytes to the agent. */
  received(bytes: number): void;
}

/** Counts what an agent does and says when a cap is reached. */
export class Meter implements ByteCounter {
  readonly #clock: HostClock;
  readonly #onBytesSpent: () => void;
  readonly #refusals = new Map<string, RefusalCount>();
  #bytesMax = Number.POSITIVE_INFINITY;
  #requestsMax = Number.POSITIVE_INFINITY;
  #windowStartMs = 0;
  #windowRequests = 0;
  #allowed = 0;
  #refused = 0;
  #bytesSent = 0;
  #bytesReceived = 0;

  /** `onBytesSpent` is called with every byte beyond the cap. */
  constructor(clock: HostClock, onBytesSpent: () => void) {
    this.#clock = clock;
    this.#onBytesSpent = onBytesSpent;
  }

  /** Sets the caps; what was counted already counts. */
  limit({ maxBytes, requestsPerMinute }: EgressCaps): void {
    this.#bytesMax = maxBytes ?? Number.POSITIVE_INFINITY;
    this.#requestsMax = requestsPerMinute ?? Number.POSITIVE_INFINITY;
  }

  /** Counts a request against the caps; the reason when it must not go on. */
  admit(): 'egress.bytes' | 'egress.rate' | null {
    if (this.isSpent) return 'egress.bytes';
    const now = this.#clock.now();
    if (now < this.#windowStartMs || now - this.#windowStartMs >= MINUTE_MS) {
      this.#windowStartMs = now;
      this.#windowRequests = 0;
    }
    if (this.#windowRequests >= this.#requestsMax) return 'egress.rate';
    this.#windowRequests += 1;
    return null;
  }

  /** Whether no more bytes may pass. */
  get isSpent(): boolean {
    return this.#bytesSent + this.#bytesReceived >= this.#bytesMax;
  }

  allowed(): void {
    this.#allowed += 1;
  }

  refused(reason: ReasonCode, endpoint: { readonly host: string; readonly port: number } | null): void {
    this.#refused += 1;
    if (endpoint === null) return;
    const { host, port } = endpoint;
    const key = `${host} ${port} ${reason}`;
    const known = this.#refusals.get(key);
    if (known === undefined && this.#refusals.size >= EGRESS_REFUSALS_COUNTED_MAX) return;
    this.#refusals.set(key, { host, port, reason, count: (known?.count ?? 0) + 1 });
  }

  sent(bytes: number): void {
    this.#bytesSent += bytes;
    this.#checkBytes();
  }

  received(bytes: number): void {
    this.#bytesReceived += bytes;
    this.#checkBytes();
  }

  /** The counters so far. */
  get counters(): Pick<EgressSummary, 'allowed' | 'refused' | 'bytesSent' | 'bytesReceived' | 'topRefusals'> {
    const byCount = [...this.#refusals.values()].sort((a, b) => b.count - a.count);
    return {
      allowed: this.#allowed,
      refused: this.#refused,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      topRefusals: byCount.slice(0, EGRESS_REFUSALS_SHOWN_MAX),
    };
  }

  #checkBytes(): void {
    if (this.#bytesSent + this.#bytesReceived > this.#bytesMax) this.#onBytesSpent();
  }
}
