import { EARLY_JOBS_MAX, JOB_TIMEOUT_MS } from '../base/limits.ts';
import type { JobResult } from './host.ts';

const JOB_RESULTS: readonly JobResult[] = [
  'done',
  'canceled',
  'timeout',
  'failed',
  'dependency',
  'skipped',
  'invalid',
  'assert',
  'unsupported',
  'collected',
  'once',
];

/** Matches jobs of PID 1 with the signals that end them, which may come before the answer that names the job. */
export class UnitJobs {
  readonly #waiters = new Map<string, { ended: (result: JobResult) => void; failed: (error: Error) => void }>();
  readonly #early = new Map<string, JobResult>();
  readonly #timeoutMs: number;
  #calls = 0;

  constructor(timeoutMs: number = JOB_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Queues a job and waits for its end, at most `timeoutMs`, after which the
   * result is `timeout`, as it is when PID 1 loses its patience first. Throws what `call` throws, and the reason of
   * {@link lost}.
   */
  async wait(call: () => Promise<string>): Promise<JobResult> {
    this.#calls += 1;
    let job: string;
    try {
      job = await call();
    } finally {
      this.#calls -= 1;
    }
    const early = this.#early.get(job);
    if (this.#calls === 0) this.#early.clear();
    return early ?? this.#end(job);
  }

  /** Takes in a JobRemoved signal. */
  removed(job: string, result: string): void {
    const known = JOB_RESULTS.find((name) => name === result) ?? 'failed';
    const waiter = this.#waiters.get(job);
    if (waiter !== undefined) waiter.ended(known);
    else if (this.#calls > 0) this.#remember(job, known);
  }

  /** The signals of every waiting job may have been missed. */
  lost(reason: Error): void {
    for (const waiter of [...this.#waiters.values()]) waiter.failed(reason);
    this.#early.clear();
  }

  /** Keeps the end of a job that may turn out to be ours; the oldest goes first, since answers come soon. */
  #remember(job: string, result: JobResult): void {
    this.#early.set(job, result);
    if (this.#early.size <= EARLY_JOBS_MAX) return;
    const [oldest] = this.#early.keys();
    if (oldest !== undefined) this.#early.delete(oldest);
  }

  #end(job: string): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(job);
      };
      const ended = (result: JobResult): void => {
        settle();
        resolve(result);
      };
      const failed = (error: Error): void => {
        settle();
        reject(error);
      };
      const timer = setTimeout(() => ended('timeout'), this.#timeoutMs);
      this.#waiters.set(job, { ended, failed });
    });
  }
}
