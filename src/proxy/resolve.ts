import { promises } from 'node:dns';
import { EGRESS_ADDRESSES_MAX, EGRESS_LOOKUP_TIMEOUT_MS, EGRESS_LOOKUPS_AT_ONCE_MAX } from '../base/limits.ts';
import { type Address, parseAddress } from '../policy/address.ts';
import { Deadline } from './deadline.ts';
import type { Surroundings } from './surroundings.ts';

/** What a name leads to: addresses in the order of the resolver, or why there are none. */
export type Resolution =
  | { readonly kind: 'addresses'; readonly addresses: readonly Address[] }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'late' };

/** getaddrinfo(3): all addresses, in the order of RFC 6724. */
export async function lookupName(name: string): Promise<readonly Address[]> {
  const answers = await promises.lookup(name, { all: true, verbatim: true });
  return answers
    .slice(0, EGRESS_ADDRESSES_MAX)
    .map(({ address }) => parseAddress(address))
    .filter((address) => address !== null);
}

/**
 * Lookups of one agent. Only some run at once, the others wait in order: every lookup keeps a thread busy that other
 * agents' names need. Nothing is remembered, so that what was judged is what was just said.
 */
export class Lookups {
  readonly #surroundings: Surroundings;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Looks a name up, once, in bounded time. */
  async resolve(name: string): Promise<Resolution> {
    using deadline = new Deadline(this.#surroundings.clock, EGRESS_LOOKUP_TIMEOUT_MS);
    const late = new Promise<Resolution>((resolve) => deadline.listen(() => resolve({ kind: 'late' })));
    return await Promise.race([late, this.#queued(name, deadline)]);
  }

  async #queued(name: string, deadline: Deadline): Promise<Resolution> {
    if (this.#running >= EGRESS_LOOKUPS_AT_ONCE_MAX) await new Promise<void>((turn) => this.#waiting.push(turn));
    else this.#running += 1;
    try {
      if (deadline.isOver) return { kind: 'late' };
      return { kind: 'addresses', addresses: await this.#surroundings.lookup(name) };
    } catch {
      // Which of the many errors of a resolver it was helps nobody: the name leads nowhere.
      return { kind: 'unknown' };
    } finally {
      const next = this.#waiting.shift();
      // The place goes on to whoever waits longest.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
