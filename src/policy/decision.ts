import type { Address } from './address.ts';
import type { ReasonCode } from './reasons.ts';

/**
 * What was decided about a request and why. The same value goes to the agent,
 * into the audit and into a dry run.
 */
export interface Decision {
  readonly verdict: 'allow' | 'deny';
  readonly reason: ReasonCode;
  /** Pointer of the rule that decided, or null when no rule did. */
  readonly rule: string | null;
  /** One sentence with the host in it. */
  readonly message: string;
  /** What to put in the card, or null when nothing in the card would help. */
  readonly suggestion: string | null;
}

/** A decision on where to connect: the addresses that may be dialled, in order, never empty when the verdict is `allow`. */
export interface AddressDecision extends Decision {
  readonly addresses: readonly Address[];
}
