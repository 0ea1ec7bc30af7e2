import type { Destination, EgressIntent } from './intent.ts';
import type { ReasonCode } from './reasons.ts';
import type { RequestHead } from './request-head.ts';

/** A place to connect to. */
export interface Endpoint {
  readonly destination: Destination;
  readonly port: number;
}

/** What a request wants. */
export type IntentReading =
  | {
      readonly kind: 'intent';
      readonly intent: EgressIntent;
      /** Path and query to send upstream; empty for a tunnel. */
      readonly target: string;
      /** Value of the Host field to send upstream. */
      readonly host: string;
      readonly upgrade: 'websocket' | null;
    }
  /** A request to the proxy itself: an absolute path outside of a tunnel. */
  | { readonly kind: 'origin'; readonly path: string }
  | {
      readonly kind: 'refused';
      readonly reason: ReasonCode;
      /** One sentence for the client. */
      readonly detail: string;
      /** Where it wanted to go, as far as that was understood. */
      readonly about: Endpoint | null;
    };

/** Reads what a request wants; `within` is the target of the tunnel that it came through, null outside of tunnels. */
export function readIntent(_head: RequestHead, _within: Endpoint | null): IntentReading {
  throw new Error('not yet');
}
