import { AGENTS_MAX, DECLARED_CARDS_MAX } from '../base/limits.ts';
import { ok, type Result, refused } from '../base/result.ts';
import { compilePolicy } from '../policy/rules.ts';
import type { AgentTable, EgressSummary } from '../policy/table.ts';
import { AgentPort, type PortPlaces } from './agent-port.ts';
import type { Rules } from './gate.ts';
import type { Surroundings } from './surroundings.ts';

/** Agents that run, and declared ones at rest, which PID 1 may start at any time. */
const TABLES_MAX = AGENTS_MAX + DECLARED_CARDS_MAX;

/**
 * All agents of this machine. Before the first table there is no socket of any agent, so nothing is allowed. Changes
 * happen one after the other, in the order in which they were asked for.
 */
export class Agents {
  readonly #places: PortPlaces;
  readonly #surroundings: Surroundings;
  readonly #ports = new Map<string, AgentPort>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(places: PortPlaces, surroundings: Surroundings) {
    this.#places = places;
    this.#surroundings = surroundings;
  }

  /** How many agents there are. */
  get size(): number {
    return this.#ports.size;
  }

  /** Exactly these from now on; none of it happens when one of them cannot be understood. */
  async putAll(tables: readonly AgentTable[]): Promise<Result<void>> {
    const compiled = tables.map(compile);
    const problems = compiled.flatMap((result) => (result.ok ? [] : result.problems));
    if (problems.length > 0) return refused(problems);
    return await this.#inTurn(async () => {
      const ids = new Set(tables.map(({ id }) => id));
      for (const id of [...this.#ports.keys()]) if (!ids.has(id)) await this.#remove(id);
      for (const result of compiled) if (result.ok) await this.#put(result.value);
      return ok(undefined);
    });
  }

  /** Installs the rules of one agent, or replaces them. */
  async put(table: AgentTable): Promise<Result<void>> {
    const compiled = compile(table);
    if (!compiled.ok) return compiled;
    return await this.#inTurn(async () => {
      if (!this.#ports.has(table.id) && this.#ports.size >= TABLES_MAX) {
        const message = `There are ${TABLES_MAX} agents already.`;
        return refused([{ code: 'sandbox.too-many', pointer: '/id', message }]);
      }
      await this.#put(compiled.value);
      return ok(undefined);
    });
  }

  /** Ends everything of one agent; null when it is not known. */
  remove(id: string): Promise<EgressSummary | null> {
    return this.#inTurn(() => this.#remove(id));
  }

  /** What came of an agent's requests so far; null when it is not known. */
  summary(id: string): EgressSummary | null {
    return this.#ports.get(id)?.summary() ?? null;
  }

  /** Ends all connections because the proxy ends. */
  suspend(): Promise<void> {
    return this.#inTurn(async () => {
      await Promise.all([...this.#ports.values()].map((port) => port.suspend()));
      this.#ports.clear();
    });
  }

  async #put(rules: Rules): Promise<void> {
    const { id } = rules.table;
    const port = this.#ports.get(id);
    if (port === undefined) this.#ports.set(id, await AgentPort.open(rules, this.#places, this.#surroundings));
    else port.replace(rules);
  }

  async #remove(id: string): Promise<EgressSummary | null> {
    const port = this.#ports.get(id);
    this.#ports.delete(id);
    return port === undefined ? null : await port.close();
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function compile(table: AgentTable): Result<Rules> {
  const policy = compilePolicy(table.policy);
  return policy.ok ? ok({ table, policy: policy.value }) : policy;
}
