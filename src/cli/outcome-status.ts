import type { OutcomeView } from '../client/api.gen.ts';

/** Exit status of a launch for every failure of ours, as of env(1), timeout(1) and docker-run(1). */
export const FAILED_STATUS = 125;

/** Exit status for an agent whose time was over, as of timeout(1). */
const TTL_STATUS = 124;
/** 128 + SIGKILL, the signal of the kernel's out-of-memory killer. */
const OOM_STATUS = 137;
/** 128 + SIGTERM, the signal a stop begins with. */
const STOPPED_STATUS = 143;

/** Exit status of a command that waited for an agent, from how the agent ended. */
export function outcomeStatus(outcome: OutcomeView): number {
  switch (outcome.kind) {
    case 'exited':
    case 'signalled':
      return outcome.status ?? FAILED_STATUS;
    case 'ttl':
      return TTL_STATUS;
    case 'oom':
      return OOM_STATUS;
    case 'stopped':
      return STOPPED_STATUS;
    case 'start-failed':
    case 'lost':
      return FAILED_STATUS;
  }
}
