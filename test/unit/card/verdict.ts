import type { Problem, Result } from '../../../src/base/result.ts';
import type { Card } from '../../../src/card/card.gen.ts';
import { parseCard } from '../../../src/card/parse.ts';
import type { CardFormat } from '../../../src/card/reading.ts';

/** Parses a card given as text, or as a value that becomes JSON. */
export function parse(card: unknown, format: CardFormat = 'json'): Result<Card> {
  const text = typeof card === 'string' ? card : JSON.stringify(card);
  return parseCard(new TextEncoder().encode(text), { format });
}

/** The problems of a card as lines `code pointer: message [suggestion]`; none for a valid one. */
export function problemLines(card: unknown, format: CardFormat = 'json'): readonly string[] {
  const result = parse(card, format);
  return result.ok ? [] : result.problems.map(problemLine);
}

/** One problem as a line. */
export function problemLine({ code, pointer, message, suggestion }: Problem): string {
  return `${code} ${pointer}: ${message}${suggestion === undefined ? '' : ` [${suggestion}]`}`;
}

/** The smallest card, with other keys added or put in place of its own. */
export function cardWith(keys: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { agent_id: 'dev', workspace: '/mnt/agents/dev', ...keys };
}
