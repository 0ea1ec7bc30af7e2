import { unitName } from '../base/ids.ts';
import type { UnitState } from '../host/host.ts';
import type { Agent } from './agent.ts';
import { dropMark } from './autostart.ts';
import { type EngineContext, tolerate } from './context.ts';
import type { Compiled } from './declared.ts';
import { exchangePorts } from './publish.ts';
import { storeRecord } from './record.ts';

/**
 * Has PID 1 read changed unit files, and takes down that it did: a daemon that
 * is killed before that does it again. PID 1 reads files by itself only of
 * units that it has not loaded.
 */
export async function haveRead(context: EngineContext, compiled: readonly Compiled[]): Promise<void> {
  const changed = compiled.filter(({ isChanged }) => isChanged);
  for (const { id } of changed) {
    const state = await context.host.units.state(unitName(id));
    if (state === null || isLeaving(context, id, state)) continue;
    await context.host.units.reload();
    break;
  }
  for (const one of changed) {
    await takeDown(context, one);
    await exchangePorts(context, one.id, one.before);
  }
}

/**
 * Whether a unit without a card is being stopped. It unloads by itself then;
 * told of the lost file first, PID 1 would stop it by its own defaults.
 */
function isLeaving(context: EngineContext, id: string, state: UnitState): boolean {
  return state.activeState === 'deactivating' && context.registry.find(id)?.record.origin !== 'declared';
}

async function takeDown(context: EngineContext, { id, unitCard }: Compiled): Promise<void> {
  const agent = context.registry.find(id);
  if (agent === null) return;
  const state = await context.host.units.state(unitName(id));
  agent.noteRun(state);
  const isMended = agent.record.unitCard === null && unitCard !== null;
  if (context.restartChanged && isMended && wasRefused(agent, state)) await dropMark(context, id);
  agent.record = { ...agent.record, unitCard };
  await tolerate(context, `record of ${id}`, () => storeRecord(context.host, context.paths, agent.record));
}

/** Whether the unit that refuses to start was the last that was started: its failure is none of a run. */
function wasRefused(agent: Agent, state: UnitState | null): boolean {
  return state?.activeState === 'failed' && state.invocationId !== agent.record.invocationId;
}
