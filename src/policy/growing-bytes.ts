const CAPACITY_MIN = 512;

/** Bytes that arrive in pieces, kept in one place: adding costs time in proportion to what is added, however small the pieces are. */
export class GrowingBytes {
  #store: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** Whether `#store` is the first piece itself, which belongs to somebody else and is not written to. */
  #isBorrowed = false;

  get length(): number {
    return this.#length;
  }

  /** Everything so far; to be read before more is added. */
  view(): Uint8Array {
    return this.#store.subarray(0, this.#length);
  }

  /** Adds a piece, which must not be written to afterwards. */
  add(piece: Uint8Array): void {
    if (this.#length === 0) {
      this.#store = piece;
      this.#length = piece.length;
      this.#isBorrowed = true;
      return;
    }
    const length = this.#length + piece.length;
    if (this.#isBorrowed || length > this.#store.length) {
      const larger = new Uint8Array(Math.max(CAPACITY_MIN, 2 * length));
      larger.set(this.view());
      this.#store = larger;
      this.#isBorrowed = false;
    }
    this.#store.set(piece, this.#length);
    this.#length = length;
  }
}
