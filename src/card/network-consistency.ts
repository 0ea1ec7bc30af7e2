import { valueAt } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import { CARD_DEFAULTS } from './card-keys.gen.ts';
import { displayName } from './keys.ts';

/** A network key, the modes it means something in, and what would become of it in the others. */
interface NetworkRule {
  readonly pointer: string;
  readonly modes: readonly string[];
  readonly cause: string;
  readonly suggestion: string;
}

/** Modes with a network of the agent's own. */
const SEPARATE = ['isolated', 'veth', 'none'];
const NOT_ENFORCED = 'nothing would enforce it';
const ENFORCING = 'Use the mode "isolated", or remove the key.';

/**
 * Keys that a card cannot have in every mode. In mode `none` rules for the
 * proxy are no contradiction, since everything they leave out is refused too:
 * there the plan only says that they do not matter.
 */
const RULES: readonly NetworkRule[] = [
  {
    pointer: '/network/allow',
    modes: ['veth'],
    cause: 'the agent has no network device for direct connections',
    suggestion: 'Use the mode "veth", or "allowed_hosts" for what goes through the proxy.',
  },
  ...['/network/publish', '/a2a_port'].map((pointer) => {
    return { pointer, modes: SEPARATE, cause: 'the agent listens on the host by itself', suggestion: ENFORCING };
  }),
  ...['/allowed_hosts', '/denied_hosts', '/network/max_bytes', '/network/requests_per_minute'].map((pointer) => {
    return { pointer, modes: SEPARATE, cause: NOT_ENFORCED, suggestion: ENFORCING };
  }),
];

/** Network keys that contradict the network mode or each other. */
export function networkProblems(card: unknown): readonly Problem[] {
  const mode = valueAt(card, '/network/mode') ?? CARD_DEFAULTS.network.mode;
  const wrong = RULES.filter(({ pointer, modes }) => isGiven(card, pointer) && !modes.includes(String(mode)));
  const problems = wrong.map(({ pointer, cause, suggestion }): Problem => {
    const message = `${displayName(pointer)} stands beside the network mode ${quote(String(mode))}, where ${cause}.`;
    return { code: 'card.conflict', pointer, message, suggestion };
  });
  return [...problems, ...credentialProblems(card)];
}

function credentialProblems(card: unknown): readonly Problem[] {
  const pointer = '/proxy_credentials_file';
  if (valueAt(card, pointer) === undefined || valueAt(card, '/proxy') !== undefined) return [];
  const message = `${displayName(pointer)} stands in a card without "proxy", so the credentials are for nobody.`;
  return [{ code: 'card.conflict', pointer, message, suggestion: 'Name the proxy, or remove the key.' }];
}

/** Whether a key says anything: an empty list of allowed hosts does, other empty lists do not. */
function isGiven(card: unknown, pointer: string): boolean {
  const value = valueAt(card, pointer);
  return value !== undefined && (pointer === '/allowed_hosts' || !Array.isArray(value) || value.length > 0);
}
