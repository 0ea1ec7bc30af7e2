import { request } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { EGRESS_ANSWER_HEAD_BYTES_MAX, EGRESS_BUFFER_BYTES, EGRESS_UPSTREAM_TIMEOUT_MS } from '../base/limits.ts';
import { type Address, parseAddress } from '../policy/address.ts';
import type { UpstreamProxy } from '../policy/table.ts';
import { Deadline } from './deadline.ts';
import { dial } from './dial.ts';
import type { Lookups } from './resolve.ts';
import type { Surroundings } from './surroundings.ts';

/** A connection to or through an upstream proxy, or one sentence that says why there is none. */
export type Reached =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly detail: string };

/** What is needed to reach an upstream proxy. */
export interface UpstreamOptions {
  readonly proxy: UpstreamProxy;
  readonly surroundings: Surroundings;
  readonly lookups: Lookups;
  /** Told of every socket as soon as there is one. */
  readonly attach: (socket: Socket) => void;
}

/** Value of Proxy-Authorization (RFC 7617), or null. */
export function proxyAuthorization({ credentials }: UpstreamProxy): string | null {
  return credentials === null ? null : `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** Connects to an upstream proxy. Its address is the operator's own choice and is not judged. */
export async function reachProxy({ proxy, surroundings, lookups, attach }: UpstreamOptions): Promise<Reached> {
  const addresses = await addressesOf(proxy, lookups);
  if (addresses.length === 0) return { kind: 'failed', detail: 'its name was not found' };
  const dialled = await dial(surroundings, { addresses, port: proxy.port, before: () => true, attach });
  if (dialled.kind !== 'connected') return { kind: 'failed', detail: 'it did not take the connection' };
  if (proxy.scheme === 'http') return dialled;
  return await secure(dialled.socket, { proxy, surroundings, lookups, attach });
}

/** Has an upstream proxy make a tunnel to `endpoint`, which is `host:port`. */
export async function tunnelThrough(options: UpstreamOptions, endpoint: string): Promise<Reached> {
  const reached = await reachProxy(options);
  if (reached.kind === 'failed') return reached;
  const { socket } = reached;
  const authorization = proxyAuthorization(options.proxy);
  return await new Promise((resolve) => {
    const deadline = new Deadline(options.surroundings.clock, EGRESS_UPSTREAM_TIMEOUT_MS);
    const settle = (outcome: Reached): void => {
      deadline[Symbol.dispose]();
      if (outcome.kind === 'failed') socket.destroy();
      resolve(outcome);
    };
    const asked = request({
      createConnection: () => socket,
      method: 'CONNECT',
      path: endpoint,
      headers: ['host', endpoint, ...(authorization === null ? [] : ['proxy-authorization', authorization])],
      setHost: false,
      maxHeaderSize: EGRESS_ANSWER_HEAD_BYTES_MAX,
    });
    deadline.listen(() => settle({ kind: 'failed', detail: 'it did not answer in time' }));
    asked.once('connect', (response, _socket, first) => {
      if ((response.statusCode ?? 0) >= 300) return settle(refusedBy(response.statusCode));
      if (first.length > 0) socket.unshift(first);
      settle({ kind: 'connected', socket });
    });
    asked.once('response', (response) => settle(refusedBy(response.statusCode)));
    asked.on('error', () => settle({ kind: 'failed', detail: 'it did not answer in HTTP' }));
    asked.end();
  });
}

function refusedBy(status: number | undefined): Reached {
  return { kind: 'failed', detail: `it answered with status ${status ?? 'unknown'}` };
}

async function addressesOf({ host }: UpstreamProxy, lookups: Lookups): Promise<readonly Address[]> {
  const literal = parseAddress(host.replace(/^\[(.*)\]$/, '$1'));
  if (literal !== null) return [literal];
  const resolution = await lookups.resolve(host);
  return resolution.kind === 'addresses' ? resolution.addresses : [];
}

/** TLS to the proxy itself, whose certificate must be for its name. */
async function secure(socket: Socket, { proxy, surroundings, attach }: UpstreamOptions): Promise<Reached> {
  const { host } = proxy;
  const options = {
    socket,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    highWaterMark: EGRESS_BUFFER_BYTES,
  };
  const secured = connectTls(options);
  attach(secured);
  return await new Promise((resolve) => {
    const deadline = new Deadline(surroundings.clock, EGRESS_UPSTREAM_TIMEOUT_MS);
    const settle = (outcome: Reached): void => {
      deadline[Symbol.dispose]();
      if (outcome.kind === 'failed') secured.destroy();
      resolve(outcome);
    };
    deadline.listen(() => settle({ kind: 'failed', detail: 'its TLS handshake took too long' }));
    secured.once('secureConnect', () => settle({ kind: 'connected', socket: secured }));
    secured.on('error', () => settle({ kind: 'failed', detail: 'its TLS handshake failed' }));
    secured.once('close', () => settle({ kind: 'failed', detail: 'its TLS handshake failed' }));
  });
}
