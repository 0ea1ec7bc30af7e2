/**
 * Characters that a terminal obeys or that change how the text around them is
 * shown: C0, DEL, C1, line separators, bidirectional controls, and those that
 * take no room (Unicode 15, general categories Cc, Cf, Zl, Zp).
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Select Graphic Rendition: colours. All they can do is colour, so they are left out instead of shown. */
const COLOUR = /\x1b\[[0-9;:]{0,64}m/g;

/** A text from a stranger on one line, with everything unseen made visible. */
export function escapeText(text: string): string {
  return text.replace(UNSEEN, visible);
}

/** As {@link escapeText}, where line feeds and tabs may stay. */
export function escapeLines(text: string): string {
  return text.replace(UNSEEN, (character) =>
    character === '\n' || character === '\t' ? character : visible(character),
  );
}

/** Output of an agent for a terminal: what is not text is shown, not obeyed; colours are left out. */
export function neutraliseOutput(text: string): string {
  return escapeLines(text.replaceAll('\r\n', '\n').replace(COLOUR, ''));
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  switch (character) {
    case '\n':
      return '\\n';
    case '\r':
      return '\\r';
    case '\t':
      return '\\t';
    default:
      return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  }
}
