import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

/**
 * The host that everybody reaches for, a program: it prints its ports as JSON and ends when its standard input does. It
 * does as little as it can, so that it is not what is measured.
 */

const BODY = 'x'.repeat(100);
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\nConnection: keep-alive\r\n\r\n${BODY}`,
);
const PIECE = Buffer.alloc(256 * 1024, 'y');

/** Answers every head; requests come without bodies, and one only after the answer to the one before. */
function answer(socket: Socket): void {
  let head = '';
  socket.on('data', (bytes: Buffer) => {
    head += bytes.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    // Tinyproxy waits for it.
    if (/^connection: *close/im.test(head)) socket.end(ANSWER);
    else socket.write(ANSWER);
    head = '';
  });
}

/** Sends without end after an `x`, as fast as it is taken; one byte after an `i`. */
function pour(socket: Socket): void {
  socket.once('data', (bytes: Buffer) => {
    if (bytes[0] !== 'x'.charCodeAt(0)) {
      socket.write('i');
      return;
    }
    const fill = (): void => {
      while (socket.write(PIECE));
    };
    socket.on('drain', fill);
    fill();
  });
}

async function listen(serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve));
  return server;
}

const http = await listen(answer);
const bytes = await listen(pour);
const port = (server: Server): number => (server.address() as AddressInfo).port;
process.stdout.write(`${JSON.stringify({ http: port(http), bytes: port(bytes) })}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
