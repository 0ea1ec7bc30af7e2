import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants;

/** Readable by the group of the proxy; the daemon reads it as root. */
const MODE = 0o640;
const LF = 10;

/**
 * A file that only grows by whole lines. What a failed write left of a line is
 * cut off again before the next one. Throws what the system throws.
 */
export class AuditFile implements Disposable {
  readonly #fd: number;
  #bytes: number;
  /** Whether bytes of a line that failed may stand at the end. */
  #isTorn = false;

  private constructor(fd: number, bytes: number) {
    this.#fd = fd;
    this.#bytes = bytes;
  }

  /** Opens a file, or makes it. */
  static open(path: string): AuditFile {
    const fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, MODE);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) throw new Error('it is not a regular file');
      return new AuditFile(fd, stat.size);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Size of its complete lines, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the file has lost its name: nobody would find what is written. */
  get isRemoved(): boolean {
    return fstatSync(this.#fd).nlink === 0;
  }

  /** Appends a line with its line feed: all of it or nothing. */
  append(line: string): void {
    this.#mend();
    const bytes = Buffer.from(line, 'latin1');
    this.#isTorn = true;
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    this.#bytes += bytes.length;
    this.#isTorn = false;
  }

  /** Cuts off what follows the last line feed, however much that is; returns how many bytes that were. */
  cutTornLine(lineBytesMax: number): number {
    const before = this.#bytes;
    for (let torn = -1; torn !== 0 && this.#bytes > 0; ) {
      const tail = this.#tail(lineBytesMax);
      torn = tail.length - (tail.lastIndexOf(LF) + 1);
      if (torn > 0) ftruncateSync(this.#fd, this.#bytes - torn);
      this.#bytes -= torn;
    }
    return before - this.#bytes;
  }

  /** The last line without its line feed, or null for an empty file. */
  lastLine(lineBytesMax: number): Uint8Array | null {
    const tail = this.#tail(lineBytesMax + 1);
    if (tail.length === 0) return null;
    return tail.subarray(tail.lastIndexOf(LF, -2) + 1, -1);
  }

  [Symbol.dispose](): void {
    try {
      this.#mend();
    } finally {
      closeSync(this.#fd);
    }
  }

  #mend(): void {
    if (!this.#isTorn) return;
    ftruncateSync(this.#fd, this.#bytes);
    this.#isTorn = false;
  }

  #tail(bytesMax: number): Buffer {
    const tail = Buffer.alloc(Math.min(bytesMax, this.#bytes));
    const from = this.#bytes - tail.length;
    let length = 0;
    while (length < tail.length) {
      const read = readSync(this.#fd, tail, length, tail.length - length, from + length);
      if (read === 0) break;
      length += read;
    }
    return tail.subarray(0, length);
  }
}
