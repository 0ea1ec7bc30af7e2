import { valueAt } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import { CARD_DEFAULTS } from './card-keys.gen.ts';
import { displayName } from './keys.ts';
import { impliedProvider } from './resolve.ts';

/** Providers that are nothing without a key, and those whose address only the card can know. */
const WITH_KEY: readonly unknown[] = ['anthropic', 'openai', 'google', 'git'];
const WITH_ADDRESS: readonly unknown[] = ['custom', 'git'];

/** Modes with a way to the gateway. */
const MODES: readonly unknown[] = ['isolated', 'veth'];

/** One entry of `credentials`, with what it is read by. */
interface Entry {
  readonly provider: unknown;
  readonly pointer: string;
  /** Whether its key stays outside: that of git always does. */
  readonly isKept: boolean;
  has(key: string): boolean;
}

/** Keys about credentials that contradict each other or the network mode, or miss one another. */
export function credentialProblems(card: unknown): readonly Problem[] {
  const listed = valueAt(card, '/credentials');
  const delivery = valueAt(card, '/api_key_delivery') ?? CARD_DEFAULTS.api_key_delivery;
  const entries = (Array.isArray(listed) ? listed : []).map((value: unknown, index): Entry => {
    const provider = valueAt(value, '/provider');
    return {
      provider,
      pointer: `/credentials/${index}`,
      isKept: delivery !== 'env' || provider === 'git',
      has: (key) => valueAt(value, `/${key}`) !== undefined,
    };
  });
  return [
    ...shortFormProblems(card, entries),
    ...entries.flatMap((entry) => [...missingKeys(entry), ...uselessKeys(entry)]),
    ...modeProblems(card, entries, delivery),
    ...budgetProblems(card, entries, delivery),
  ];
}

function shortFormProblems(card: unknown, entries: readonly Entry[]): readonly Problem[] {
  if (valueAt(card, '/api_key_file') === undefined) return [];
  const provider = valueAt(card, '/api_provider') ?? impliedProvider(valueAt(card, '/agent'));
  if (provider === 'custom') {
    const suggestion = 'Write an entry of "credentials" with "base_url" instead.';
    return [conflict('/api_key_file', 'is the key of a "custom" provider, which has no address', suggestion)];
  }
  const twice = entries.find((entry) => entry.provider === provider);
  if (twice === undefined) return [];
  const cause = `is a key for ${quote(String(provider))}, and ${displayName(twice.pointer)} is another`;
  return [conflict('/api_key_file', cause, 'Remove one of the two.')];
}

function missingKeys({ provider, pointer, isKept, has }: Entry): readonly Problem[] {
  const keys = [
    ...(WITH_KEY.includes(provider) ? ['api_key_file'] : []),
    ...(WITH_ADDRESS.includes(provider) ? ['base_url'] : []),
    ...(provider === 'custom' && !isKept && has('api_key_file') ? ['variable'] : []),
  ];
  return keys.filter((key) => !has(key)).map((key) => missing(`${pointer}/${key}`, provider));
}

/** Keys of an entry that would do nothing. */
function uselessKeys({ provider, pointer, isKept, has }: Entry): readonly Problem[] {
  const isGit = provider === 'git';
  const isKeyless = !WITH_KEY.includes(provider) && !has('api_key_file');
  const causes: Readonly<Record<string, string | false>> = {
    header:
      (isGit && 'stands at a credential for git, which sends it its own way') ||
      (isKeyless && 'says how a key is sent, and there is no key') ||
      (!isKept && 'says how the gateway sends a key that the agent sends itself'),
    username: !isGit && 'stands at a credential that is not for git',
    variable:
      (isKept && 'names a variable for a key that the agent does not get') ||
      (isKeyless && 'names a variable for a key, and there is no key'),
  };
  return Object.entries(causes).flatMap(([key, cause]) =>
    cause === false || !has(key) ? [] : [conflict(`${pointer}/${key}`, cause, 'Remove it.')],
  );
}

/** Without a way to the gateway a key can only be in the environment, and for git not even there. */
function modeProblems(card: unknown, entries: readonly Entry[], delivery: unknown): readonly Problem[] {
  const mode = valueAt(card, '/network/mode') ?? CARD_DEFAULTS.network.mode;
  if (typeof mode !== 'string' || MODES.includes(mode)) return [];
  const isShort = valueAt(card, '/api_key_file') !== undefined && delivery !== 'env';
  const pointers = [
    ...(isShort ? ['/api_key_file'] : []),
    ...entries.filter(({ isKept }) => isKept).map(({ pointer }) => pointer),
  ];
  const cause = `stands beside the network mode ${quote(mode)}, which has no way to the gateway that adds keys`;
  return pointers.map((pointer) => conflict(pointer, cause, 'Use the mode "isolated", or remove the key.'));
}

/** Only calls of models that go through a gateway are counted. */
function budgetProblems(card: unknown, entries: readonly Entry[], delivery: unknown): readonly Problem[] {
  if (valueAt(card, '/budget') === undefined) return [];
  const isShort = valueAt(card, '/api_key_file') !== undefined || valueAt(card, '/api_provider') === 'ollama';
  const hasModel = isShort || entries.some(({ provider }) => provider !== 'git');
  const mode = valueAt(card, '/network/mode') ?? CARD_DEFAULTS.network.mode;
  if (hasModel && delivery !== 'env' && MODES.includes(mode)) return [];
  const cause = 'stands in a card without a gateway to a model, so nothing would count';
  return [conflict('/budget', cause, 'Name a key that is delivered by the gateway, or remove the budget.')];
}

function conflict(pointer: string, cause: string, suggestion: string): Problem {
  return { code: 'card.conflict', pointer, message: `${displayName(pointer)} ${cause}.`, suggestion };
}

function missing(pointer: string, provider: unknown): Problem {
  const message = `${displayName(pointer)} is missing, and ${quote(String(provider))} needs it.`;
  return { code: 'card.missing-key', pointer, message, suggestion: 'Add it.' };
}
