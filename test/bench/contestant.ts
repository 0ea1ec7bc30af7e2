/** One start, in milliseconds from the call. */
export interface Times {
  /** Until the first byte of output; undefined when there is none. */
  readonly firstByteMs: number | undefined;
  /** Until the caller knows that everything has ended. */
  readonly exitMs: number;
}

/** One start as it is counted. */
export interface Sample extends Times {
  /** CPU time that it took, milliseconds, PID 1, daemons and what is tidied up afterwards included. */
  readonly cpuMs: number | undefined;
}

/** What a contestant needs around each start; none of it is measured. */
export interface Scene {
  readonly enter: () => Promise<void>;
  /** Called after every {@link enter}, whatever happened in between. */
  readonly leave: () => Promise<void>;
}

/** One way to start a program. */
export interface Contestant {
  /** Key in the results. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Starts it once. Throws when it did not work. */
  readonly start: () => Promise<Times>;
  readonly scene?: Scene;
}
