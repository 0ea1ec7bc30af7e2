import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import type { Gateway } from '../../src/policy/table.ts';
import { type KeyPair, makeCertificates } from './internet-certificates.ts';
import { type Host, ProxyStage } from './proxy-stage.ts';
import { makeScratch } from './scratch.ts';

/** The key that no agent may see. */
export const KEY = 'sk-ant-real-3vX/9+kQ7';
/** Where the API of {@link GATEWAY} is on a stage that {@link openGatewayStage} opened. */
export const API_PLACE = '11.0.0.1:443';

/** A gateway to an API of the test. */
export const GATEWAY: Gateway = {
  provider: 'anthropic',
  mount: '/anthropic',
  base: { scheme: 'https', host: 'api.example.com', port: 443, path: '' },
  field: { name: 'x-api-key', word: '' },
  username: null,
  key: KEY,
  placeholder: 'sk-ant-api03-agentspawn0',
  pointer: '/api_key_file',
};

/** What a server of TLS shows of itself, and who vouches for it. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
  /** In PEM. */
  readonly authority: string;
  /** What nobody should take, by the name it is shown for. */
  readonly bad: Readonly<Record<string, KeyPair>>;
}

let made: Promise<Identity> | null = null;

/** The identity of `example.com`, `*.example.com` and 11.0.0.7; one for all tests of a process. */
export function exampleIdentity(): Promise<Identity> {
  made ??= (async () => {
    await using scratch = await makeScratch();
    const { authority, key, certificate, bad } = await makeCertificates(scratch.path);
    return { key, cert: certificate, authority: readFileSync(authority, 'utf8'), bad };
  })();
  return made;
}

/** A request to a gateway, its head alone; `target` begins with the mount. */
export function toGateway(method: string, target: string, ...fields: readonly string[]): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: 127.0.0.1:3128', ...fields].join('\r\n')}\r\n\r\n`;
}

/** A proxy in a world with `api.example.com`, whose authority this machine trusts. */
export async function openGatewayStage(): Promise<ProxyStage> {
  const proxy = await ProxyStage.open();
  proxy.name('api.example.com', '11.0.0.1');
  proxy.authorities.push((await exampleIdentity()).authority);
  return proxy;
}

/** An API behind TLS: it hears everything, and `answer` decides what it says after each piece. */
export async function tlsHost(
  proxy: ProxyStage,
  place: string,
  answer: (heard: string, socket: Socket) => void,
  options: TlsOptions = {},
): Promise<Host> {
  const host: Host = { heard: [], sockets: [], [Symbol.dispose]: () => undefined };
  const { key, cert } = await exampleIdentity();
  const server = createServer({ key, cert, ...options }, (socket) => {
    const index = host.sockets.push(socket) - 1;
    host.heard[index] = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      host.heard[index] += bytes.toString('latin1');
      answer(host.heard[index] ?? '', socket);
    });
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.place(place, server);
  return host;
}
