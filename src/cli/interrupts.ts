/** Signals by which a terminal or a supervisor asks a command to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** What to do about signals. */
export interface InterruptActions {
  /** The first signal: end in good order. */
  readonly first: (signal: NodeJS.Signals) => void;
  /** The second: nothing but what must be done before this process dies of it. */
  readonly last: () => void;
}

/**
 * Listens to the signals that end a command until disposed. The second one
 * kills this process by itself, so that whoever waits for it sees the signal,
 * also while a thread of ours stands in a write that nobody reads.
 */
export class Interrupts implements Disposable {
  readonly #actions: InterruptActions;
  readonly #listener = (signal: NodeJS.Signals): void => this.#received(signal);
  #count = 0;

  constructor(actions: InterruptActions) {
    this.#actions = actions;
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }

  #received(signal: NodeJS.Signals): void {
    this.#count += 1;
    if (this.#count === 1) {
      this.#actions.first(signal);
      return;
    }
    this[Symbol.dispose]();
    this.#actions.last();
    process.kill(process.pid, signal);
  }
}
