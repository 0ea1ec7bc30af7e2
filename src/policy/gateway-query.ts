/** Members of a query that carry credentials at some API. */
const CREDENTIALS: ReadonlySet<string> = new Set(['access_token', 'api_key', 'key']);

/** A query without the client's credentials; with its question mark, or empty. */
export function gatewayQuery(query: string): string {
  if (query === '') return '';
  // Some servers read a semicolon as the end of a member.
  const kept = query
    .slice(1)
    .split('&')
    .filter((part) => !part.split(';').some(isCredential));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function isCredential(member: string): boolean {
  const [name = ''] = member.split('=', 1);
  const plain = name.replace(/\+/g, ' ').replace(/%[0-9A-Fa-f]{2}/g, decoded);
  return CREDENTIALS.has(plain.trim().toLowerCase());
}

function decoded(code: string): string {
  return String.fromCharCode(Number.parseInt(code.slice(1), 16));
}
