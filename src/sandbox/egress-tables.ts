import { EGRESS_RETRY_MAX_MS, EGRESS_RETRY_MIN_MS } from '../base/limits.ts';
import type { Host } from '../host/host.ts';
import type { AgentTable, EgressSummary } from '../policy/table.ts';

/** What keeping the tables needs, and whom it tells of failures that it survives. */
export interface EgressTablesParts {
  readonly host: Pick<Host, 'egress' | 'clock'>;
  readonly report: (failure: string) => void;
}

/**
 * What the egress proxy should know: the tables of all agents that run or are
 * declared. The proxy keeps nothing over its own end and refuses everything
 * until it is told again, so it is watched, and told everything whenever it
 * comes back. Calls that change something go one after the other: a table that
 * is being handed over is in what is restored, one that is taken back is not.
 */
export class EgressTables implements Disposable {
  readonly #parts: EgressTablesParts;
  readonly #tables = new Map<string, AgentTable>();
  #queue: Promise<unknown> = Promise.resolve();
  #watch: Disposable | null = null;
  #retry: Disposable | null = null;
  #pauseMs = EGRESS_RETRY_MIN_MS;
  #isOpened = false;
  #isDisposed = false;
  #hasFailed = false;

  constructor(parts: EgressTablesParts) {
    this.#parts = parts;
  }

  /** The table that the proxy has or will get for an agent, or null. */
  find(id: string): AgentTable | null {
    return this.#tables.get(id) ?? null;
  }

  /** Takes note of a table without handing it over, for what is restored next. */
  adopt(table: AgentTable): void {
    this.#tables.set(table.id, this.#dated(table));
  }

  /** Hands a table over; one that could not be is taken back. Throws `host.egress-unavailable`. */
  register(table: AgentTable): Promise<void> {
    return this.change(table.id, () => table).then(() => undefined);
  }

  /**
   * Replaces an agent's table by what is made of it, null of none. A failure
   * leaves the table as it was, here and at the proxy.
   */
  change(id: string, replace: (present: AgentTable | null) => AgentTable): Promise<AgentTable> {
    return this.#enqueue(async () => {
      const present = this.find(id);
      const table = this.#dated(replace(present));
      this.#tables.set(id, table);
      try {
        await this.#parts.host.egress.put(table);
        return table;
      } catch (error) {
        const isCurrent = this.find(id) === table;
        if (isCurrent && present === null) this.#tables.delete(id);
        else if (isCurrent && present !== null) this.#tables.set(id, present);
        await this.#putBack(id, present);
        throw error;
      }
    });
  }

  /** Hands a table over when the proxy is there, otherwise when it comes. Never throws. */
  async declare(table: AgentTable): Promise<void> {
    const dated = this.#dated(table);
    this.adopt(dated);
    if (!this.#isOpened) return;
    await this.#enqueue(() => this.#parts.host.egress.put(dated)).catch((error: unknown) => this.#fail(error));
  }

  /** Ends everything of an agent at the proxy; what came of its requests, or null when nobody knows. Never throws. */
  async remove(id: string): Promise<EgressSummary | null> {
    if (!this.#tables.delete(id)) return null;
    // What is told to a proxy that comes back does not hold the agent; nobody waits for one that may not.
    if (this.#isOpened && this.#watch === null) return null;
    return this.#enqueue(() => this.#parts.host.egress.remove(id)).catch((error: unknown) => {
      this.#fail(error);
      return null;
    });
  }

  /** Connects to the proxy and hands everything over; resolves after the first attempt, whatever came of it. */
  async open(): Promise<void> {
    if (this.#isOpened) return;
    this.#isOpened = true;
    await this.#connect();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#watch?.[Symbol.dispose]();
    this.#retry?.[Symbol.dispose]();
  }

  /** The watch comes first, so that a proxy that goes away after it was told is noticed. */
  async #connect(): Promise<void> {
    this.#retry = null;
    try {
      const watch = await this.#parts.host.egress.watch(() => this.#again());
      this.#watch = watch;
      if (this.#isDisposed) return watch[Symbol.dispose]();
      await this.#enqueue(() => this.#parts.host.egress.restore([...this.#tables.values()]));
      this.#pauseMs = EGRESS_RETRY_MIN_MS;
      this.#hasFailed = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A table with the begin of the agent's life, which is now when nothing is known of one; only a budget needs it. */
  #dated(table: AgentTable): AgentTable {
    if (table.gateways.length === 0) return table;
    const since = this.find(table.id)?.since ?? table.since ?? this.#parts.host.clock.now();
    return table.since === since ? table : { ...table, since };
  }

  #again(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = null;
    if (this.#isDisposed || this.#retry !== null) return;
    this.#retry = this.#parts.host.clock.timer(this.#pauseMs, () => void this.#connect());
    this.#pauseMs = Math.min(2 * this.#pauseMs, EGRESS_RETRY_MAX_MS);
  }

  async #putBack(id: string, present: AgentTable | null): Promise<void> {
    const { egress } = this.#parts.host;
    try {
      await (present === null ? egress.remove(id) : egress.put(present));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Says so once until it works again, and sees to it that the proxy is told everything once more. */
  #fail(error: unknown): void {
    if (this.#isOpened) this.#again();
    if (this.#hasFailed || this.#isDisposed) return;
    this.#hasFailed = true;
    this.#parts.report(error instanceof Error ? error.message : String(error));
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}
