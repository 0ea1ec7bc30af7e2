import type { HostClock } from '../host/host.ts';

/** A time by which something has to be there. Disposing it is giving up waiting for it. */
export class Deadline implements Disposable {
  readonly #timer: Disposable;
  #isOver = false;
  #listener: (() => void) | null = null;

  constructor(clock: HostClock, delayMs: number) {
    this.#timer = clock.timer(delayMs, () => {
      this.#isOver = true;
      this.#listener?.();
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Has one listener called when the time comes, in place of the one before; null for nobody. */
  listen(listener: (() => void) | null): void {
    this.#listener = listener;
  }

  [Symbol.dispose](): void {
    this.#listener = null;
    this.#timer[Symbol.dispose]();
  }
}
