import { CHUNK_SIZE_DIGITS_MAX, TRAILER_BYTES_MAX } from '../base/limits.ts';

/** What a piece of a chunked body holds. */
export type ChunkReading =
  /** Contents, without sizes; `rest` is what follows the end of the body, null before the end. */
  | { readonly kind: 'data'; readonly parts: readonly Uint8Array[]; readonly rest: Uint8Array | null }
  | { readonly kind: 'bad'; readonly detail: string };

/** What the next byte belongs to. `line-*` is a line of the trailer. */
type State = 'size' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'line-start' | 'line' | 'line-lf' | 'end-lf' | 'end';

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const DELETE = 127;

/** Reads a body in chunked coding from pieces as they come: no extensions, trailer fields dropped, CR LF only. */
export class ChunkedReader {
  #state: State = 'size';
  #digits = 0;
  /** Size of the chunk while it is read, then what is missing of it. */
  #missing = 0;
  #trailerBytes = 0;

  /** Takes further bytes; only until a reading was `bad` or had a `rest`. */
  add(piece: Uint8Array): ChunkReading {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < piece.length; ) {
      if (this.#state === 'data') {
        const part = piece.subarray(at, at + this.#missing);
        parts.push(part);
        at += part.length;
        this.#missing -= part.length;
        if (this.#missing === 0) this.#state = 'data-cr';
        continue;
      }
      const fault = this.#step(piece[at] ?? 0);
      if (fault !== null) return { kind: 'bad', detail: fault };
      at += 1;
      if (this.#state === 'end') return { kind: 'data', parts, rest: piece.subarray(at) };
    }
    return { kind: 'data', parts, rest: null };
  }

  /** Takes one byte that is not contents; a sentence when it has no place there. */
  #step(byte: number): string | null {
    switch (this.#state) {
      case 'size':
        return this.#sizeByte(byte);
      case 'size-lf':
        return this.#expect(byte, LF, this.#missing === 0 ? 'line-start' : 'data');
      case 'data-cr':
        return this.#expect(byte, CR, 'data-lf');
      case 'data-lf':
        return this.#expect(byte, LF, 'size');
      case 'line-lf':
        return this.#expect(byte, LF, 'line-start');
      case 'end-lf':
        return this.#expect(byte, LF, 'end');
      default:
        return this.#trailerByte(byte);
    }
  }

  #expect(byte: number, wanted: number, next: State): string | null {
    if (byte !== wanted) return 'A chunk does not end in CR LF where it should.';
    this.#state = next;
    return null;
  }

  #sizeByte(byte: number): string | null {
    if (byte === CR && this.#digits > 0) {
      this.#digits = 0;
      this.#state = 'size-lf';
      return null;
    }
    const digit = hexDigit(byte);
    if (digit === -1) return 'The size of a chunk is not a plain hexadecimal number.';
    if (this.#digits === 0) this.#missing = 0;
    this.#digits += 1;
    if (this.#digits > CHUNK_SIZE_DIGITS_MAX) return 'The size of a chunk is too large.';
    this.#missing = this.#missing * 16 + digit;
    return null;
  }

  #trailerByte(byte: number): string | null {
    this.#trailerBytes += 1;
    if (this.#trailerBytes > TRAILER_BYTES_MAX) return `The trailer has more than ${TRAILER_BYTES_MAX} bytes.`;
    if (byte === CR) {
      this.#state = this.#state === 'line-start' ? 'end-lf' : 'line-lf';
      return null;
    }
    if ((byte < SPACE && byte !== TAB) || byte === DELETE) return 'The trailer holds a control character.';
    this.#state = 'line';
    return null;
  }
}

/** Value of a hexadecimal digit, -1 for anything else. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
