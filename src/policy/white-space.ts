/**
 * Text from a position on without spaces and tabs around it. Not `trim()`, which takes more away, and not a regular
 * expression, which takes quadratic time for many spaces inside.
 */
export function trimBlanks(text: string, from = 0): string {
  let start = from;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
