/**
 * A task that many may ask for at once: a request that comes while the task
 * runs is served, together with all others of that time, by one more run.
 */
export class Coalesced<T = void> {
  readonly #task: () => Promise<T>;
  #running: Promise<T> | null = null;
  #next: Promise<T> | null = null;

  constructor(task: () => Promise<T>) {
    this.#task = task;
  }

  /** The run in progress, or null. */
  get running(): Promise<T> | null {
    return this.#running;
  }

  /** Resolves after a run that began at or after this call; rejects as that run does. */
  request(): Promise<T> {
    if (this.#running === null) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  /** Resolves once nothing runs. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running.catch(() => undefined);
  }

  #start(): Promise<T> {
    this.#next = null;
    const run = this.#task();
    this.#running = run;
    const done = (): void => {
      if (this.#running === run) this.#running = null;
    };
    run.then(done, done);
    return run;
  }
}
