import { unitName } from '../base/ids.ts';
import { PROGRAM_WAIT_ATTEMPTS, PROGRAM_WAIT_MS, SANDBOX_TASKS } from '../base/limits.ts';
import type { Agent } from './agent.ts';
import type { EngineContext } from './context.ts';

/**
 * Waits until the agent's own program is there, for an agent that was started
 * a moment ago. PID 1 counts a unit as started once bubblewrap runs, which then
 * takes some milliseconds to build the sandbox; the process that becomes
 * process 1 inside is deaf to SIGTERM (pid_namespaces(7)), so that a stop in
 * that time would be heard by nobody until its time is over.
 */
export async function awaitProgram(context: EngineContext, agent: Agent): Promise<void> {
  const { clock, units } = context.host;
  for (let attempt = 0; attempt < PROGRAM_WAIT_ATTEMPTS; attempt += 1) {
    const age = clock.now() - (agent.record.startedAtMs ?? 0);
    if (!agent.isLive || age > PROGRAM_WAIT_ATTEMPTS * PROGRAM_WAIT_MS) return;
    const usage = await units.usage(unitName(agent.id)).catch(() => null);
    if (usage === null || usage.tasks === null || usage.tasks > SANDBOX_TASKS) return;
    await new Promise<void>((resolve) => clock.timer(PROGRAM_WAIT_MS, resolve));
  }
}
