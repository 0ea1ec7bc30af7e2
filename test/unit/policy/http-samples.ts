import { renderRequestHead } from '../../../src/policy/forward-head.ts';
import { type RequestHead, readRequestHead } from '../../../src/policy/request-head.ts';
import { type Endpoint, readIntent } from '../../../src/policy/request-intent.ts';
import { type Random, seededRandom } from '../card/random.ts';
import { readCorpus } from './corpus.ts';
import { mutateHttp } from './wire-mutation.ts';

/** Requests that no client of the corpus sends, in the forms that matter to the readers. */
const WRITTEN: readonly string[] = [
  'POST http://a.example:8080/x/y?z HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 3\r\nCookie: a=b\r\n\r\nabc',
  'POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'GET http://a.example/../%2e/a%2fb HTTP/1.0\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\n',
  'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n',
  'GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'OPTIONS /x HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nMax-Forwards: 0\r\n\r\n',
];

/** Within this tunnel the samples in origin form are read. */
export const TUNNEL: Endpoint = { destination: { kind: 'name', name: 'a.example' }, port: 80 };

/** Changed requests, the same for the same seed. */
export function changedRequests(seed: number, count: number): readonly { random: Random; bytes: Buffer }[] {
  const random = seededRandom(seed);
  const sources = [
    ...readCorpus('heads').map(({ bytes }) => bytes),
    ...WRITTEN.map((text) => Buffer.from(text, 'latin1')),
  ];
  return Array.from({ length: count }, (_, index) => ({
    random,
    bytes: mutateHttp(random, sources[index % sources.length] ?? Buffer.alloc(0)),
  }));
}

/** A head as it came, written anew. */
export function renderAgain({ method, target, version, fields }: RequestHead): string {
  const text = renderRequestHead(
    { method, target },
    fields.flatMap(({ name, value }) => [name, value]),
  );
  return version === '1.1' ? text : text.replace('HTTP/1.1\r\n', 'HTTP/1.0\r\n');
}

/** The head at the start of bytes if both readers take it, with the tunnel in which it makes sense. */
export function understood(bytes: Uint8Array): { readonly head: RequestHead; readonly within: Endpoint | null } | null {
  const reading = readRequestHead(bytes);
  if (reading.kind !== 'head') return null;
  const within = reading.head.target.startsWith('/') ? TUNNEL : null;
  return readIntent(reading.head, within).kind === 'intent' ? { head: reading.head, within } : null;
}
