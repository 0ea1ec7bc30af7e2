import { EventEmitter, once } from 'node:events';
import type { Writable } from 'node:stream';

/** Answers that go on until the test ends them, by names that the test gives. */
export class Streams {
  readonly #open = new Map<string, Writable>();
  readonly #changes = new EventEmitter();

  /** Takes in an answer that has begun. */
  add(name: string, stream: Writable): void {
    this.#open.set(name, stream);
    stream.on('close', () => {
      this.#open.delete(name);
      this.#changes.emit(`closed ${name}`);
    });
    this.#changes.emit(`opened ${name}`);
  }

  /** Writes to one, as soon as somebody has asked for it; resolves when the kernel has taken it. */
  async push(name: string, text: string): Promise<void> {
    const stream = await this.#find(name);
    await new Promise((resolve) => stream.write(text, resolve));
  }

  /** Ends one. */
  async finish(name: string): Promise<void> {
    (await this.#find(name)).end();
  }

  /** Resolves when one has ended, from either end. */
  async closed(name: string): Promise<void> {
    if (this.#open.has(name)) await once(this.#changes, `closed ${name}`);
  }

  async #find(name: string): Promise<Writable> {
    for (;;) {
      const stream = this.#open.get(name);
      if (stream !== undefined) return stream;
      await once(this.#changes, `opened ${name}`);
    }
  }
}
