/** A path as it is judged and as it is sent. */
export interface RequestPath {
  /** Unreserved characters decoded, escapes in capitals, no dot segments, no empty segments except at the end. */
  readonly judged: string;
  /**
   * As it came, unless it has dot segments or starts with two slashes: then the judged path, so that no server resolves
   * them in its own way. Readers of URLs take what follows two slashes for a host (RFC 3986 section 4.2).
   */
  readonly sent: string;
}

/** What `encodeURIComponent` leaves alone in every position (RFC 3986 section 2.3). */
const UNRESERVED = /[0-9A-Za-z\-._~]/;

/**
 * Reads the path of a request; `path` is visible ASCII and starts with a slash. Null for a path that servers are known
 * to resolve in different ways: with a backslash, an escaped NUL, a broken escape, or dot segments behind a second
 * escaping, an escaped slash or a parameter (`..;`).
 */
export function readPath(path: string): RequestPath | null {
  if (path.includes('\\') || /%(?![0-9A-Fa-f]{2})|%00/.test(path)) return null;
  const plain = path.replace(/%[0-9A-Fa-f]{2}/g, decodeUnreserved);
  const segments = plain.split('/').slice(1);
  const hasDots = segments.some(isDots);
  const judged = hasDots || plain.includes('//') ? resolved(segments) : plain;
  if (hidesDots(judged)) return null;
  return { judged, sent: hasDots || path.startsWith('//') ? judged : path };
}

function decodeUnreserved(text: string): string {
  const character = String.fromCharCode(Number.parseInt(text.slice(1), 16));
  return UNRESERVED.test(character) ? character : text.toUpperCase();
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..';
}

/** RFC 3986 section 5.2.4, with runs of slashes taken for one: many servers do. */
function resolved(segments: readonly string[]): string {
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') kept.push(segment);
  }
  const last = segments.at(-1) ?? '';
  const isDirectory = kept.length > 0 && (last === '' || isDots(last));
  return `/${kept.join('/')}${isDirectory ? '/' : ''}`;
}

/** Whether a server that decodes more than it should would find dot segments in a path that has none. */
function hidesDots(path: string): boolean {
  if (!/%25|%2F|%5C|%3B|;/.test(path)) return false;
  const loose = path
    .replace(/%(?:25)+/g, '%')
    .replace(/%2e/gi, '.')
    .replace(/%(?:2f|5c)/gi, '/')
    .replace(/%3b/gi, ';');
  return loose.split('/').some((segment) => isDots(segment.split(';', 1)[0] ?? ''));
}
