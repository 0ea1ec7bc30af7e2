import { connect, type Socket } from 'node:net';
import { SpawnError } from '../base/errors.ts';
import { REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX } from '../base/limits.ts';
import { type Answer, MalformedAnswer, readAnswer } from './answer.ts';
import type { ProblemDocument } from './api.gen.ts';
import { EndedEarly } from './byte-reader.ts';
import { refusalError } from './refusal.ts';
import { connectionLost, unavailable } from './unavailable.ts';

/** One request. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  readonly mediaType?: string;
  readonly body?: Uint8Array | string;
}

/** An answer that is still coming, on a connection of its own. */
export interface OpenAnswer extends Answer {
  /** Closes the connection, whatever was read of it. */
  close(): void;
}

/**
 * Asks the daemon one thing on a connection of its own. Written on `net`
 * because loading `http` costs 2 to 3 ms of each start of a command.
 * Throws the daemon's refusal, or `control.unavailable`.
 */
export async function ask(socketPath: string, question: Question): Promise<OpenAnswer> {
  if (Buffer.byteLength(question.body ?? '') > REQUEST_BYTES_MAX) {
    throw new SpawnError('control.too-large', `The request is larger than ${REQUEST_BYTES_MAX} bytes.`);
  }
  const socket = connect({ path: socketPath });
  const whenConnected = new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  send(socket, question);
  try {
    await whenConnected;
  } catch (error) {
    throw unavailable(error, socketPath);
  }
  try {
    const answer = await readAnswer(socket);
    const open = { ...answer, body: guarded(answer.body, socketPath), close: () => void socket.destroy() };
    if (answer.status >= 400) throw await readRefusal(open);
    return open;
  } catch (error) {
    socket.destroy();
    throw exchangeFailure(error, socketPath);
  }
}

/** As {@link ask}, for an answer of one JSON value. */
export async function askJson(socketPath: string, question: Question): Promise<unknown> {
  const answer = await ask(socketPath, question);
  try {
    return await readJson(answer);
  } finally {
    answer.close();
  }
}

function send(socket: Socket, { method, target, mediaType, body = '' }: Question): void {
  const head = [`${method} ${target} HTTP/1.1`, 'host: localhost', 'connection: close'];
  if (mediaType !== undefined) head.push(`content-type: ${mediaType}`, `content-length: ${Buffer.byteLength(body)}`);
  // A POST without a body must say so (RFC 9110 §8.6).
  else if (method === 'POST') head.push('content-length: 0');
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  if (body.length > 0) socket.write(body);
}

async function readJson(answer: Answer): Promise<unknown> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer.body) {
    length += piece.length;
    if (length > RESPONSE_BYTES_MAX) throw new MalformedAnswer('the response is too large');
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString();
  return text === '' ? null : JSON.parse(text);
}

async function readRefusal(answer: Answer): Promise<SpawnError> {
  if (answer.mediaType !== 'application/problem+json') {
    throw new MalformedAnswer(`status ${answer.status} without a reason`);
  }
  return refusalError((await readJson(answer)) as ProblemDocument);
}

async function* guarded(body: AsyncIterable<Buffer>, socketPath: string): AsyncGenerator<Buffer, void, void> {
  try {
    yield* body;
  } catch (error) {
    throw exchangeFailure(error, socketPath);
  }
}

/** Whatever goes wrong on a connection as an error of the table; a bug stays what it is. */
export function exchangeFailure(error: unknown, socketPath: string): SpawnError {
  if (error instanceof SpawnError) return error;
  if (error instanceof MalformedAnswer || error instanceof RangeError || error instanceof SyntaxError) {
    return new SpawnError(
      'control.internal',
      `What answers at ${socketPath} is no agent-spawn daemon: ${error.message}.`,
      {
        cause: error,
      },
    );
  }
  if (error instanceof EndedEarly || (error as NodeJS.ErrnoException).code !== undefined) {
    return connectionLost(error, socketPath);
  }
  throw error;
}
