import { optionName } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { declaredName, idMismatch } from '../card/declared-name.ts';
import { isMap } from '../card/keys.ts';
import { parseCard } from '../card/parse.ts';
import { type CardOrigin, resolveCard } from '../card/resolve.ts';
import { parseConfig } from '../config/config.ts';
import { type HostRules, judgeCard } from '../plan/card-judgement.ts';
import type { CardText } from './operations.ts';

/** A card to be checked where there is no daemon. */
export interface CheckedCard extends Pick<CardText, 'text' | 'format'> {
  readonly origin: CardOrigin;
  /** Name of its file, which a declared card has to be called by; null for one that comes from elsewhere. */
  readonly fileName: string | null;
  /** Option of NixOS that the card is written as, or null for one written as a file. */
  readonly option: string | null;
}

/** A problem and where it is told to be: the pointer, or the name of an option. */
export interface PlacedProblem extends Problem {
  readonly place: string;
}

/** What a check came to. */
export interface CardCheck {
  /** Null for a card that could not be read so far. */
  readonly id: string | null;
  /** None for a card that some host takes. */
  readonly problems: readonly PlacedProblem[];
  /** Sentences the user should see. */
  readonly notices: readonly string[];
}

/** What a configuration of the daemon, by the content of its file, says about cards; null for none. */
export function readHostRules(bytes: Uint8Array | null): Result<HostRules> {
  const config = parseConfig(bytes);
  if (!config.ok) return config;
  const { publishAddresses, allowHostNetwork, proxy, vethRange } = config.value;
  return ok({ publishAddresses, allowHostNetwork, proxy, vethRange });
}

/** Judges a card by itself, as the daemon of a host with these rules would before it looks at its machine. */
export function checkCard(card: CheckedCard, rules: HostRules): CardCheck {
  const { id, judged } = judge(card, rules);
  if (judged.ok) return { id, problems: [], notices: judged.value.notices };
  const place = ({ pointer }: Problem): string =>
    card.option === null ? pointer : optionName(card.option, pointer, isMap);
  return { id, problems: judged.problems.map((problem) => ({ ...problem, place: place(problem) })), notices: [] };
}

function judge(
  { text, format, origin, fileName }: CheckedCard,
  rules: HostRules,
): { readonly id: string | null; readonly judged: ReturnType<typeof judgeCard> } {
  const name = origin === 'declared' ? fileName : null;
  const file = name === null ? null : declaredName(name);
  if (name !== null && file === null) return { id: null, judged: refused([notDeclared(name)]) };
  const parsed = parseCard(new TextEncoder().encode(text), { format });
  if (!parsed.ok) return { id: null, judged: parsed };
  const card = resolveCard(parsed.value, origin);
  const mismatch = file === null ? null : idMismatch(file, card.agentId);
  return { id: card.agentId, judged: mismatch === null ? judgeCard(card, rules) : refused([mismatch]) };
}

function notDeclared(name: string): Problem {
  return {
    code: 'card.id-mismatch',
    pointer: '',
    message: `A file of the name ${quote(name)} is no declared card, and the daemon would not look at it.`,
    suggestion: 'Name it after its agent_id, with .json or .toml at the end.',
  };
}
