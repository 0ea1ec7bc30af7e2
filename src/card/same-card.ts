import { cardDigest } from './digest.ts';
import { parseCard } from './parse.ts';
import { resolveCard } from './resolve.ts';

/** A declared card as it is written. */
export interface WrittenCard {
  readonly text: string;
  readonly format: 'json' | 'toml';
}

/**
 * Whether two declared cards mean the same, however they are written. Both are
 * read by this version, so that a default or a key that is new in it makes no
 * difference between a card that was written down earlier and the same card now.
 */
export function isSameCard(one: WrittenCard, other: WrittenCard): boolean {
  if (one.format === other.format && one.text === other.text) return true;
  const digest = meaning(one);
  return digest !== null && digest === meaning(other);
}

/** Null for a text that is no card. */
function meaning({ text, format }: WrittenCard): string | null {
  const parsed = parseCard(new TextEncoder().encode(text), { format });
  return parsed.ok ? cardDigest(resolveCard(parsed.value, 'declared')) : null;
}
