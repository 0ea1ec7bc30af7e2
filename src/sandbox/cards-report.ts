import type { PendingEffect } from './card-restarts.ts';

/** What was done for the card of one agent. */
export interface CardEffect {
  readonly id: string;
  /**
   * `installed`: the card counts from the next start on. `refused`: it cannot be used. `removed`: there is none any
   * more. `started`, `restarted`, `stopped`: the agent was, for its card. `waiting`: something is still under way.
   * `failed`: what should be done was not.
   */
  readonly did: 'installed' | 'refused' | 'removed' | 'started' | 'restarted' | 'stopped' | 'waiting' | 'failed';
  /** One sentence: the first problem, the cause, what is still to come; null where there is nothing to add. */
  readonly message: string | null;
}

/** What the cards directory came to when it was read. */
export interface CardsReport {
  /** One entry for an agent, ordered by id. */
  readonly cards: readonly CardEffect[];
  /** Cards that nothing was done for. */
  readonly unchanged: number;
}

/** What one reading of the cards directory did. */
export interface CardsReading {
  /** In order of time. */
  readonly effects: readonly CardEffect[];
  /** Ids of the cards there are. */
  readonly ids: readonly string[];
  /** What it began, which may take longer. */
  readonly pending: readonly PendingEffect[];
}

/**
 * One report of readings in order of time, and of what came of what they began:
 * what was done last for an agent is what is told of it.
 */
export function cardsReport(readings: readonly CardsReading[], begun: readonly CardEffect[]): CardsReport {
  const effects = [...readings.flatMap((reading) => reading.effects), ...begun];
  const told = new Map(effects.map((effect) => [effect.id, effect]));
  const ids = readings.at(-1)?.ids ?? [];
  return {
    cards: [...told.values()].sort((one, other) => (one.id < other.id ? -1 : 1)),
    unchanged: ids.filter((id) => !told.has(id)).length,
  };
}
