import { SpawnError } from '../base/errors.ts';
import { AGENTS_MAX, ENDED_RECORDS_MAX } from '../base/limits.ts';
import type { Agent } from './agent.ts';

/** All agents the daemon knows, by id. */
export class Registry {
  readonly #agents = new Map<string, Agent>();
  /** Made when it is asked for and kept until something changes: each card is compared with all the others. */
  #ordered: readonly Agent[] | null = null;

  /** Agents ordered by id. */
  all(): readonly Agent[] {
    this.#ordered ??= [...this.#agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.#ordered;
  }

  find(id: string): Agent | null {
    return this.#agents.get(id) ?? null;
  }

  /** The agent, or `sandbox.not-found`. */
  get(id: string): Agent {
    const agent = this.find(id);
    if (agent === null) {
      throw new SpawnError('sandbox.not-found', `No agent "${id}" is known.`, {
        remedy: 'agentctl list --all shows those that are.',
      });
    }
    return agent;
  }

  /**
   * Enters an agent that is about to start, in one turn of the event loop, so
   * that of two starts with one id exactly one wins. Returns the ended agent
   * it takes the place of, or null.
   */
  admit(agent: Agent): Agent | null {
    const present = this.find(agent.id);
    if (present !== null && present.record.origin === 'declared') {
      throw new SpawnError('sandbox.declared', `The id "${agent.id}" belongs to a declared card.`, {
        remedy: `systemctl start sandboxed-agent@${agent.id}, or choose another agent_id.`,
      });
    }
    if (present?.isLive === true) {
      throw new SpawnError('sandbox.exists', `An agent "${agent.id}" runs already.`, {
        remedy: `agentctl stop ${agent.id}, or choose another agent_id.`,
      });
    }
    if (this.#live() >= AGENTS_MAX) {
      throw new SpawnError('sandbox.too-many', `${AGENTS_MAX} agents run on this host, as many as may.`, {
        remedy: 'Stop some of them first.',
      });
    }
    this.put(agent);
    return present;
  }

  /** Enters an agent found at start or declared by a card, without asking. */
  put(agent: Agent): void {
    this.#agents.set(agent.id, agent);
    this.#ordered = null;
  }

  drop(id: string): void {
    this.#agents.delete(id);
    this.#ordered = null;
  }

  /** Drops ended, spawned agents beyond the number remembered, oldest first; returns their ids. */
  trim(): readonly string[] {
    const ended = [...this.#agents.values()].filter((agent) => !agent.isLive && agent.record.origin === 'spawned');
    const surplus = ended
      .sort((a, b) => (a.record.endedAtMs ?? 0) - (b.record.endedAtMs ?? 0))
      .slice(0, Math.max(0, ended.length - ENDED_RECORDS_MAX));
    for (const agent of surplus) this.drop(agent.id);
    return surplus.map((agent) => agent.id);
  }

  #live(): number {
    let count = 0;
    for (const agent of this.#agents.values()) if (agent.isLive) count += 1;
    return count;
  }
}
