import { valueAt } from '../base/pointer.ts';
import type { Problem } from '../base/result.ts';
import { CARD_DEFAULTS } from './card-keys.gen.ts';
import { displayName } from './keys.ts';

/** Providers that are nothing without a key, and those whose address only the card can know. */
const WITH_KEY: readonly unknown[] = ['anthropic', 'openai', 'google', 'git'];
const WITH_ADDRESS: readonly unknown[] = ['custom', 'git'];

/** Modes with a way to the gateway. */
const MODES: readonly unknown[] = ['isolated', 'veth'];

/** Keys about credentials that contradict each other or the network mode, or miss one another. */
export function credentialProblems(card: unknown): readonly Problem[] {
  const listed = valueAt(card, '/credentials');
  const entries: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const delivery = valueAt(card, '/api_key_delivery') ?? CARD_DEFAULTS.api_key_delivery;
  return [
    ...shortFormProblems(card, entries),
    ...entries.flatMap((entry, index) => entryProblems(entry, `/credentials/${index}`, delivery)),
    ...modeProblems(card, entries, delivery),
    ...budgetProblems(card, delivery),
  ];
}

function shortFormProblems(card: unknown, entries: readonly unknown[]): readonly Problem[] {
  if (valueAt(card, '/api_key_file') === undefined) return [];
  const provider = valueAt(card, '/api_provider');
  if (provider === 'custom') {
    const suggestion = 'Write an entry of "credentials" with "base_url" instead.';
    return [conflict('/api_key_file', 'is the key of a "custom" provider, which has no address', suggestion)];
  }
  const twice = entries.findIndex((entry) => provider !== undefined && valueAt(entry, '/provider') === provider);
  if (twice === -1) return [];
  const cause = `is a second key for the provider of "credentials[${twice}]"`;
  return [conflict('/api_key_file', cause, 'Remove one of the two.')];
}

function entryProblems(entry: unknown, pointer: string, delivery: unknown): readonly Problem[] {
  const provider = valueAt(entry, '/provider');
  const has = (key: string): boolean => valueAt(entry, `/${key}`) !== undefined;
  const problems: Problem[] = [];
  if (WITH_KEY.includes(provider) && !has('api_key_file')) problems.push(missing(`${pointer}/api_key_file`, provider));
  if (WITH_ADDRESS.includes(provider) && !has('base_url')) problems.push(missing(`${pointer}/base_url`, provider));
  if (provider === 'git' && has('header'))
    problems.push(
      conflict(`${pointer}/header`, 'stands at a credential for git, which sends it its own way', 'Remove it.'),
    );
  if (provider !== 'git' && has('header') && delivery === 'env')
    problems.push(conflict(`${pointer}/header`, 'is for a gateway, and the agent gets the key itself', 'Remove it.'));
  if (provider !== 'git' && has('username'))
    problems.push(conflict(`${pointer}/username`, 'stands at a credential that is not for git', 'Remove it.'));
  if (has('variable') && (delivery !== 'env' || provider === 'git')) {
    const cause = 'names a variable for a key that the agent does not get';
    problems.push(conflict(`${pointer}/variable`, cause, 'Remove it, or write "api_key_delivery": "env".'));
  }
  if (provider === 'custom' && delivery === 'env' && has('api_key_file') && !has('variable'))
    problems.push(missing(`${pointer}/variable`, provider));
  return problems;
}

/** Without a gateway a key can only be in the environment, and for git not even there. */
function modeProblems(card: unknown, entries: readonly unknown[], delivery: unknown): readonly Problem[] {
  const mode = valueAt(card, '/network/mode') ?? CARD_DEFAULTS.network.mode;
  if (typeof mode !== 'string' || MODES.includes(mode)) return [];
  const isHeld = (entry: unknown): boolean => delivery !== 'env' || valueAt(entry, '/provider') === 'git';
  const pointers = [
    ...(valueAt(card, '/api_key_file') !== undefined && delivery !== 'env' ? ['/api_key_file'] : []),
    ...entries.flatMap((entry, index) => (isHeld(entry) ? [`/credentials/${index}`] : [])),
  ];
  const cause = `stands beside the network mode "${mode}", which has no way to the gateway that adds keys`;
  return pointers.map((pointer) => conflict(pointer, cause, 'Use the mode "isolated", or remove the key.'));
}

function budgetProblems(card: unknown, delivery: unknown): readonly Problem[] {
  if (valueAt(card, '/budget') === undefined) return [];
  const hasKeys = ['/api_key_file', '/credentials', '/api_provider'].some((key) => valueAt(card, key) !== undefined);
  const mode = valueAt(card, '/network/mode') ?? CARD_DEFAULTS.network.mode;
  if (hasKeys && delivery !== 'env' && MODES.includes(mode)) return [];
  const cause = 'stands in a card without a gateway, so nothing would count';
  return [conflict('/budget', cause, 'Name a key that is delivered by the gateway, or remove the budget.')];
}

function conflict(pointer: string, cause: string, suggestion: string): Problem {
  return { code: 'card.conflict', pointer, message: `${displayName(pointer)} ${cause}.`, suggestion };
}

function missing(pointer: string, provider: unknown): Problem {
  const message = `${displayName(pointer)} is missing, and "${String(provider)}" needs it.`;
  return { code: 'card.missing-key', pointer, message, suggestion: 'Add it.' };
}
