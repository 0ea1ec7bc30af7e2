import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureServerOptions,
} from 'node:http2';
import { createServer as createOldServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { HttpArrival } from './internet-arrival.ts';
import type { Arrivals } from './internet-arrivals.ts';
import type { KeyPair } from './internet-certificates.ts';
import type { Models } from './internet-models.ts';
import { SITES } from './internet-sites.ts';
import type { Streams } from './internet-streams.ts';

const BODY_MAX = 4096;
/** RFC 6455, section 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A request of either version of HTTP. */
export type WebRequest = Http2ServerRequest | IncomingMessage;
/** Its answer. */
export type WebResponse = Http2ServerResponse | ServerResponse;

type Growing = { -readonly [K in keyof HttpArrival]: HttpArrival[K] };

/** What the web servers share. */
export interface Web {
  readonly arrivals: Arrivals;
  readonly streams: Streams;
  readonly models: Models;
  /** Directory of what sites serve. */
  readonly root: string;
}

/** A server of plain HTTP/1.1; nobody is cut off for being slow. */
export function createPlainServer(web: Web): Server {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (request, response) =>
    serve(web, request, response),
  );
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => upgrade(web, request, socket));
  return server;
}

/** A server of HTTP/2 and HTTP/1.1 over TLS, with other certificates for some names. */
export function createTlsServer(web: Web, usual: KeyPair, others: Readonly<Record<string, KeyPair>>): Server {
  const contexts = new Map(Object.entries(others).map(([name, pair]) => [name, createSecureContext(optionsOf(pair))]));
  const options: SecureServerOptions = {
    ...optionsOf(usual),
    allowHTTP1: true,
    SNICallback: (name, done) => done(null, contexts.get(name)),
  };
  const server = createSecureServer(options, (request, response) => serve(web, request, response));
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => upgrade(web, request, socket));
  server.on('sessionError', () => undefined);
  return server as unknown as Server;
}

/** A server of HTTP/1.1 over TLS 1.1 and 1.0 (RFC 8996 says that nobody should). */
export function createOldTlsServer(web: Web, usual: KeyPair): Server {
  // Since OpenSSL 3 the digests of these versions need a lower level.
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  return createOldServer({ ...optionsOf(usual), ...old }, (request, response) => serve(web, request, response));
}

function optionsOf({ key, certificate }: KeyPair): { readonly key: string; readonly cert: string } {
  return { key, cert: certificate };
}

function serve(web: Web, request: WebRequest, response: WebResponse): void {
  const arrival = record(web, request);
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  if (web.models.serve(arrival.host, request, response)) return;
  const path = new URL(arrival.target, 'http://any').pathname;
  const site = SITES.find(([prefix]) => path.startsWith(prefix))?.[1];
  if (site !== undefined) {
    site({ request, response, path, arrival, web });
    return;
  }
  request.on('data', (chunk: Buffer) => {
    arrival.body = (arrival.body + chunk.toString('latin1')).slice(0, BODY_MAX);
  });
  request.on('end', () => {
    response.setHeader('content-type', 'text/plain');
    const lines = arrival.headers.map(([name, value]) => `${name}: ${value}\n`).join('');
    response.end(`${arrival.method} ${arrival.target} HTTP/${arrival.version}\n${lines}\n${arrival.body}`);
  });
}

function record(web: Web, request: WebRequest): Growing {
  const socket = ('stream' in request && request.stream?.session?.socket) || request.socket;
  const { servername } = socket as { readonly servername?: unknown };
  const headers: (readonly [string, string])[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    headers.push([(request.rawHeaders[index] ?? '').toLowerCase(), request.rawHeaders[index + 1] ?? '']);
  }
  const arrival: Growing = {
    kind: 'http',
    address: plainAddress(socket.localAddress),
    port: socket.localPort ?? 0,
    serverName: typeof servername === 'string' ? servername : null,
    version: request.httpVersion,
    method: request.method ?? '',
    target: request.url ?? '',
    host: request.headers.host ?? String(request.headers[':authority'] ?? ''),
    headers,
    body: '',
  };
  web.arrivals.add(arrival);
  return arrival;
}

/** Answers a websocket's handshake; every frame of up to 125 bytes comes back, unmasked. */
function upgrade(web: Web, request: IncomingMessage, socket: Socket): void {
  record(web, request);
  socket.on('error', () => socket.destroy());
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  const head = ['HTTP/1.1 101 Switching Protocols', 'upgrade: websocket', 'connection: Upgrade'];
  socket.write(`${[...head, `sec-websocket-accept: ${accept}`].join('\r\n')}\r\n\r\n`);
  let held = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (let length = 6 + ((held[1] ?? 0) & 127); held.length >= length; length = 6 + ((held[1] ?? 0) & 127)) {
      const mask = held.subarray(2, 6);
      const text = held.subarray(6, length).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      socket.write(Buffer.concat([Buffer.from([held[0] ?? 0, text.length]), text]));
      held = held.subarray(length);
      if (held.length < 2) break;
    }
  });
}

/** An IPv4 address without the clothes it wears on a socket of IPv6. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
