/** Words a shell takes as they are. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** Controls other than tab and line feed: a terminal obeys them, so they are not printed inside plain quotes. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** One word as bash, zsh and ksh read it back. */
export function shellQuote(word: string): string {
  if (PLAIN.test(word)) return word;
  if (!CONTROL.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`;
  const escaped = word.replace(/[\\']/g, '\\$&').replace(new RegExp(CONTROL, 'g'), (character) => {
    const code = character.charCodeAt(0);
    // \x stands for a byte, so it serves only for characters that are one.
    return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `$'${escaped.replaceAll('\n', '\\n').replaceAll('\t', '\\t')}'`;
}

/** A command line. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellQuote).join(' ');
}
