import { EventEmitter, once } from 'node:events';
import type { Arrival } from './internet-arrival.ts';

/** What has arrived so far, in its order. */
export class Arrivals {
  readonly #fences = new EventEmitter();
  readonly #passed = new Set<string>();
  #all: Arrival[] = [];

  /** Keeps an arrival. What it holds may still grow. */
  add(arrival: Arrival): void {
    if (arrival.kind === 'packet' && arrival.bytes.startsWith('fence ')) {
      this.#passed.add(arrival.bytes);
      this.#fences.emit(arrival.bytes);
      return;
    }
    this.#all.push(arrival);
  }

  /** All there is. */
  list(): readonly Arrival[] {
    return this.#all;
  }

  /** Forgets what has arrived. */
  clear(): void {
    this.#all = [];
  }

  /** Resolves when this fence has come by. */
  async fence(text: string): Promise<void> {
    if (!this.#passed.delete(text)) {
      await once(this.#fences, text);
      this.#passed.delete(text);
    }
    // What the kernel had for us when the fence came by is read within these two turns.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
