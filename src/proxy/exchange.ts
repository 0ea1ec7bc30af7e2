import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { EGRESS_ANSWER_TIMEOUT_MS } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import type { Decision } from '../policy/decision.ts';
import { renderResponseHead } from '../policy/forward-head.ts';
import type { RequestHead } from '../policy/request-head.ts';
import { type Connection, drained } from './connection.ts';
import { Deadline } from './deadline.ts';
import type { AnswerInspection, Inspection } from './inspection.ts';
import type { Link, LinkRequest } from './link.ts';
import type { ByteCounter } from './meter.ts';
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
  /** The inspection refused the request or the answer; `isStarted`: the client has some of the answer already. */
  | { readonly kind: 'refused'; readonly decision: Decision; readonly isStarted: boolean }
  /** The client is gone, or has an answer that breaks off. */
  | { readonly kind: 'over' };

/** Statuses whose answers have no body (RFC 9112 section 6.3). */
const WITHOUT_BODY: readonly (number | undefined)[] = [204, 304];

type Answer =
  | Extract<ExchangeOutcome, { readonly kind: 'upgraded' | 'failed' | 'late' | 'malformed' }>
  | IncomingMessage;

/** What an exchange needs to know besides the request. */
export interface ExchangeOptions {
  readonly meter: ByteCounter;
  readonly clock: HostClock;
  readonly inspection: Inspection;
}

/** Carries one request to a host and its answer back, neither of them held in memory. */
export async function exchange(
  connection: Connection,
  link: Link,
  { head, request }: { readonly head: RequestHead; readonly request: LinkRequest },
  options: ExchangeOptions,
): Promise<ExchangeOutcome> {
  // The host may have closed it a moment ago.
  if (!link.isFree) return { kind: 'failed' };
  const sent = link.request(request);
  const answering = answerOf(sent, options.clock);
  const sending = new Sending();
  if (head.body.kind === 'none') {
    sent.end();
    sending.settle({ kind: 'done' });
  } else {
    const body = { ...options, inspection: options.inspection.body };
    sending.follow(sendBody(connection, head, sent, body), () => link.destroy());
  }
  const answer = await answering;
  if ('kind' in answer) {
    if (answer.kind === 'upgraded') return answer;
    link.destroy();
    return unanswered(await sending.settled(), answer, connection.isCut);
  }
  if (link.place.isAbsolute && answer.statusCode === 407) {
    link.destroy();
    return { kind: 'unauthorized' };
  }
  const inspected = options.inspection.answer(answer);
  if ('verdict' in inspected) {
    link.destroy();
    return { kind: 'refused', decision: inspected, isStarted: false };
  }
  const isSent = sending.isDone;
  const carried = { inspected, head, meter: options.meter, mayKeep: head.keepAlive && isSent };
  const keepAlive = await relay(answer, connection, carried);
  if (keepAlive === null || !isSent) link.destroy();
  const { outcome } = sending;
  if (outcome?.kind === 'refused') return { ...outcome, isStarted: true };
  return keepAlive === null || connection.isCut ? { kind: 'over' } : { kind: 'answered', keepAlive };
}

/** The body of a request on its way. */
class Sending {
  outcome: BodyOutcome | null = null;
  #following: Promise<BodyOutcome> | null = null;

  get isDone(): boolean {
    return this.outcome?.kind === 'done';
  }

  settle(outcome: BodyOutcome): void {
    this.outcome = outcome;
  }

  /** Waits for the end of a body; without the rest of it there is no answer worth waiting for, and `abandon` is called. */
  follow(sending: Promise<BodyOutcome>, abandon: () => void): void {
    this.#following = sending.then((outcome) => {
      this.outcome = outcome;
      if (outcome.kind !== 'done' && outcome.kind !== 'stopped') abandon();
      return outcome;
    });
  }

  /** How it ended, if that is known at once. */
  async settled(): Promise<BodyOutcome | null> {
    if (this.outcome !== null || this.#following === null) return this.outcome;
    return await Promise.race([this.#following, new Promise<null>((resolve) => setImmediate(() => resolve(null)))]);
  }
}

/** What becomes of a request without an answer. */
function unanswered(
  outcome: BodyOutcome | null,
  answer: Extract<Answer, { readonly kind: 'failed' | 'late' | 'malformed' }>,
  isCut: boolean,
): ExchangeOutcome {
  if (outcome?.kind === 'refused') return { ...outcome, isStarted: false };
  if (isCut || outcome?.kind === 'gone' || outcome?.kind === 'late') return { kind: 'over' };
  return outcome?.kind === 'bad' ? { kind: 'bad-body', detail: outcome.detail } : answer;
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

/** What belongs to an answer on its way to the client. */
interface Carried {
  readonly inspected: AnswerInspection;
  readonly head: RequestHead;
  readonly meter: ByteCounter;
  /** Whether the client may go on if the end of the answer shows. */
  readonly mayKeep: boolean;
}

/** Sends an answer on; whether the client may go on, or null when the answer broke off. */
async function relay(
  response: IncomingMessage,
  connection: Connection,
  { inspected, head, meter, mayKeep }: Carried,
): Promise<boolean | null> {
  const { socket } = connection;
  const hasBody = head.method !== 'HEAD' && !WITHOUT_BODY.includes(response.statusCode);
  const isCounted = response.headers['transfer-encoding'] === undefined && 'content-length' in response.headers;
  const isChunked = hasBody && !isCounted && head.version === '1.1';
  const keepAlive = mayKeep && (!hasBody || isCounted || isChunked);
  const fields = [
    ...withoutLength(inspected.fields, hasBody && !isCounted),
    ...(isChunked ? ['transfer-encoding', 'chunked'] : []),
    ...['connection', keepAlive ? 'keep-alive' : 'close'],
  ];
  const text = renderResponseHead(response.statusCode ?? 0, inspected.phrase, fields);
  meter.received(text.length);
  socket.cork();
  socket.write(text, 'latin1');
  const ended = pourAnswer(response, socket, { inspected, isChunked, meter });
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
  {
    inspected,
    isChunked,
    meter,
  }: Pick<Carried, 'inspected' | 'meter'> & { /** Towards the client. */ readonly isChunked: boolean },
): Promise<boolean> {
  const write = isChunked ? writeChunk : writeBytes;
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
      write(socket, inspected.add(bytes));
      if (socket.writableNeedDrain) response.pause();
    });
    response.once('end', () => {
      if (response.complete) {
        write(socket, inspected.end());
        if (isChunked) socket.write('0\r\n\r\n', 'latin1');
      }
      settle(response.complete);
    });
    response.once('close', () => settle(response.complete && response.readableEnded));
  });
}

function writeBytes(socket: Socket, bytes: Buffer): void {
  if (bytes.length > 0) socket.write(bytes);
}

function writeChunk(socket: Socket, bytes: Buffer): void {
  // A chunk without contents would be the last one.
  if (bytes.length === 0) return;
  socket.cork();
  socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
  socket.write(bytes);
  socket.write('\r\n', 'latin1');
  socket.uncork();
}

function withoutLength(fields: readonly string[], isDropped: boolean): readonly string[] {
  if (!isDropped) return fields;
  return fields.filter((_, index) => (fields[index & ~1] ?? '').toLowerCase() !== 'content-length');
}
