import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from './contestant.ts';

/** Time the daemon has to catch up with what it missed, milliseconds. */
const CATCH_UP_MS = 25;

/**
 * A host without the daemon, for contestants that do not use it. It hears of every unit that PID 1 starts, theirs too,
 * and what it does about that would be charged to them. It is stopped, not ended, so that it is as warm afterwards.
 */
export function withoutDaemon(pid: number): Scene {
  return {
    enter: async () => void process.kill(pid, 'SIGSTOP'),
    leave: async () => {
      process.kill(pid, 'SIGCONT');
      await sleep(CATCH_UP_MS);
    },
  };
}
