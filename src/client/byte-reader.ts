const LF = 10;
const EMPTY: Buffer = Buffer.alloc(0);

/** The source ended where more had to come. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly';
}

/** Reads lines and counted bytes from pieces as they come. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = EMPTY;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next line without its CR LF or LF. Throws `EndedEarly` at the end of the source and `RangeError` beyond `bytesMax`. */
  async line(bytesMax: number): Promise<string> {
    let searched = 0;
    for (;;) {
      const end = this.#rest.indexOf(LF, searched);
      if ((end === -1 ? this.#rest.length : end) > bytesMax)
        throw new RangeError(`a line is longer than ${bytesMax} bytes`);
      if (end !== -1) {
        const line = this.#rest.toString('utf8', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line.endsWith('\r') ? line.slice(0, -1) : line;
      }
      searched = this.#rest.length;
      const more = await this.#next();
      if (more === null) throw new EndedEarly();
      this.#rest = searched === 0 ? more : Buffer.concat([this.#rest, more]);
    }
  }

  /** The next `length` bytes, in pieces as they come. Throws `EndedEarly` when there are fewer. */
  async *bytes(length: number): AsyncGenerator<Buffer, void, void> {
    for (let missing = length; missing > 0; ) {
      const piece = this.#rest.length > 0 ? this.#rest : await this.#next();
      if (piece === null) throw new EndedEarly();
      const taken = piece.subarray(0, missing);
      this.#rest = piece.subarray(taken.length);
      missing -= taken.length;
      yield taken;
    }
  }

  async #next(): Promise<Buffer | null> {
    const next = await this.#source.next();
    return next.done === true ? null : next.value;
  }
}
