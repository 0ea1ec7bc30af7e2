import type { ClientRequest } from 'node:http';
import { EGRESS_IDLE_TIMEOUT_MS } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import { ChunkedReader } from '../policy/chunked-body.ts';
import type { Decision } from '../policy/decision.ts';
import type { RequestHead } from '../policy/request-head.ts';
import { type Connection, drained } from './connection.ts';
import { Deadline } from './deadline.ts';
import type { BodyInspection } from './inspection.ts';
import type { ByteCounter } from './meter.ts';

/** How sending a body ended: `stopped` when the host takes no more of it, `refused` when it must not go on. */
export type BodyOutcome =
  | { readonly kind: 'done' | 'gone' | 'late' | 'stopped' }
  | { readonly kind: 'refused'; readonly decision: Decision }
  | { readonly kind: 'bad'; readonly detail: string };

/** One piece of a body: what to send, and what follows the body once it is complete. */
interface BodyPiece {
  readonly parts: readonly Uint8Array[];
  readonly rest: Uint8Array | null;
}

/** What sending a body needs to know. */
export interface BodyOptions {
  readonly meter: ByteCounter;
  readonly clock: HostClock;
  readonly inspection: BodyInspection | null;
}

/** Sends the body of a request as it comes, framed anew. Only a complete one is ended towards the host. */
export async function sendBody(
  { reader }: Connection,
  head: RequestHead,
  to: ClientRequest,
  { meter, clock, inspection }: BodyOptions,
): Promise<BodyOutcome> {
  const next = bodyCutter(head);
  if (next === null) {
    to.end();
    return { kind: 'done' };
  }
  for (;;) {
    using deadline = new Deadline(clock, EGRESS_IDLE_TIMEOUT_MS);
    const piece = await reader.read(deadline);
    if (piece === 'end') return { kind: 'gone' };
    if (piece === 'late') return { kind: 'late' };
    const cut = next(piece);
    if (typeof cut === 'string') return { kind: 'bad', detail: cut };
    if (to.destroyed) return { kind: 'stopped' };
    let hasRoom = true;
    for (const part of cut.parts) {
      meter.sent(part.length);
      const passed = inspection === null ? part : inspection.add(part);
      if ('verdict' in passed) return { kind: 'refused', decision: passed };
      if (passed.length > 0) hasRoom = to.write(passed);
    }
    if (cut.rest !== null) {
      const last = inspection?.end();
      if (last !== undefined && last.length > 0) to.write(last);
      reader.unread(cut.rest);
      to.end();
      return { kind: 'done' };
    }
    if (!hasRoom) await drained(to);
  }
}

/** Cuts what comes after a head into body and rest, or says what is wrong with it; null for a request without body. */
function bodyCutter({ body }: RequestHead): ((piece: Uint8Array) => BodyPiece | string) | null {
  if (body.kind === 'chunked') {
    const chunks = new ChunkedReader();
    return (piece) => {
      const reading = chunks.add(piece);
      return reading.kind === 'bad' ? reading.detail : reading;
    };
  }
  if (body.kind === 'none' || body.bytes === 0) return null;
  let missing = body.bytes;
  return (piece) => {
    const part = piece.subarray(0, missing);
    missing -= part.length;
    return { parts: [part], rest: missing === 0 ? piece.subarray(part.length) : null };
  };
}
