import { SpawnError } from '../../src/base/errors.ts';

/** When a failing call throws: before it did anything, or after it did everything and only the answer was lost. */
export type FaultMoment = 'before' | 'after';

/** Counts the mutating calls of a fake host and makes one of them fail. */
export class FakeFaults {
  /** Mutating calls so far, the failed one included. */
  calls = 0;
  /** What each of them was, in order. */
  readonly log: string[] = [];
  #failAt = 0;
  #moment: FaultMoment = 'before';
  #dieAt = 0;

  /** Makes the n-th mutating call from now on fail, counted from 1; 0 for none. */
  failAt(n: number, moment: FaultMoment = 'before'): void {
    this.#failAt = n === 0 ? 0 : this.calls + n;
    this.#moment = moment;
  }

  /** Makes the n-th mutating call from now on and every later one fail, as for a caller that was killed; 0 brings it back to life. */
  dieAt(n: number): void {
    this.#dieAt = n === 0 ? 0 : this.calls + n;
  }

  /** Runs one mutating call. Throws `host.call-failed` when it is its turn. */
  async mutate<T>(what: string, body: () => T | Promise<T>): Promise<T> {
    this.calls += 1;
    this.log.push(what);
    if (this.#dieAt > 0 && this.calls >= this.#dieAt)
      throw new SpawnError('host.call-failed', `${what}: the caller is dead`);
    const isTurn = this.calls === this.#failAt;
    const fault = new SpawnError('host.call-failed', `${what} failed: injected fault ${this.calls}`);
    if (isTurn && this.#moment === 'before') throw fault;
    const value = await body();
    if (isTurn) throw fault;
    return value;
  }
}
