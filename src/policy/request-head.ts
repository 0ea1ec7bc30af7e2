import { REQUEST_HEAD_BYTES_MAX } from '../base/limits.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { parseHead } from './head-lines.ts';
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

/** Bytes that are no head, with a sentence that says why. */
export interface BadHead {
  readonly kind: 'bad';
  readonly reason: ReasonCode;
  readonly detail: string;
}

/** What bytes of a client amount to. More bytes change only `incomplete`. */
export type HeadReading =
  | { readonly kind: 'incomplete' }
  /** `length` is that of the head in bytes; what follows it is the body or the next request. */
  | { readonly kind: 'head'; readonly head: RequestHead; readonly length: number }
  | BadHead;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DELETE = 127;

/** Reads the head of the request that the bytes start with. */
export function readRequestHead(bytes: Uint8Array): HeadReading {
  return new HeadReader().add(bytes);
}

/**
 * Reads one head from pieces as they come, in linear time. Stricter than RFC 9112 where servers are known to read
 * differently: lines end in CR LF only, no empty line comes first, no control characters anywhere.
 */
export class HeadReader {
  readonly #bytes: GrowingBytes = new GrowingBytes();
  #scanned = 0;
  #lineStart = 0;
  #isAfterCr = false;
  #headLength = 0;

  /** Takes further bytes; only while the last reading was `incomplete`. */
  add(piece: Uint8Array): HeadReading {
    this.#bytes.add(piece);
    const fault = this.#scan();
    if (fault !== null) return fault;
    if (this.#headLength === 0) return { kind: 'incomplete' };
    const { buffer, byteOffset } = this.#bytes.view();
    // Without the empty line.
    const text = Buffer.from(buffer, byteOffset, this.#headLength - 4).toString('latin1');
    const head = parseHead(text);
    return 'kind' in head ? head : { kind: 'head', head, length: this.#headLength };
  }

  /** What came after the head; empty before. */
  rest(): Uint8Array {
    return this.#bytes.view().subarray(this.#headLength === 0 ? this.#bytes.length : this.#headLength);
  }

  /** Looks at every byte once, up to the end of the head, and at nothing behind it. */
  #scan(): BadHead | null {
    const bytes = this.#bytes.view();
    for (let at = this.#scanned; at < bytes.length; at += 1) {
      if (at >= REQUEST_HEAD_BYTES_MAX) return tooLarge();
      const byte = bytes[at] ?? 0;
      if (this.#isAfterCr) {
        if (byte !== LF) return bad('A carriage return stands alone; lines end in CR LF.');
        if (at - 1 === this.#lineStart) {
          if (at === 1) return bad('The request starts with an empty line.');
          this.#headLength = at + 1;
          return null;
        }
        this.#isAfterCr = false;
        this.#lineStart = at + 1;
      } else if (byte === CR) this.#isAfterCr = true;
      else if (byte === LF) return bad('A line feed stands alone; lines end in CR LF.');
      else if ((byte < SPACE && byte !== TAB) || byte === DELETE) return bad('The head holds a control character.');
    }
    this.#scanned = bytes.length;
    return null;
  }
}

function bad(detail: string): BadHead {
  return { kind: 'bad', reason: 'egress.bad-request', detail };
}

function tooLarge(): BadHead {
  const detail = `The head has more than ${REQUEST_HEAD_BYTES_MAX} bytes.`;
  return { kind: 'bad', reason: 'egress.head-too-large', detail };
}
