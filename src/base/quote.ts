/** Longest part of somebody else's text that a message repeats, characters. */
const QUOTED_MAX = 60;

/** What JSON leaves as it is but a terminal or a log should not get: C1 controls, line separators, reading-direction marks. */
const UNSAFE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Somebody else's text for a message: in double quotes, escaped like JSON, cut when long. */
export function quote(text: string): string {
  // Twice as many code units and one more character hold every text that is short enough.
  const characters = [...text.slice(0, 2 * (QUOTED_MAX + 1))];
  const shown = characters.length <= QUOTED_MAX ? text : `${characters.slice(0, QUOTED_MAX - 1).join('')}…`;
  return JSON.stringify(shown).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A list for a sentence: `a`, `a or b`, `a, b or c`. */
export function oneOf(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} or ${last}`;
}
