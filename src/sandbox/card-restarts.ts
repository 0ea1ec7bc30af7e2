import { CARD_RESTARTS_AT_ONCE_MAX } from '../base/limits.ts';
import { isSameCard } from '../card/same-card.ts';
import type { Agent } from './agent.ts';
import type { CardEffect, PendingEffect } from './cards-report.ts';
import { Coalesced } from './coalesced.ts';
import type { EngineContext } from './context.ts';
import { Turnstile } from './turnstile.ts';

/** What is done to agents; both throw what keeps them from it. */
export interface CardRestartActions {
  /** Restarts an agent if it is active; false when PID 1 is not done in time and goes on. */
  readonly restart: (agent: Agent) => Promise<boolean>;
  /** Resolves once nothing of it runs. */
  readonly stop: (agent: Agent) => Promise<void>;
}

/**
 * Makes declared agents that run follow their cards: one that was started by
 * another card is restarted, one whose card is gone is stopped. What counts
 * is what is so at that moment, and not what was heard, so that nothing is
 * done twice and a daemon that was killed goes on where it was. A few at once,
 * in order, and never two things for one agent.
 */
export class CardRestarts {
  readonly #context: EngineContext;
  readonly #actions: CardRestartActions;
  readonly #places = new Turnstile(CARD_RESTARTS_AT_ONCE_MAX);
  readonly #underWay = new Map<string, Coalesced<CardEffect | null>>();

  constructor(context: EngineContext, actions: CardRestartActions) {
    this.#context = context;
    this.#actions = actions;
  }

  /** Begins with whatever is to be done, and tells of it and of what is under way already; none of it rejects. */
  begin(): readonly PendingEffect[] {
    if (!this.#context.restartChanged) return [];
    const wanted = this.#context.registry.all().filter((agent) => mustStop(agent) || mustRestart(agent));
    const isWanted = new Set(wanted.map(({ id }) => id));
    const before = [...this.#underWay].flatMap(([id, { running }]) =>
      running === null || isWanted.has(id) ? [] : [{ id, effect: running }],
    );
    return [...before, ...wanted.map(({ id }) => ({ id, effect: this.#request(id) }))];
  }

  async #request(id: string): Promise<CardEffect | null> {
    const present = this.#underWay.get(id);
    const task = present ?? new Coalesced(() => this.#places.pass(() => this.#follow(id)));
    this.#underWay.set(id, task);
    const effect = await task.request();
    if (task.running === null) this.#underWay.delete(id);
    return effect;
  }

  async #follow(id: string): Promise<CardEffect | null> {
    const agent = this.#context.registry.find(id);
    if (agent === null) return null;
    try {
      const effect = await this.#act(agent);
      if (effect !== null) this.#context.report({ kind: 'card-followed', id, did: effect.did });
      return effect;
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      this.#context.report({ kind: 'ignored-failure', operation: `what the card of ${id} asks for`, failure });
      return { id, did: 'failed', message: failure };
    }
  }

  async #act(agent: Agent): Promise<CardEffect | null> {
    const { id } = agent;
    if (mustStop(agent)) {
      await this.#actions.stop(agent);
      return { id, did: 'stopped', message: null };
    }
    if (!mustRestart(agent)) return null;
    if (await this.#actions.restart(agent)) return { id, did: 'restarted', message: null };
    return { id, did: 'waiting', message: 'PID 1 is still restarting it.' };
  }
}

/** A declared agent that runs, and is not being stopped, by another card than PID 1 would start it by now. */
function mustRestart(agent: Agent): boolean {
  const { origin, runCard, unitCard } = agent.record;
  if (origin !== 'declared' || !agent.isLive || agent.stopRequested) return false;
  if (agent.unitState?.activeState !== 'active') return false;
  return runCard !== null && unitCard !== null && !isSameCard(runCard, unitCard);
}

/** One whose card went away. */
function mustStop(agent: Agent): boolean {
  return agent.isWithdrawn && agent.isLive;
}
