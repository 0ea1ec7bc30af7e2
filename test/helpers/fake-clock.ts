import type { HostClock } from '../../src/host/host.ts';

interface FakeTimer {
  readonly at: number;
  readonly expired: () => void;
}

/** A clock that stands until it is moved, and chance that is a counter. */
export class FakeClock implements HostClock {
  #now = Date.UTC(2030, 0, 1);
  #random = 0;
  #timers: FakeTimer[] = [];

  /** Timers that have not expired. */
  get timers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  randomHex(bytes: number): string {
    this.#random += 1;
    return this.#random
      .toString(16)
      .padStart(2 * bytes, '0')
      .slice(-2 * bytes);
  }

  timer(delayMs: number, expired: () => void): Disposable {
    const timer = { at: this.#now + delayMs, expired };
    this.#timers.push(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Moves the time on; timers that are due expire in their order, each at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let due = this.#due(until); due !== undefined; due = this.#due(until)) {
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = due.at;
      due.expired();
    }
    this.#now = until;
  }

  #due(until: number): FakeTimer | undefined {
    return [...this.#timers].sort((a, b) => a.at - b.at).find((timer) => timer.at <= until);
  }
}
