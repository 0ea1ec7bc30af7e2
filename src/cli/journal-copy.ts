import { JOURNAL_COPY_BYTES_MAX, OUTPUT_PIECE_BYTES_MAX } from '../base/limits.ts';
import type { ApiClient } from '../client/api-client.ts';

const LF = 10;

/**
 * Copies one stream of an attached agent to the journal while it flows past.
 * Bounded, in pieces as large as one request may be, and never waited for by
 * the stream itself; when the daemon does not take it, the copy is given up.
 */
export class JournalCopy {
  readonly #client: ApiClient;
  readonly #stream: 'stdout' | 'stderr';
  #id: string | null = null;
  #pieces: Uint8Array[] = [];
  #seenBytes = 0;
  #isMidLine = false;
  #sending: Promise<void> | null = null;

  constructor(client: ApiClient, stream: 'stdout' | 'stderr') {
    this.#client = client;
    this.#stream = stream;
  }

  /** Takes the next piece of the stream. */
  push(piece: Uint8Array): void {
    if (this.#seenBytes >= JOURNAL_COPY_BYTES_MAX) return;
    this.#seenBytes += piece.length;
    this.#pieces.push(piece);
    this.#isMidLine = piece[piece.length - 1] !== LF;
    this.#send();
  }

  /** Begins to send what was and will be pushed, now that the agent is known. */
  begin(id: string): void {
    this.#id = id;
    this.#send();
  }

  /** Sends the rest; a line without an end is ended. */
  async finish(): Promise<void> {
    await this.#sending;
    if (this.#isMidLine && this.#id !== null) await this.#post(this.#id, new Uint8Array());
  }

  #send(): void {
    if (this.#id === null || this.#sending !== null) return;
    this.#sending = this.#sendAll(this.#id).finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(id: string): Promise<void> {
    while (this.#pieces.length > 0) await this.#post(id, this.#take());
  }

  async #post(id: string, piece: Uint8Array): Promise<void> {
    try {
      await this.#client.copyOutput(id, piece, this.#stream);
    } catch {
      this.#seenBytes = JOURNAL_COPY_BYTES_MAX;
      this.#pieces = [];
      this.#isMidLine = false;
    }
  }

  /** As many of the waiting pieces as fit one request. */
  #take(): Uint8Array {
    let length = 0;
    let count = 0;
    for (const piece of this.#pieces) {
      if (count > 0 && length + piece.length > OUTPUT_PIECE_BYTES_MAX) break;
      length += piece.length;
      count += 1;
    }
    return Buffer.concat(this.#pieces.splice(0, count));
  }
}
