/** A place in a row of bytes. */
export interface Place {
  readonly start: number;
  readonly end: number;
  /** Index of the needle that is there. */
  readonly needle: number;
}

/** Several texts looked for at once in bytes that arrive in pieces. */
export class Needles {
  readonly #needles: readonly Buffer[];
  readonly #fallbacks: readonly Int32Array[];

  constructor(needles: readonly Buffer[]) {
    this.#needles = needles;
    this.#fallbacks = needles.map(fallbacksOf);
  }

  /** Every place where one of them stands, also where they overlap, needle by needle. */
  places(bytes: Buffer): readonly Place[] {
    const found: Place[] = [];
    for (const [needle, text] of this.#needles.entries()) {
      for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 1))
        found.push({ start: at, end: at + text.length, needle });
    }
    return found;
  }

  /** The needle that stands somewhere in the bytes, or -1. */
  first(bytes: Buffer): number {
    return this.#needles.findIndex((text) => bytes.includes(text));
  }

  /** How many bytes at the end may become a needle when more bytes come; no needle can begin before them. */
  unfinished(bytes: Buffer): number {
    let longest = 0;
    for (const [needle, text] of this.#needles.entries()) {
      const fallbacks = this.#fallbacks[needle];
      if (fallbacks !== undefined) longest = Math.max(longest, unfinished(bytes, text, fallbacks));
    }
    return longest;
  }
}

/** For each beginning of a text, how long the longest shorter beginning is that it also ends with (Knuth, Morris, Pratt 1977). */
function fallbacksOf(text: Buffer): Int32Array {
  const fallbacks = new Int32Array(text.length + 1);
  let length = 0;
  for (let at = 1; at < text.length; at += 1) {
    while (length > 0 && text[at] !== text[length]) length = fallbacks[length] ?? 0;
    if (text[at] === text[length]) length += 1;
    fallbacks[at + 1] = length;
  }
  return fallbacks;
}

/** How long the longest end of the bytes is that the text begins with, without being all of it. */
function unfinished(bytes: Buffer, text: Buffer, fallbacks: Int32Array): number {
  let length = 0;
  for (let at = Math.max(0, bytes.length - text.length + 1); at < bytes.length; at += 1) {
    while (length > 0 && bytes[at] !== text[length]) length = fallbacks[length] ?? 0;
    if (bytes[at] === text[length]) length += 1;
  }
  return length;
}
