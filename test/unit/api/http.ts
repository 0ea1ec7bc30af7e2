import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

/** An answer of the API, read by Node's own client, which knows nothing of ours. */
export interface HttpAnswer {
  readonly status: number;
  readonly mediaType: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** What to send. */
export interface HttpQuestion {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Asks once and reads the whole answer. */
export async function http(socketPath: string, question: HttpQuestion): Promise<HttpAnswer> {
  const { method = 'GET', target, headers = {}, body } = question;
  const asked = request({ socketPath, method, path: target, headers, agent: false });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  // Node ends a large request with an empty write, which fails when the answer was faster.
  asked.on('error', () => undefined);
  const pieces: Buffer[] = [];
  for await (const piece of answer as AsyncIterable<Buffer>) pieces.push(piece);
  const [mediaType = ''] = (answer.headers['content-type'] ?? '').split(';');
  return { status: answer.statusCode ?? 0, mediaType, headers: answer.headers, text: Buffer.concat(pieces).toString() };
}

/** A change of an agent's rules as a question. */
export function changeQuestion(id: string, change: unknown): HttpQuestion {
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', target: `/v1/agents/${id}/egress`, headers, body: JSON.stringify(change) };
}

/** A start of a played agent as a question. */
export function launchQuestion(card: object, attach: string | null = null): HttpQuestion {
  return {
    method: 'POST',
    target: '/v1/agents',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(launchRequest(card, attach)),
  };
}

/** The body of such a question. */
export function launchRequest(
  card: object,
  attach: string | null = null,
): {
  card: { text: string; format: 'json'; source: string };
  arguments: string[];
  attach: string | null;
} {
  return { card: { text: JSON.stringify(card), format: 'json', source: 'card.json' }, arguments: [], attach };
}
