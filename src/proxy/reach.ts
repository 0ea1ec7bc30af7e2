import type { Socket } from 'node:net';
import type { Address } from '../policy/address.ts';
import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import type { EgressIntent } from '../policy/intent.ts';
import type { Connection } from './connection.ts';
import { dial } from './dial.ts';
import { type Gate, type Passage, plainDenial } from './gate.ts';
import { denial } from './refuse.ts';
import { reachProxy, tunnelThrough } from './upstream-proxy.ts';

/** A connection that leads to the host of a request, or why there is none. */
export type Reached =
  | {
      readonly kind: 'reached';
      readonly socket: Socket;
      /** Null through an upstream proxy. */
      readonly address: Address | null;
    }
  | { readonly kind: 'refused'; readonly decision: Decision };

/**
 * Connects to where a request may go: to its addresses, or to the upstream proxy, which makes a tunnel for everything
 * but requests of plain HTTP.
 */
export async function reach(
  { connection, gate }: { readonly connection: Connection; readonly gate: Gate },
  passage: Passage,
  intent: EgressIntent,
): Promise<Reached> {
  const endpoint = authorityText(intent);
  const attach = (socket: Socket): void => connection.attach(socket);
  const { surroundings, lookups } = gate;
  if (passage.upstream !== null) {
    const options = { proxy: passage.upstream, surroundings, lookups, attach };
    const reached = await (intent.form === 'http' ? reachProxy(options) : tunnelThrough(options, endpoint));
    if (reached.kind === 'connected') return { kind: 'reached', socket: reached.socket, address: null };
    const message = `The upstream proxy does not lead to ${endpoint}: ${reached.detail}.`;
    return { kind: 'refused', decision: denial('egress.upstream-proxy', message) };
  }
  const { addresses } = passage;
  // The first is in the audit already.
  const before = (address: Address): boolean =>
    !connection.isCut && (address === addresses[0] || gate.redirect(intent, passage, address));
  const dialled = await dial(surroundings, { addresses, port: intent.port, before, attach });
  switch (dialled.kind) {
    case 'connected':
      return { kind: 'reached', socket: dialled.socket, address: dialled.address };
    case 'stopped':
      return { kind: 'refused', decision: plainDenial('egress.audit-unwritable', intent) };
    case 'late':
      return {
        kind: 'refused',
        decision: denial('egress.upstream-timeout', `${endpoint} did not take the connection in time.`),
      };
    case 'unreachable':
      return { kind: 'refused', decision: denial('egress.unreachable', `${endpoint} did not take the connection.`) };
  }
}
