import { problemsError, SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import type { Agent } from '../sandbox/agent.ts';

/** An agent that ends this early with bubblewrap's own failure status may never have run at all, milliseconds. */
const EARLY_MS = 1000;
/** Exit status of bubblewrap when it could not build the sandbox. */
const BWRAP_FAILED = 1;

/**
 * Turns the symptoms of a host that cannot confine agents into their cause.
 * Looking costs two unit starts, so it is done when something failed, and
 * then before every start until the host is fit again.
 */
export class FitnessGate {
  readonly #probe: () => Promise<readonly Problem[]>;
  #problems: readonly Problem[] = [];
  #hasSuspected = false;

  constructor(probe: () => Promise<readonly Problem[]>) {
    this.#probe = probe;
  }

  /** Runs a start; on an unfit host throws what is unfit about it instead of what came of that. */
  async guard(start: () => Promise<Agent>): Promise<Agent> {
    if (this.#problems.length > 0) await this.#look();
    try {
      const agent = await start();
      void this.#suspect(agent);
      return agent;
    } catch (error) {
      if (error instanceof SpawnError && error.code === 'sandbox.start-failed') await this.#look();
      throw error;
    }
  }

  /** Looks once in the life of the daemon after an agent that seems not to have run; the next start is told. */
  async #suspect(agent: Agent): Promise<void> {
    if (this.#hasSuspected) return;
    await agent.whenEnded();
    const { outcome, startedAtMs, endedAtMs } = agent.record;
    const isEarly = (endedAtMs ?? 0) - (startedAtMs ?? 0) < EARLY_MS;
    if (this.#hasSuspected || !isEarly || outcome?.kind !== 'exited' || outcome.status !== BWRAP_FAILED) return;
    this.#hasSuspected = true;
    await this.#look().catch(() => undefined);
  }

  async #look(): Promise<void> {
    this.#problems = await this.#probe();
    if (this.#problems.length > 0) throw problemsError(this.#problems, 'this host');
  }
}
