/** How often a server might decode a path again: twice is a known mistake, more is not. */
const DECODINGS = 3;

/**
 * Whether a path is a prefix itself or lies below it: `/api` covers `/api` and `/api/v1`, not `/apix`; `/api/` covers
 * what lies below only.
 */
export function liesBelow(path: string, prefix: string): boolean {
  const directory = prefix.endsWith('/') ? prefix : `${prefix}/`;
  return path === prefix || path.startsWith(directory);
}

/** Percent-encoding in one form: unreserved characters plain, hexadecimal digits in capitals (RFC 3986 §6.2.2). */
export function plainPercents(path: string): string {
  return path.replace(/%[0-9A-Fa-f]{2}/g, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : code.toUpperCase();
  });
}

/**
 * Whether some server may take the path for one elsewhere in the tree: with dot segments behind encoded slashes, behind
 * backslashes, before parameters, or encoded more than once. Such a path is below no prefix for sure.
 */
export function mayClimb(path: string): boolean {
  let text = path;
  for (let round = 0; round <= DECODINGS; round += 1) {
    if (text.split(/[/\\]/).some((segment) => /^\.{1,2}(?:;|\u0000|$)/.test(segment))) return true;
    text = decodeOnce(text);
  }
  return false;
}

function decodeOnce(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
