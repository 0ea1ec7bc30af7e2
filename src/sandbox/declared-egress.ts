import type { AgentTable } from '../policy/table.ts';
import type { Agent } from './agent.ts';
import type { EngineContext } from './context.ts';
import { carryLiveRules } from './live-rules.ts';
import { hasEnded } from './unit-end.ts';

/**
 * Takes in what the newest card of an agent lets it reach: at once for one at
 * rest, so that PID 1 can start it with nobody's help; a run that goes on
 * keeps what it started with. The record is the caller's to store.
 */
export async function declareTable(context: EngineContext, agent: Agent, table: AgentTable | null): Promise<void> {
  agent.nextEgress = table;
  const runs = agent.isLive || (agent.unitState !== null && !hasEnded(agent.unitState));
  if (!runs) await takeUpNext(context, agent);
}

/** Makes the newest card's rules those in force, for a run that begins. Rules of the operator outlast a restart. */
export async function takeUpNext(context: EngineContext, agent: Agent): Promise<void> {
  const { record, nextEgress } = agent;
  const live = agent.isLive ? record.egressTable : null;
  const known = context.egress.find(agent.id);
  const next = nextEgress === null ? null : carryLiveRules(live, nextEgress);
  const since = known?.since ?? live?.since;
  const table = next === null || since === undefined ? next : { ...next, since };
  agent.record = { ...record, egressTable: table };
  if (JSON.stringify(table) === JSON.stringify(known)) return;
  if (table === null) await context.egress.remove(agent.id);
  else {
    await context.egress.declare(table);
    agent.record = { ...agent.record, egressTable: context.egress.find(agent.id) };
  }
}

/** Ends what an agent may reach. */
export async function forgetTable(context: EngineContext, agent: Agent): Promise<void> {
  agent.record = { ...agent.record, egressTable: null };
  await context.egress.remove(agent.id);
}
