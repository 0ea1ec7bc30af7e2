import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { EGRESS_ANSWER_TIMEOUT_MS } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import { renderResponseHead, responseFields } from '../policy/forward-head.ts';
import type { RequestHead } from '../policy/request-head.ts';
import { type Connection, drained } from './connection.ts';
import { Deadline } from './deadline.ts';
import type { Link, LinkRequest } from './link.ts';
import type { Meter } from './meter.ts';
import { type BodyOutcome, sendBody } from './request-body.ts';

/** How one request with its answer ended. */
export type ExchangeOutcome =
  /** The answer is out; `keepAlive`: the client may go on. */
  | { readonly kind: 'answered'; readonly keepAlive: boolean }
  /** The host changed to another protocol; `rest` is what it said of that already. */
  | { readonly kind: 'upgraded'; readonly response: IncomingMessage; readonly socket: Socket; readonly rest: Buffer }
  /** Nothing was answered yet. */
  | { readonly kind: 'failed' | 'late' | 'malformed' }
  /** The upstream proxy wants other credentials than it got. */
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'bad-body'; readonly detail: string }
  /** The client is gone, or has an answer that breaks off. */
  | { readonly kind: 'over' };

/** Statuses whose answers have no body (RFC 9112 section 6.3). */
const WITHOUT_BODY: readonly (number | undefined)[] = [204, 304];

type Answer =
  | Extract<ExchangeOutcome, { readonly kind: 'upgraded' | 'failed' | 'late' | 'malformed' }>
  | IncomingMessage;

/** Carries one request to a host and its answer back, neither of them held in memory. */
export async function exchange(
  connection: Connection,
  link: Link,
  { head, request }: { readonly head: RequestHead; readonly request: LinkRequest },
  { meter, clock }: { readonly meter: Meter; readonly clock: HostClock },
): Promise<ExchangeOutcome> {
  // The host may have closed it a moment ago.
  if (!link.isFree) return { kind: 'failed' };
  const sent = link.request(request);
  const answering = answerOf(sent, clock);
  const isBodyless = head.body.kind === 'none';
  let body: BodyOutcome | null = isBodyless ? { kind: 'done' } : null;
  if (isBodyless) sent.end();
  const sending = isBodyless
    ? null
    : sendBody(connection, head, sent, { meter, clock }).then((outcome) => {
        body = outcome;
        // Without the rest of the body there is no answer worth waiting for.
        if (outcome.kind !== 'done' && outcome.kind !== 'stopped') link.destroy();
        return outcome;
      });
  const answer = await answering;
  if ('kind' in answer) {
    if (answer.kind === 'upgraded') return answer;
    link.destroy();
    const outcome = body ?? (sending === null ? null : await settled(sending));
    if (connection.isCut || outcome?.kind === 'gone' || outcome?.kind === 'late') return { kind: 'over' };
    return outcome?.kind === 'bad' ? { kind: 'bad-body', detail: outcome.detail } : answer;
  }
  if (link.place.isAbsolute && answer.statusCode === 407) {
    link.destroy();
    return { kind: 'unauthorized' };
  }
  const isSent = isDone(body);
  const keepAlive = await relay(answer, connection, { head, meter, mayKeep: head.keepAlive && isSent });
  if (keepAlive === null) link.destroy();
  if (!isSent) link.destroy();
  return keepAlive === null || connection.isCut ? { kind: 'over' } : { kind: 'answered', keepAlive };
}

function isDone(body: BodyOutcome | null): boolean {
  return body?.kind === 'done';
}

/** How the body ended, if that is known at once. */
async function settled(sending: Promise<BodyOutcome>): Promise<BodyOutcome | null> {
  return await Promise.race([sending, new Promise<null>((resolve) => setImmediate(() => resolve(null)))]);
}

/** Waits for the head of the answer. */
function answerOf(sent: ClientRequest, clock: HostClock): Promise<Answer> {
  return new Promise((resolve) => {
    const deadline = new Deadline(clock, EGRESS_ANSWER_TIMEOUT_MS);
    const settle = (answer: Answer): void => {
      deadline[Symbol.dispose]();
      resolve(answer);
    };
    deadline.listen(() => {
      settle({ kind: 'late' });
      sent.destroy();
    });
    sent.once('response', settle);
    sent.once('upgrade', (response, socket, rest) =>
      settle({ kind: 'upgraded', response, socket: socket as Socket, rest }),
    );
    // Stays after the first: what breaks later is seen by whoever reads the answer.
    sent.on('error', (error: NodeJS.ErrnoException) =>
      settle({ kind: error.code?.startsWith('HPE_') === true ? 'malformed' : 'failed' }),
    );
    sent.once('close', () => settle({ kind: 'failed' }));
  });
}

/** Sends an answer on; whether the client may go on, or null when the answer broke off. */
async function relay(
  response: IncomingMessage,
  connection: Connection,
  { head, meter, mayKeep }: { readonly head: RequestHead; readonly meter: Meter; readonly mayKeep: boolean },
): Promise<boolean | null> {
  const { socket } = connection;
  const hasBody = head.method !== 'HEAD' && !WITHOUT_BODY.includes(response.statusCode);
  const isCounted = response.headers['transfer-encoding'] === undefined && 'content-length' in response.headers;
  const isChunked = hasBody && !isCounted && head.version === '1.1';
  const keepAlive = mayKeep && (!hasBody || isCounted || isChunked);
  const fields = [
    ...withoutLength(responseFields(response.rawHeaders), hasBody && !isCounted),
    ...(isChunked ? ['transfer-encoding', 'chunked'] : []),
    ...['connection', keepAlive ? 'keep-alive' : 'close'],
  ];
  const text = renderResponseHead(response.statusCode ?? 0, response.statusMessage ?? '', fields);
  meter.received(text.length);
  socket.cork();
  socket.write(text, 'latin1');
  const ended = pourAnswer(response, socket, { isChunked, meter });
  // By then the first bytes of the body are there, if they came with the head.
  process.nextTick(() => socket.uncork());
  const isComplete = await ended;
  if (!isComplete) {
    connection.cut();
    return null;
  }
  if (socket.writableNeedDrain) await drained(socket);
  return keepAlive;
}

/** Whether the whole body of an answer went to the client. */
function pourAnswer(
  response: IncomingMessage,
  socket: Socket,
  { isChunked, meter }: { readonly isChunked: boolean; readonly meter: Meter },
): Promise<boolean> {
  return new Promise((resolve) => {
    const resume = (): void => void response.resume();
    const settle = (isComplete: boolean): void => {
      socket.off('drain', resume);
      resolve(isComplete);
    };
    socket.on('drain', resume);
    response.on('error', () => undefined);
    response.on('data', (bytes: Buffer) => {
      meter.received(bytes.length);
      if (isChunked) {
        socket.cork();
        socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
        socket.write(bytes);
        socket.write('\r\n', 'latin1');
        socket.uncork();
      } else socket.write(bytes);
      if (socket.writableNeedDrain) response.pause();
    });
    response.once('end', () => {
      if (isChunked && response.complete) socket.write('0\r\n\r\n', 'latin1');
      settle(response.complete);
    });
    response.once('close', () => settle(response.complete && response.readableEnded));
  });
}

function withoutLength(fields: readonly string[], isDropped: boolean): readonly string[] {
  if (!isDropped) return fields;
  return fields.filter((_, index) => (fields[index & ~1] ?? '').toLowerCase() !== 'content-length');
}
