import { SpawnError } from '../../src/base/errors.ts';
import type { HostEgress } from '../../src/host/host.ts';
import type { AgentTable, EgressSummary } from '../../src/policy/table.ts';
import type { FakeFaults } from './fake-faults.ts';

/** An egress proxy in memory: it keeps the tables it is told, until it dies. */
export class FakeEgress implements HostEgress {
  readonly tables = new Map<string, AgentTable>();
  /** What became of an agent's requests; nothing, for those that are not here. */
  readonly summaries = new Map<string, Partial<EgressSummary>>();
  /** Removals wait for this. */
  removalGate: Promise<void> = Promise.resolve();
  readonly #faults: FakeFaults;
  readonly #watches = new Set<() => void>();
  #isAway = false;

  constructor(faults: FakeFaults) {
    this.#faults = faults;
  }

  /** Somebody watches it. */
  get isWatched(): boolean {
    return this.#watches.size > 0;
  }

  /** Ends the proxy: tables and watches are gone. Until {@link comeBack} nobody answers. */
  die(): void {
    this.#isAway = true;
    this.tables.clear();
    const watches = [...this.#watches];
    this.#watches.clear();
    for (const ended of watches) ended();
  }

  /** Starts the proxy again, knowing nothing. */
  comeBack(): void {
    this.#isAway = false;
  }

  put(table: AgentTable): Promise<void> {
    return this.#faults.mutate(`egress PUT ${table.id}`, () => {
      this.#answer();
      this.tables.set(table.id, structuredClone(table));
    });
  }

  restore(tables: readonly AgentTable[]): Promise<void> {
    return this.#faults.mutate('egress PUT tables', () => {
      this.#answer();
      this.tables.clear();
      for (const table of tables) this.tables.set(table.id, structuredClone(table));
    });
  }

  remove(id: string): Promise<EgressSummary | null> {
    return this.#faults.mutate(`egress DELETE ${id}`, async () => {
      await this.removalGate;
      const summary = await this.summary(id);
      this.tables.delete(id);
      return summary;
    });
  }

  async summary(id: string): Promise<EgressSummary | null> {
    this.#answer();
    return this.tables.has(id) ? { ...EMPTY, id, ...this.summaries.get(id) } : null;
  }

  async watch(ended: () => void): Promise<Disposable> {
    this.#answer();
    this.#watches.add(ended);
    return { [Symbol.dispose]: () => void this.#watches.delete(ended) };
  }

  #answer(): void {
    if (this.#isAway) throw new SpawnError('host.egress-unavailable', 'The egress proxy cannot be asked: it is away.');
  }
}

const EMPTY: Omit<EgressSummary, 'id'> = {
  allowed: 0,
  refused: 0,
  bytesSent: 0,
  bytesReceived: 0,
  openConnections: 0,
  topRefusals: [],
  gateways: [],
  auditHead: { sequence: 0, hash: '' },
};
