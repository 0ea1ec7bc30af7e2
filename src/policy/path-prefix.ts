/**
 * Whether a path is a prefix itself or lies below it: `/api` covers `/api` and `/api/v1`, not `/apix`; `/api/` covers
 * what lies below only. Both are in the form of `EgressIntent.path`.
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
