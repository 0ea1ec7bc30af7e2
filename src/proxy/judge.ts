import { EGRESS_DECISIONS_KEPT_MAX } from '../base/limits.ts';
import type { Address } from '../policy/address.ts';
import { decide, type RuleDecision } from '../policy/decide.ts';
import { decideAddresses } from '../policy/decide-addresses.ts';
import type { AddressDecision } from '../policy/decision.ts';
import { destinationText, type EgressIntent } from '../policy/intent.ts';
import type { CompiledPolicy } from '../policy/rules.ts';
import type { EgressRule } from '../policy/table.ts';

/** Longest path of which a decision is kept, characters. */
const PATH_MAX = 256;

/**
 * Decides by one policy and keeps what it has decided last: clients ask for the same again and again, and the same
 * request has the same answer as long as neither the policy nor the addresses of this machine change.
 */
export class Judge {
  readonly #policy: CompiledPolicy;
  readonly #decisions = new Map<string, RuleDecision>();
  readonly #places = new Map<string, AddressDecision>();
  #own: readonly Address[] = [];

  constructor(policy: CompiledPolicy) {
    this.#policy = policy;
  }

  /** As `decide`. */
  decide(intent: EgressIntent): RuleDecision {
    return remembered(this.#decisions, keyOf(intent), () => decide(this.#policy, intent));
  }

  /** As `decideAddresses`, after {@link decide} with the same intent. The same list `own` means the same addresses. */
  decideAddresses(
    intent: EgressIntent,
    matched: EgressRule,
    places: { readonly candidates: readonly Address[]; readonly own: readonly Address[] },
  ): AddressDecision {
    if (places.own !== this.#own) {
      this.#own = places.own;
      this.#places.clear();
    }
    const key = keyOf(intent);
    const full = key === null ? null : [key, ...places.candidates.map(({ text }) => text)].join(' ');
    return remembered(this.#places, full, () => decideAddresses(this.#policy, intent, matched, places));
  }
}

/** Everything that a decision depends on, or null for what is not worth keeping. */
function keyOf({ form, destination, port, method, path }: EgressIntent): string | null {
  if (path !== null && path.length > PATH_MAX) return null;
  return `${form} ${destination.kind} ${destinationText(destination)} ${port} ${method} ${path ?? ''}`;
}

function remembered<T>(kept: Map<string, T>, key: string | null, make: () => T): T {
  const known = key === null ? undefined : kept.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (key === null) return made;
  if (kept.size >= EGRESS_DECISIONS_KEPT_MAX) kept.clear();
  kept.set(key, made);
  return made;
}
