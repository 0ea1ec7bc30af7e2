import { connect, type Socket } from 'node:net';
import { assert } from '../base/assert.ts';
import { EGRESS_BUFFER_BYTES, EGRESS_DIAL_TIMEOUT_MS, EGRESS_KEEPALIVE_MS } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import type { Address } from '../policy/address.ts';
import { Deadline } from './deadline.ts';
import type { Surroundings } from './surroundings.ts';

/** A connection to one of the addresses, or why there is none. */
export type Dialled =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly address: Address }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'late' }
  /** `before` said so. */
  | { readonly kind: 'stopped' };

/** What is dialled. */
export interface DialOptions {
  readonly addresses: readonly Address[];
  readonly port: number;
  /** Called with each address before it is dialled; false ends it. */
  readonly before: (address: Address) => boolean;
  /** Told of every socket as soon as there is one. */
  readonly attach: (socket: Socket) => void;
}

/** Begins a connection; no name is ever looked up here. */
export function connectSocket(address: Address, port: number): Socket {
  // The types do not know that a socket takes the options of a stream.
  const options = {
    host: address.text,
    port,
    family: address.family,
    lookup: refuseLookup,
    autoSelectFamily: false,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: EGRESS_KEEPALIVE_MS,
    highWaterMark: EGRESS_BUFFER_BYTES,
  };
  return connect(options);
}

/** Connects to the first address that takes the connection, each with its share of the time. */
export async function dial(surroundings: Surroundings, options: DialOptions): Promise<Dialled> {
  const { addresses, port, before, attach } = options;
  let isLate = false;
  for (const [index, address] of addresses.entries()) {
    if (!before(address)) return { kind: 'stopped' };
    const socket = surroundings.connect(address, port);
    attach(socket);
    const outcome = await connected(socket, surroundings.clock, shareMs(index, addresses.length));
    if (outcome === 'connected') return { kind: 'connected', socket, address };
    isLate = outcome === 'late';
  }
  return { kind: isLate ? 'late' : 'unreachable' };
}

/** Waits until a connection stands; one that does not is destroyed. */
function connected(socket: Socket, clock: HostClock, timeoutMs: number): Promise<'connected' | 'failed' | 'late'> {
  return new Promise((resolve) => {
    const deadline = new Deadline(clock, timeoutMs);
    const settle = (outcome: 'connected' | 'failed' | 'late'): void => {
      deadline[Symbol.dispose]();
      socket.off('connect', onConnect);
      socket.off('close', onClose);
      if (outcome !== 'connected') socket.destroy();
      resolve(outcome);
    };
    const onConnect = (): void => settle('connected');
    const onClose = (): void => settle('failed');
    // Errors are followed by `close`; a listener keeps them from being anybody else's, for as long as the socket lives.
    socket.on('error', () => undefined);
    socket.once('connect', onConnect);
    socket.once('close', onClose);
    deadline.listen(() => settle('late'));
  });
}

/** The first address gets half of the time, the others share the rest. */
function shareMs(index: number, count: number): number {
  if (count === 1) return EGRESS_DIAL_TIMEOUT_MS;
  return EGRESS_DIAL_TIMEOUT_MS / 2 / (index === 0 ? 1 : count - 1);
}

function refuseLookup(): void {
  assert(false, 'an address is dialled, never a name');
}
