import type { Socket } from 'node:net';
import type { Deadline } from './deadline.ts';

/** Bytes of a client, or why there are none: it sends no more, or the time is over. */
export type Piece = Uint8Array | 'end' | 'late';

/**
 * Reads what a client sends, piece by piece, as fast as it is asked for. Bytes that nobody asks for stay in the
 * socket's buffer and then in the kernel, so a client cannot make the proxy hold more.
 */
export class ClientReader {
  readonly #socket: Socket;
  #pushedBack: Uint8Array | null = null;
  #waiting: ((piece: Piece) => void) | null = null;
  #onGone: (() => void) | null = null;
  #isOver = false;
  readonly #wake = (): void => {
    if (this.#waiting !== null) this.#settle(this.#take());
    // Reading nothing is how a stream notices that it has ended.
    else if (this.#socket.readableLength === 0) this.#socket.read(0);
  };
  readonly #over = (): void => {
    this.#isOver = true;
    this.#settle('end');
    this.#onGone?.();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('readable', this.#wake);
    socket.on('end', this.#over);
    socket.on('close', this.#over);
  }

  /** Has one listener called when the client sends no more, in place of the one before; null for nobody. */
  whenGone(listener: (() => void) | null): void {
    this.#onGone = listener;
    if (this.#isOver) listener?.();
  }

  /** Whether the client sends no more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The next bytes, at least one. One call at a time. */
  read(deadline: Deadline): Promise<Piece> | Piece {
    const ready = this.#take();
    if (ready !== null) return ready;
    if (this.#isOver) return 'end';
    if (deadline.isOver) return 'late';
    return new Promise((resolve) => {
      this.#waiting = (piece) => {
        deadline.listen(null);
        resolve(piece);
      };
      deadline.listen(() => this.#settle('late'));
    });
  }

  /** Puts bytes back to be read next. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pushedBack = this.#pushedBack === null ? bytes : Buffer.concat([bytes, this.#pushedBack]);
  }

  /** Reads no more: the socket is somebody else's from here on. Returns what was put back. */
  release(): Uint8Array {
    this.#onGone = null;
    this.#socket.off('readable', this.#wake);
    this.#socket.off('end', this.#over);
    this.#socket.off('close', this.#over);
    const bytes = this.#pushedBack ?? new Uint8Array(0);
    this.#pushedBack = null;
    return bytes;
  }

  #take(): Uint8Array | null {
    const bytes = this.#pushedBack;
    if (bytes === null) return this.#socket.read() as Buffer | null;
    this.#pushedBack = null;
    return bytes;
  }

  #settle(piece: Piece | null): void {
    const waiting = this.#waiting;
    if (waiting === null || piece === null) return;
    this.#waiting = null;
    waiting(piece);
  }
}
