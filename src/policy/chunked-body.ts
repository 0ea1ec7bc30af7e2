/** What a piece of a chunked body holds. */
export type ChunkReading =
  /** Contents, without sizes; `rest` is what follows the end of the body, null before the end. */
  | { readonly kind: 'data'; readonly parts: readonly Uint8Array[]; readonly rest: Uint8Array | null }
  | { readonly kind: 'bad'; readonly detail: string };

/** Reads a body in chunked coding from pieces as they come: no extensions, trailer fields dropped, CR LF only. */
export class ChunkedReader {
  /** Takes further bytes; only until a reading was `bad` or had a `rest`. */
  add(_piece: Uint8Array): ChunkReading {
    throw new Error('not yet');
  }
}
