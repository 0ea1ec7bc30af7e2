/**
 * A pattern of the schema as a POSIX extended regular expression, which is what Nix matches with, whole texts always.
 * What the other language cannot say is left out, so the result may take more than the pattern and never less:
 * lookaheads, and characters beyond ASCII in what a class excludes.
 * @param {string} pattern of JavaScript, anchored at both ends
 * @returns {{ tokens: readonly string[], isAscii: boolean } | undefined} pieces that belong together, and whether only
 *   ASCII can match; undefined where nothing is left to check or the pattern uses more of the language than this knows
 */
export function posixPattern(pattern) {
  const body = /^\^(.*)\$$/s.exec(pattern)?.[1];
  if (body === undefined) return undefined;
  /** @type {string[]} */
  const tokens = [];
  let isAscii = true;
  for (let rest = withoutLookaheads(body); rest !== ''; ) {
    const piece = nextPiece(rest);
    if (piece === undefined) return undefined;
    const { text, token } = piece;
    if (token.startsWith('[^')) isAscii = false;
    tokens.push(token);
    rest = rest.slice(text.length);
  }
  return /^\[\^\][*+]?$/.test(tokens.join('')) ? undefined : { tokens: merged(tokens), isAscii };
}

/**
 * @param {string} pattern
 * @returns {string} without `(?!…)`, which only narrows what matches
 */
function withoutLookaheads(pattern) {
  const start = pattern.indexOf('(?!');
  if (start < 0) return pattern;
  let depth = 0;
  let end = start;
  do {
    if (pattern[end] === '\\') end += 1;
    else if (pattern[end] === '(') depth += 1;
    else if (pattern[end] === ')') depth -= 1;
    end += 1;
  } while (depth > 0);
  return withoutLookaheads(pattern.slice(0, start) + pattern.slice(end));
}

/**
 * @param {string} rest of a pattern
 * @returns {{ text: string, token: string } | undefined} its first piece and what that is in POSIX
 */
function nextPiece(rest) {
  const text = /^(?:\(\?:|[()|*+?]|\{\d+(?:,\d*)?\}|\[(?:\\.|[^\]\\])*\]|\\[^a-zA-Z0-9]|[\w/:@ ,-])/.exec(rest)?.[0];
  if (text === undefined) return undefined;
  if (text === '(?:') return { text, token: '(' };
  if (text.startsWith('\\')) return { text, token: `[${text.slice(1)}]` };
  if (!text.startsWith('[')) return { text, token: text };
  const token = posixClass(text.slice(1, -1));
  return token === undefined ? undefined : { text, token };
}

/**
 * @param {string} inner what stands between the brackets of a class
 * @returns {string | undefined}
 */
function posixClass(inner) {
  const isNegated = inner.startsWith('^');
  const characters = [...(isNegated ? inner.slice(1) : inner).matchAll(/\\u[0-9a-f]{4}|\\.|[^\\]/gs)].map(
    ([text]) => text,
  );
  /** @type {string[]} */
  const parts = [];
  for (let index = 0; index < characters.length; index += 1) {
    const first = codeOf(characters[index] ?? '');
    const isRange = characters[index + 1] === '-' && index + 2 < characters.length;
    const last = isRange ? codeOf(characters[index + 2] ?? '') : first;
    if (isRange) index += 2;
    if (isPrintable(first) && isPrintable(last)) parts.push(...rangeParts(first, last));
    else if (!isNegated) return undefined;
  }
  // The three that mean something in a class have places of their own there.
  const bracket = parts.includes(']') ? ']' : '';
  const hyphen = parts.includes('-') ? '-' : '';
  const others = parts.filter((part) => part !== ']' && part !== '-');
  const plain = [
    ...others.filter((part) => part !== '[' && part !== '^'),
    ...others.filter((part) => part === '[' || part === '^'),
  ];
  return `[${isNegated ? '^' : ''}${bracket}${plain.join('')}${hyphen}]`;
}

/**
 * @param {string} text one character of a class as it is written
 * @returns {number}
 */
function codeOf(text) {
  if (text.startsWith('\\u')) return Number.parseInt(text.slice(2), 16);
  return (text.startsWith('\\') ? text.slice(1) : text).charCodeAt(0);
}

/**
 * @param {number} code
 * @returns {boolean}
 */
function isPrintable(code) {
  return code >= 0x20 && code < 0x7f;
}

/**
 * @param {number} first
 * @param {number} last
 * @returns {string[]} the range, with brackets at its ends written apart
 */
function rangeParts(first, last) {
  const [from, to] = [String.fromCharCode(first), String.fromCharCode(last)];
  if (first === last) return [from];
  if (from === '[' || from === ']' || from === '^' || from === '-') return [from, ...rangeParts(first + 1, last)];
  if (to === '[' || to === ']' || to === '^' || to === '-') return [...rangeParts(first, last - 1), to];
  return [`${from}-${to}`];
}

/**
 * @param {readonly string[]} tokens
 * @returns {string[]} with plain characters that follow each other in one piece, and what repeats with its repetition
 */
function merged(tokens) {
  /** @type {string[]} */
  const pieces = [];
  for (const token of tokens) {
    const before = pieces.at(-1);
    const joins = /^([*+?]|\{.*\})$/.test(token) || (/^[\w/:@ ,-]$/.test(token) && /^[\w/:@ ,-]+$/.test(before ?? ''));
    if (before !== undefined && joins) pieces[pieces.length - 1] = before + token;
    else pieces.push(token);
  }
  return pieces;
}
