import { unitName } from '../base/ids.ts';
import { EXIT_REPORT_BYTES_MAX } from '../base/limits.ts';
import type { Agent } from './agent.ts';
import { type EngineContext, tolerate } from './context.ts';
import { takeUpNext } from './declared-egress.ts';
import { identityFiles, removeCommands } from './executors.ts';
import { type ExitReport, parseExitReport } from './exit-report.ts';
import { dropHomes } from './home.ts';
import { dropLink } from './link.ts';
import { describeOutcome, type Outcome, settleOutcome } from './outcome.ts';
import { dropUnits } from './publish.ts';
import { type AgentRecord, removeRecord, storeRecord } from './record.ts';
import { streamsDirectory } from './streams.ts';

/**
 * Settles the end of an agent's run: outcome and usage into the record, what
 * its start prepared off the host, everyone who waits woken.
 */
export async function settleEnd(context: EngineContext, agent: Agent): Promise<void> {
  if (agent.isSettling || !agent.isLive) return;
  agent.isSettling = true;
  const run = agent.invocationId;
  const report = await takeExitReport(context, agent.id);
  const end = endOf(context, agent, report);
  const wasSpawned = agent.record.origin === 'spawned';
  if (wasSpawned) await clearUnit(context, agent);
  const egress = agent.invocationId === run ? await context.egress.remove(agent.id) : null;
  if (agent.invocationId !== run) {
    // systemd has started it again meanwhile, and that run is the present one.
    agent.isSettling = false;
    return;
  }
  const ended = (): AgentRecord => ({ ...agent.record, ...end, egress, egressTable: null });
  await tolerate(context, `record of ${agent.id}`, () => storeRecord(context.host, context.paths, ended()));
  await tolerate(context, `homes of ${agent.id}`, () =>
    dropHomes(context, { id: agent.id, uid: agent.record.user.uid }),
  );
  // A card that went away, until this very moment, has left the clearing away to the end of the run.
  if (agent.isWithdrawn) {
    if (!wasSpawned) await clearUnit(context, agent);
    await tolerate(context, `homes of ${agent.id}`, () => dropHomes(context, { id: agent.id }));
  }
  agent.end(ended());
  if (agent.record.origin === 'declared') await restUntilNextRun(context, agent);
  context.report({ kind: 'ended', id: agent.id, outcome: describeOutcome(end.outcome) });
  for (const id of context.registry.trim()) {
    await tolerate(context, `homes of ${id}`, () => dropHomes(context, { id }));
    await tolerate(context, `record of ${id}`, () => removeRecord(context.host, context.paths, id));
  }
}

/** Clears away what a run leaves behind that nothing will start again. */
async function clearUnit(context: EngineContext, agent: Agent): Promise<void> {
  if (agent.unitState?.activeState === 'failed') {
    await tolerate(context, `reset-failed ${agent.id}`, () => context.host.units.resetFailed(unitName(agent.id)));
  }
  await clearAway(context, agent.record);
}

/** A declared agent may be started again by PID 1 alone, so what it may reach then is told at once. */
async function restUntilNextRun(context: EngineContext, agent: Agent): Promise<void> {
  await takeUpNext(context, agent);
  if (context.registry.find(agent.id) !== agent) return;
  await tolerate(context, `record of ${agent.id}`, () => storeRecord(context.host, context.paths, agent.record));
}

/** Removes everything on the host that carries the agent's id, records and units excepted. */
export async function clearAway(
  context: EngineContext,
  record: Pick<AgentRecord, 'id' | 'user' | 'attach' | 'card' | 'linkIndex'>,
): Promise<void> {
  const { host, paths } = context;
  await dropUnits(context, record.card, null);
  await dropLink(context, record);
  // The unit file of a declared agent whose card went away during its last run.
  await tolerate(context, `unit file of ${record.id}`, () =>
    host.files.remove(`${paths.unitsDirectory}/${unitName(record.id)}`),
  );
  await tolerate(context, `commands of ${record.id}`, () => removeCommands(host, paths, unitName(record.id)));
  await tolerate(context, `run directory of ${record.id}`, () =>
    host.files.removeTree(`${paths.agentsDirectory}/${record.id}`),
  );
  if (record.user.name !== '') {
    for (const file of identityFiles(paths, record.user.name)) {
      await tolerate(context, `user record of ${record.id}`, () => host.files.remove(file));
    }
  }
  const { attach } = record;
  if (attach !== null) {
    await tolerate(context, `streams of ${record.id}`, () =>
      host.files.removeTree(`${paths.attachDirectory}/${attach}`),
    );
    await tolerate(context, `sockets of ${record.id}`, () => host.files.removeTree(streamsDirectory(paths, record.id)));
  }
}

/** Reads the exit report of an agent and removes it, so that a later run cannot be taken for this one. */
async function takeExitReport(context: EngineContext, id: string): Promise<ExitReport | null> {
  const path = `${context.paths.exitsDirectory}/${id}`;
  try {
    const bytes = await context.host.files.read(path, EXIT_REPORT_BYTES_MAX);
    if (bytes === null) return null;
    await context.host.files.remove(path);
    return parseExitReport(new TextDecoder().decode(bytes));
  } catch (error) {
    context.report({
      kind: 'ignored-failure',
      operation: `exit report of ${id}`,
      failure: error instanceof Error ? error.message : String(error),
    });
    return null;
  }
}

/** What a record says of an end. */
interface End extends Pick<AgentRecord, 'phase' | 'endedAtMs' | 'usage'> {
  readonly outcome: Outcome;
}

function endOf(context: EngineContext, agent: Agent, report: ExitReport | null): End {
  const endedAtMs = context.host.clock.now();
  const { record } = agent;
  const outcome = settleOutcome({
    state: agent.unitState,
    report,
    stopRequested: agent.stopRequested,
    livedSeconds: (endedAtMs - (record.startedAtMs ?? endedAtMs)) / 1000,
    ttlSeconds: record.card.ttlSeconds,
  });
  const cpuSeconds = report?.cpuMicroseconds === null || report === null ? null : report.cpuMicroseconds / 1e6;
  return {
    phase: 'ended',
    endedAtMs,
    outcome,
    usage: {
      memoryPeakBytes: report?.memoryPeakBytes ?? null,
      tasksPeak: report?.tasksPeak ?? null,
      cpuSeconds,
      forksRefused: report?.forksRefused ?? null,
    },
  };
}
