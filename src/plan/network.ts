import type { ResolvedCard } from '../card/resolve.ts';

/** How the agent is connected. */
export interface NetworkPlan {
  readonly mode: 'isolated' | 'none' | 'veth' | 'host';
  /** True for a network namespace of the unit's own. */
  readonly privateNamespace: boolean;
  /** One sentence for people. */
  readonly explanation: string;
  readonly notices: readonly string[];
}

/**
 * Until the egress proxy exists, `isolated` is a namespace with a loopback
 * device and no way out, which is stricter than any allowlist.
 */
export function planNetwork(card: ResolvedCard): NetworkPlan {
  const mode = card.network.mode;
  const expectsEgress = mode === 'isolated' && (card.proxy !== null || (card.allowedHosts ?? []).length > 0);
  return {
    mode,
    privateNamespace: mode !== 'host',
    explanation: 'A network namespace of its own with a loopback device; nothing outside can be reached.',
    notices: expectsEgress ? ['This version has no egress proxy yet: the allowed hosts cannot be reached either.'] : [],
  };
}
