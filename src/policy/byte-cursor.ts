/**
 * Walks over numbers and vectors of the TLS presentation language (RFC 8446 section 3). Beyond the end it gives zeros
 * and empty vectors and remembers that it did, so that one look at `isBroken` at the end is enough.
 */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  #at = 0;
  #isBroken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether something was asked for that is not there. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** A number of `width` bytes, network order. */
  number(width: 1 | 2 | 3): number {
    return this.bytes(width).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** The next bytes, not copied. */
  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      this.#isBroken = true;
      this.#at = this.#bytes.length;
      return new Uint8Array(0);
    }
    const found = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return found;
  }

  /** The contents of a vector whose length stands before it in `width` bytes. */
  vector(width: 1 | 2 | 3): Uint8Array {
    return this.bytes(this.number(width));
  }
}
