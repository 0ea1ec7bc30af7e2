import { RELOAD_SETTLE_MS } from '../base/limits.ts';
import type { EngineContext } from './context.ts';

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

/** Something that is under way for the card of an agent; null when there turned out to be nothing to do. */
export interface PendingEffect {
  readonly id: string;
  readonly effect: Promise<CardEffect | null>;
}

/** What one reading of the cards directory did. */
export interface CardsReading {
  /** In order of time. */
  readonly effects: readonly CardEffect[];
  /** Ids of the cards there are. */
  readonly ids: readonly string[];
  /** What it began, which may take longer. */
  readonly pending: readonly PendingEffect[];
  /** Another reading after all that, for cards that were refused for the sake of agents which may be gone then. */
  readonly next: Promise<CardsReading | null> | null;
}

/**
 * The report of readings once what they began is done, or takes too long. More
 * may be added to them meanwhile, which are then told of as well.
 */
export async function settledReport(
  context: Pick<EngineContext, 'host'>,
  readings: readonly CardsReading[],
): Promise<CardsReport> {
  const asked = readings.length;
  const first = await settledEffects(context, readings.slice(0, asked));
  if (first.some(({ did }) => did === 'waiting')) return cardsReport(first, readings.at(-1)?.ids ?? []);
  await readings[asked - 1]?.next;
  const effects = [...first, ...(await settledEffects(context, readings.slice(asked)))];
  return cardsReport(effects, readings.at(-1)?.ids ?? []);
}

async function settledEffects(
  context: Pick<EngineContext, 'host'>,
  readings: readonly CardsReading[],
): Promise<readonly CardEffect[]> {
  const settled = readings.map(async ({ effects, pending }) => [...effects, ...(await awaitEffects(context, pending))]);
  return (await Promise.all(settled)).flat();
}

/** Waits for all, and not for ever: what takes longer goes on, and is told as such. */
async function awaitEffects(
  { host }: Pick<EngineContext, 'host'>,
  pending: readonly PendingEffect[],
): Promise<readonly CardEffect[]> {
  if (pending.length === 0) return [];
  let expire = (): void => undefined;
  const expired = new Promise<void>((resolve) => {
    expire = resolve;
  });
  using _timer = host.clock.timer(RELOAD_SETTLE_MS, expire);
  const effects = await Promise.all(
    pending.map(({ id, effect }) =>
      Promise.race([
        effect,
        expired.then((): CardEffect => ({ id, did: 'waiting', message: 'It is still being restarted or stopped.' })),
      ]),
    ),
  );
  return effects.filter((effect) => effect !== null);
}

/** One report of effects in order of time: what was done last for an agent is what is told of it. */
export function cardsReport(effects: readonly CardEffect[], ids: readonly string[]): CardsReport {
  const told = new Map(effects.map((effect) => [effect.id, effect]));
  return {
    cards: [...told.values()].sort((one, other) => (one.id < other.id ? -1 : 1)),
    unchanged: ids.filter((id) => !told.has(id)).length,
  };
}
