import { SpawnError } from '../base/errors.ts';
import type { AgentEvent, AgentView } from './api.gen.ts';
import type { AgentEvents, ApiClient } from './api-client.ts';
import { refusalError } from './refusal.ts';

/** Pause between attempts to reach a daemon that is being restarted, milliseconds. */
const RETRY_PAUSE_MS = 200;
/** Attempts before a daemon counts as gone: with the pause, longer than PID 1 gives it to start. */
const RETRIES_MAX = 150;

/**
 * Follows an attached agent to its end. When the daemon goes away in between,
 * the agent goes on without it, and is taken up again as soon as it is back.
 * Throws what the daemon says, or `control.unavailable`.
 */
export async function followToEnd(
  client: ApiClient,
  first: AgentEvents,
  started: (agent: AgentView) => void,
): Promise<AgentView> {
  let id: string | null = null;
  const seen = (agent: AgentView): void => {
    if (id === null) started(agent);
    id = agent.id;
  };
  for (let events = first; ; ) {
    try {
      const ended = await readToEnd(events, seen);
      if (ended !== null) return ended;
    } catch (error) {
      if (id === null || !isUnavailable(error)) throw error;
    } finally {
      events.close();
    }
    events = await retry(() => client.hold(id ?? ''));
  }
}

async function readToEnd(
  events: AsyncIterable<AgentEvent>,
  seen: (agent: AgentView) => void,
): Promise<AgentView | null> {
  for await (const event of events) {
    if (event.event === 'failed') throw refusalError(event.problem);
    if (event.event === 'ended') return event.agent;
    seen(event.agent);
  }
  return null;
}

/** Asks until a daemon answers. Throws its refusal, or `control.unavailable` when none comes. */
export async function retry<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isUnavailable(error) || attempt === RETRIES_MAX) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
  }
}

/** Whether an error says that no daemon answered, or not to the end. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof SpawnError && (error.code === 'control.unavailable' || error.code === 'control.forbidden');
}
