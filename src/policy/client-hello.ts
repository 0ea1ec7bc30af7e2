import { CLIENT_HELLO_BYTES_MAX } from '../base/limits.ts';
import { GrowingBytes } from './growing-bytes.ts';
import { parseHello } from './hello-message.ts';

/** What the first bytes of a tunnel amount to. More bytes change only `incomplete`. */
export type HelloReading =
  | { readonly kind: 'incomplete' }
  | ClientHello
  | { readonly kind: 'not-tls' }
  /** TLS, but not a handshake that is passed on. */
  | BadHello;

/** What a TLS handshake says of where it goes. */
export interface ClientHello {
  readonly kind: 'hello';
  /** Name of the server, a plain host name in lower case, or null without one. */
  readonly serverName: string | null;
  /** Whether the real name may be another one, encrypted (RFC 9849); also true of clients that only pretend. */
  readonly encryptedClientHello: boolean;
}

/** A handshake that is not read, with a sentence that says why. */
export interface BadHello {
  readonly kind: 'bad';
  readonly detail: string;
}

/** RFC 8446 section 5.1: a record has its type, its version (two bytes) and its length (two bytes) before its contents. */
const RECORD_BYTES_MAX = 2 ** 14;
const HANDSHAKE_RECORD = 22;
const MAJOR_VERSION = 3;
/** Of TLS 1.3; records of a first hello have 1 or 3, those of SSL 3.0 have 0. */
const MINOR_VERSION_MAX = 4;

/** RFC 8446 section 4: type, length (three bytes). */
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO_MESSAGE = 1;

/** Reads the TLS ClientHello that the bytes start with. */
export function readClientHello(bytes: Uint8Array): HelloReading {
  return new HelloReader().add(bytes);
}

/**
 * Reads a ClientHello from pieces as they come, in linear time, however it is cut into records. Whoever passes the
 * bytes on keeps them.
 */
export class HelloReader {
  readonly #message: GrowingBytes = new GrowingBytes();
  readonly #recordHeader: number[] = [];
  /** Of the current record. */
  #missing = 0;

  /** Takes further bytes; only while the last reading was `incomplete`. */
  add(piece: Uint8Array): HelloReading {
    for (let at = 0; at < piece.length; ) {
      if (this.#missing === 0) {
        this.#recordHeader.push(piece[at] ?? 0);
        at += 1;
        const fault = this.#checkHeader();
        if (fault !== null) return fault;
        continue;
      }
      const part = piece.subarray(at, at + this.#missing);
      this.#message.add(part);
      at += part.length;
      this.#missing -= part.length;
      const reading = this.#readMessage();
      if (reading.kind !== 'incomplete') return reading;
    }
    return { kind: 'incomplete' };
  }

  /** Judges the header of a record as far as it is there; its length starts the record. */
  #checkHeader(): HelloReading | null {
    const [type, major = MAJOR_VERSION, minor = 0, high, low] = this.#recordHeader;
    if (type !== HANDSHAKE_RECORD || major !== MAJOR_VERSION)
      return this.#message.length === 0
        ? { kind: 'not-tls' }
        : { kind: 'bad', detail: 'Another record stands inside the ClientHello.' };
    if (minor > MINOR_VERSION_MAX) return { kind: 'bad', detail: 'The version of a TLS record is unknown.' };
    if (high === undefined || low === undefined) return null;
    this.#missing = high * 256 + low;
    this.#recordHeader.length = 0;
    if (this.#missing > 0 && this.#missing <= RECORD_BYTES_MAX) return null;
    return { kind: 'bad', detail: `A TLS record has a length of ${this.#missing} bytes.` };
  }

  #readMessage(): HelloReading {
    const bytes = this.#message.view();
    const [type, high = 0, middle = 0, low = 0] = bytes;
    if (type !== CLIENT_HELLO_MESSAGE)
      return { kind: 'bad', detail: 'The TLS handshake does not start with a ClientHello.' };
    if (bytes.length < MESSAGE_HEADER_BYTES) return { kind: 'incomplete' };
    const length = high * 65_536 + middle * 256 + low;
    if (length > CLIENT_HELLO_BYTES_MAX)
      return { kind: 'bad', detail: `The ClientHello has more than ${CLIENT_HELLO_BYTES_MAX} bytes.` };
    const end = MESSAGE_HEADER_BYTES + length;
    return bytes.length < end ? { kind: 'incomplete' } : parseHello(bytes.subarray(MESSAGE_HEADER_BYTES, end));
  }
}
