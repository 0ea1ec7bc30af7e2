import type { ReasonCode } from './reasons.ts';

/** One field of a head. */
export interface Field {
  /** Lower case. */
  readonly name: string;
  /** Without white space around it; bytes from 0x80 on stand as the characters of the same number. */
  readonly value: string;
}

/** How the end of a request's body is known. */
export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/** The head of one request, well formed in every part. */
export interface RequestHead {
  readonly method: string;
  /** As it came: visible ASCII characters. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
  /** In order, with all that came, also what concerns this connection only. */
  readonly fields: readonly Field[];
  readonly body: BodyFraming;
  /** Whether the client wants to send further requests on this connection. */
  readonly keepAlive: boolean;
  /** Options of the Connection field, lower case. */
  readonly connection: readonly string[];
  /** Value of the Upgrade field, lower case, or null without one. */
  readonly upgrade: string | null;
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
}

/** What bytes of a client amount to. More bytes change only `incomplete`. */
export type HeadReading =
  | { readonly kind: 'incomplete' }
  /** `length` is that of the head in bytes; what follows it is the body or the next request. */
  | { readonly kind: 'head'; readonly head: RequestHead; readonly length: number }
  | { readonly kind: 'bad'; readonly reason: ReasonCode; readonly detail: string };

/** Reads the head of the request that the bytes start with. */
export function readRequestHead(bytes: Uint8Array): HeadReading {
  return new HeadReader().add(bytes);
}

/** Reads one head from pieces as they come, in linear time. */
export class HeadReader {
  /** Takes further bytes; only while the last reading was `incomplete`. */
  add(_piece: Uint8Array): HeadReading {
    throw new Error('not yet');
  }

  /** What came after the head; empty before. */
  rest(): Uint8Array {
    throw new Error('not yet');
  }
}
