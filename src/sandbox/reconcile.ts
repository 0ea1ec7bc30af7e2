import { agentIdOfUnit, unitName, userName } from '../base/ids.ts';
import type { UnitState } from '../host/host.ts';
import { Agent } from './agent.ts';
import { type EngineContext, tolerate } from './context.ts';
import { sweepHomes } from './home.ts';
import { sweepUnits } from './publish.ts';
import { type AgentRecord, loadRecords, removeRecord } from './record.ts';
import { clearAway, settleEnd } from './retire.ts';
import { hasEnded } from './unit-end.ts';

/** Name pattern of every agent's unit. */
export const AGENT_UNITS: string = 'sandboxed-agent@*.service';

/**
 * Makes records, units and leftovers agree after a daemon start: what runs is
 * adopted, what was half made is removed, what ended meanwhile is settled.
 */
export async function reconcile(context: EngineContext): Promise<void> {
  const { host, paths } = context;
  const { records, damaged } = await loadRecords(host, paths);
  for (const id of damaged) {
    await tolerate(context, `damaged record of ${id}`, () => removeRecord(host, paths, id));
    context.report({ kind: 'removed', id, reason: 'its record could not be read' });
  }
  const units = new Map<string, UnitState>();
  for (const state of await host.units.list(AGENT_UNITS)) units.set(state.unit, state);
  for (const { id, linkIndex } of records) context.links.adopt(id, linkIndex);
  for (const record of records) {
    if (record.phase === 'starting') await removeHalfMade(context, record);
    else await adopt(context, record, units.get(unitName(record.id)) ?? null);
  }
  await sweep(context, new Set(units.keys()));
}

/** A start that a crash interrupted: the caller was never told, so nothing of it may stay. */
async function removeHalfMade(context: EngineContext, record: AgentRecord): Promise<void> {
  const { host, paths } = context;
  await tolerate(context, `stop ${record.id}`, () => host.units.stop(unitName(record.id)));
  await tolerate(context, `reset-failed ${record.id}`, () => host.units.resetFailed(unitName(record.id)));
  await clearAway(context, record);
  await tolerate(context, `exit report of ${record.id}`, () =>
    host.files.remove(`${paths.exitsDirectory}/${record.id}`),
  );
  await tolerate(context, `record of ${record.id}`, () => removeRecord(host, paths, record.id));
  context.report({ kind: 'removed', id: record.id, reason: 'its start was interrupted' });
}

async function adopt(context: EngineContext, record: AgentRecord, state: UnitState | null): Promise<void> {
  const agent = new Agent(record);
  agent.unitState = state;
  agent.noteRun(state);
  context.registry.put(agent);
  if (record.phase === 'ended') return;
  if (record.egressTable !== null) context.egress.adopt(record.egressTable);
  if (hasEnded(state)) {
    await settleEnd(context, agent);
    return;
  }
  context.report({ kind: 'adopted', id: record.id });
}

/** Removes run directories, user records and exit reports that belong to nobody. */
async function sweep(context: EngineContext, liveUnits: ReadonlySet<string>): Promise<void> {
  const { host, paths, registry } = context;
  const isLive = (id: string): boolean => registry.find(id)?.isLive === true || liveUnits.has(unitName(id));
  for (const id of await host.files.list(paths.agentsDirectory)) {
    if (!isLive(id) && registry.find(id)?.record.origin !== 'declared') {
      await tolerate(context, `run directory of ${id}`, () => host.files.removeTree(`${paths.agentsDirectory}/${id}`));
    }
  }
  for (const id of await host.files.list(paths.exitsDirectory)) {
    if (!isLive(id))
      await tolerate(context, `exit report of ${id}`, () => host.files.remove(`${paths.exitsDirectory}/${id}`));
  }
  await sweepUnits(context, (id) => isLive(id) || registry.find(id)?.record.origin === 'declared');
  await sweepHomes(context, ({ id }) => isLive(id) || registry.find(id) !== null);
  const users = new Set([
    ...registry
      .all()
      .filter(keepsUser)
      .map((agent) => agent.record.user.name),
    ...[...liveUnits].map(userOfUnit),
  ]);
  for (const name of await host.files.list(paths.userdbDirectory)) {
    const user = /^(agent-[a-z0-9_-]+)\.(user|group)$/.exec(name)?.[1];
    if (user === undefined || users.has(user)) continue;
    await tolerate(context, `user record ${name}`, () => host.files.remove(`${paths.userdbDirectory}/${name}`));
  }
}

function keepsUser(agent: Agent): boolean {
  return agent.isLive || agent.record.origin === 'declared';
}

function userOfUnit(unit: string): string {
  return userName(agentIdOfUnit(unit) ?? '');
}

/** The agent a unit belongs to, or null for one we do not know. */
export function agentOfUnit(context: EngineContext, unit: string): Agent | null {
  const id = agentIdOfUnit(unit);
  return id === undefined ? null : context.registry.find(id);
}
