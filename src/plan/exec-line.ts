/**
 * Quoting of unit-file values, so that systemd reads back exactly what the
 * bus would have carried (systemd.syntax(7), systemd.service(5) "Command
 * lines"). Environment expansion is off for our commands (prefix `:`), so `$`
 * needs no care; specifiers are always expanded, so `%` does.
 */

/** One word of a command line or a list. */
export function quoteWord(word: string): string {
  const escaped = escapeSpecifiers(word);
  if (/^[A-Za-z0-9_./:=@,+%-]+$/.test(escaped)) return escaped;
  return `"${escapeControls(escaped)}"`;
}

/** Escapes `%` so that it survives specifier expansion. */
export function escapeSpecifiers(text: string): string {
  return text.replaceAll('%', '%%');
}

/** C-style escapes for the characters that would end or change a quoted word. */
function escapeControls(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (character === '\n') out += '\\n';
    else if (character === '\t') out += '\\t';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += character;
  }
  return out;
}
