import type { ResolvedCard } from '../card/resolve.ts';
import { linksOf } from '../plan/veth.ts';

/**
 * Which agent has which link of this host: each the lowest number that was free. Kept in the agents' records, which are
 * stored before a link is made; a number is free again once its agent is cleared away.
 */
export class LinkTable {
  /** Range of addresses for links, `ADDRESS/PREFIX`. */
  readonly range: string;
  readonly #indexes = new Map<string, number>();

  constructor(range: string) {
    this.range = range;
  }

  /** Takes in what a record says. */
  adopt(id: string, index: number | null): void {
    if (index !== null) this.#indexes.set(id, index);
  }

  /** The number that the agent of a card has from now on; null for one without a link, and when all are taken. */
  reserve(card: ResolvedCard): number | null {
    const index = this.peek(card);
    this.adopt(card.agentId, index);
    return index;
  }

  /** The number that {@link reserve} would give, changing nothing. */
  peek({ agentId, network }: ResolvedCard): number | null {
    if (network.mode !== 'veth') return null;
    return this.#indexes.get(agentId) ?? this.#lowestFree();
  }

  /** Makes the number of an agent free; one without is fine. */
  release(id: string): void {
    this.#indexes.delete(id);
  }

  #lowestFree(): number | null {
    const taken = new Set(this.#indexes.values());
    const last = linksOf(this.range);
    for (let index = 1; index <= last; index += 1) if (!taken.has(index)) return index;
    return null;
  }
}
