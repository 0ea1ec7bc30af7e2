import { createHash } from 'node:crypto';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { inTime } from './commands.ts';

/** A place to connect to: `ADDRESS:PORT`, `[ADDRESS]:PORT` or the path of a Unix socket. */
export type Place = string;

/** What one connection brought: all that came before its end, or why there was none. */
export interface Answer {
  readonly text: string;
  readonly error: string | null;
}

/** Connects, sends a line and reads to the end. */
export function ask(place: Place, line: string): Promise<Answer> {
  return inTime(
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let error: string | null = null;
      const socket = connect(options(place), () => socket.write(line === '' ? '' : `${line}\n`));
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', (cause: NodeJS.ErrnoException) => {
        error = cause.code ?? cause.message;
      });
      socket.on('close', () => resolve({ text: Buffer.concat(chunks).toString(), error }));
    }),
    `an answer of ${place}`,
  );
}

/** SHA-256 and length of everything that a place sends after a line. */
export async function download(
  place: Place,
  line: string,
): Promise<{ readonly digest: string; readonly bytes: number }> {
  const digest = createHash('sha256');
  let bytes = 0;
  const socket = connect(options(place), () => socket.write(`${line}\n`));
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    digest.update(chunk);
    bytes += chunk.length;
  }
  return { digest: digest.digest('hex'), bytes };
}

/** Sends `take N` with a body and reads the answer. */
export function upload(place: Place, body: Buffer): Promise<string> {
  return inTime(
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      const socket = connect(options(place), () => {
        socket.write(`take ${body.length}\n`);
        socket.write(body);
      });
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', reject);
      socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    }),
    `an upload to ${place}`,
  );
}

/** The bytes of `send N` of test/agents/serve.py. */
export function sentBytes(length: number): Buffer {
  const piece = Buffer.from(Array.from({ length: 251 }, (_, index) => index));
  return Buffer.alloc(length, piece);
}

/** Opens a connection and keeps it. */
export function hold(place: Place): Promise<Socket> {
  return inTime(
    new Promise((resolve, reject) => {
      const socket = connect(options(place), () => resolve(socket));
      socket.once('error', reject);
    }),
    `a connection to ${place}`,
  );
}

/** Listens somewhere of this process until it is disposed. */
export async function listenAt(place: Place): Promise<AsyncDisposable> {
  const server: Server = createServer((socket) => {
    // Who only looks whether anybody listens is gone at once.
    socket.on('error', () => undefined);
    socket.resume().end('not an agent');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options(place), resolve);
  });
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

function options(place: Place): NetConnectOpts & { readonly path?: string } {
  if (place.startsWith('/')) return { path: place };
  const at = place.lastIndexOf(':');
  return { host: place.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(place.slice(at + 1)) };
}
