import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ANSWER_BYTES, API_PATHS } from './gateway-order.ts';

/**
 * The API that everybody reaches for, a program: it takes the paths of a key and a certificate, prints its port and ends
 * when its standard input does.
 */

const TEXT = JSON.stringify({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'text', text: 'All work and no play makes Jack a dull boy. '.repeat(20) }],
  usage: { input_tokens: 2000, output_tokens: 220 },
});

/** A piece of a large answer: no two parts of it alike, as text. */
const PIECE = randomBytes(192 * 1024).toString('base64');

/** Between two events of a stream, milliseconds: what was sent with the first is read by then. */
const PAUSE_MS = 5;

/** An event that tells when it was sent: nanoseconds of a clock that all processes of the machine share. */
function event(): string {
  return `event: ping\ndata: {"type":"ping","sentAt":${process.hrtime.bigint()}}\n\n`;
}

function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(event());
  setTimeout(() => response.end('event: message_stop\ndata: {"type":"message_stop"}\n\n'), PAUSE_MS);
}

function sendBytes(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER_BYTES });
  let left = ANSWER_BYTES;
  const fill = (): void => {
    while (left > 0) {
      const piece = left < PIECE.length ? PIECE.slice(0, left) : PIECE;
      left -= piece.length;
      if (!response.write(piece, 'latin1')) return;
    }
    response.end();
  };
  response.on('drain', fill);
  fill();
}

function answer(path: string, response: ServerResponse): void {
  if (path === API_PATHS.events) sendEvents(response);
  else if (path === API_PATHS.bytes) sendBytes(response);
  else if (path === API_PATHS.still) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event());
  } else {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': TEXT.length });
    response.end(TEXT);
  }
}

const [key = '', certificate = ''] = process.argv.slice(2);
const server = createServer(
  { key: readFileSync(key), cert: readFileSync(certificate), noDelay: true, keepAliveTimeout: 0, requestTimeout: 0 },
  (request, response) => {
    response.on('error', () => undefined);
    request.resume();
    request.on('end', () => answer(request.url ?? '', response));
  },
);
server.listen(0);
await once(server, 'listening');
process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
