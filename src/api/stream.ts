import type { AgentView, AuditEntry } from '../control/views.ts';
import type { Call } from './call.ts';
import { type ProblemDocument, problemDocument } from './problem.ts';

/** One line of the stream of an attached agent. */
export type AgentEvent =
  | { readonly event: 'started' | 'ended'; readonly agent: AgentView }
  | { readonly event: 'failed'; readonly problem: ProblemDocument };

/**
 * The life of an agent that is tied to the connection of its caller: when the
 * caller goes first, the agent is stopped; when the daemon goes first, the
 * agent goes on and the caller may come back to hold it.
 */
export async function* followAgent(call: Call, agent: AgentView): AsyncGenerator<AgentEvent, void, void> {
  let hasEnded = false;
  try {
    yield { event: 'started', agent };
    const ended = await call.operations.wait(agent.id, call.signal);
    if (call.signal.aborted) return;
    hasEnded = true;
    yield { event: 'ended', agent: ended };
  } catch (error) {
    yield { event: 'failed', problem: problemDocument(error) };
    throw error;
  } finally {
    if (!hasEnded && call.isCallerGone()) await call.operations.stop(agent.id, call.caller);
  }
}

/** One line of the stream of an audit. */
export type AuditMessage = AuditEntry | { readonly kind: 'failed'; readonly problem: ProblemDocument };

/** The entries of an audit; a failure in their middle is told, since an answer that has begun cannot refuse any more. */
export async function* auditStream(entries: AsyncIterable<AuditEntry>): AsyncGenerator<AuditMessage, void, void> {
  try {
    yield* entries;
  } catch (error) {
    yield { kind: 'failed', problem: problemDocument(error) };
    throw error;
  }
}
