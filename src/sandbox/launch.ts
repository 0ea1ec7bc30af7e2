import { problemsError, type SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import { commandDropIn } from '../plan/command-drop-in.ts';
import { factQuery, type Plan, planAgent } from '../plan/plan.ts';
import { stdioProperties } from '../plan/properties.ts';
import { plannedPorts } from '../plan/publish.ts';
import type { Step } from '../plan/step.ts';
import { Agent } from './agent.ts';
import { type Applied, applySteps } from './apply.ts';
import type { EngineContext } from './context.ts';
import { homeFailure } from './home.ts';
import { linkFailure } from './link.ts';
import { overlapProblems } from './overlap.ts';
import { portProblems, takenPort } from './publish.ts';
import { type AgentRecord, type CardSource, NO_CARDS, NO_EGRESS, removeRecord, storeRecord } from './record.ts';
import { readPlanSecrets } from './secrets.ts';
import { streamsDirectory } from './streams.ts';

/** A start as the engine takes it. */
export interface Launch {
  readonly card: ResolvedCard;
  readonly cardSource: CardSource;
  readonly arguments: readonly string[];
  /** Token of the caller's stdio directory, or null for a detached agent. */
  readonly attach: string | null;
  readonly callerUid: number;
}

/** The plan a start would have, changing nothing. Throws the card's problems. */
export async function planLaunch(
  context: EngineContext,
  launch: Pick<Launch, 'card' | 'arguments'>,
  agentUid: number,
): Promise<Plan> {
  const facts = await context.host.facts(factQuery(launch.card));
  const plan = planAgent(
    {
      card: launch.card,
      arguments: launch.arguments,
      agentUid,
      uidRange: context.uidRange,
      agentsRunDirectory: context.paths.agentsDirectory,
      homesDirectory: context.paths.homesDirectory,
      publishAddresses: context.publishAddresses,
      allowHostNetwork: context.allowHostNetwork,
      proxy: context.proxy,
      vethRange: context.links.range,
      linkIndex: context.links.peek(launch.card),
      isRunning: context.registry.find(launch.card.agentId)?.record.phase === 'started',
    },
    facts,
  );
  const { registry } = context;
  const taken = portProblems(registry, launch.card.agentId, plannedPorts(launch.card));
  const isTold = ({ pointer }: Problem): boolean => taken.some((problem) => problem.pointer === pointer);
  const problems = [
    ...(plan.ok ? overlapProblems(registry, plan.value) : plan.problems.filter((problem) => !isTold(problem))),
    ...taken,
  ];
  if (!plan.ok || problems.length > 0) throw problemsError(problems, `agent "${launch.card.agentId}"`);
  return plan.value;
}

/**
 * Starts an agent: admission, uid, facts, plan, record, steps. Whatever fails
 * takes back what was done, and the id is free again.
 */
export async function launchAgent(context: EngineContext, launch: Launch): Promise<Agent> {
  const agent = new Agent(firstRecord(launch));
  const replaced = context.registry.admit(agent);
  const started = context.starts.pass(() => start(context, launch, agent));
  agent.starting = started.then(
    () => undefined,
    () => undefined,
  );
  try {
    return await started;
  } catch (error) {
    context.links.release(agent.id);
    if (replaced === null) context.registry.drop(agent.id);
    else context.registry.put(replaced);
    if (replaced === null) await removeRecord(context.host, context.paths, agent.id).catch(() => undefined);
    else await storeRecord(context.host, context.paths, replaced.record).catch(() => undefined);
    // A unit that came as far as to fail has left a report, and no run of an agent takes it.
    await context.host.files.remove(`${context.paths.exitsDirectory}/${agent.id}`).catch(() => undefined);
    agent.end({ ...agent.record, phase: 'ended' });
    throw error;
  }
}

async function start(context: EngineContext, launch: Launch, agent: Agent): Promise<Agent> {
  const { host, paths } = context;
  const linkIndex = context.links.reserve(launch.card);
  const plan = await planLaunch(context, launch, await context.reserveUid(agent.id));
  const secrets = await readPlanSecrets(context.secrets, plan);
  agent.record = { ...agent.record, user: plan.user, notices: plan.notices, linkIndex };
  await storeRecord(host, paths, agent.record);
  const applied = await applyPlan({ ...context, secrets }, plan, launch);
  const egressTable = context.egress.find(agent.id);
  agent.record = { ...agent.record, phase: 'started', startedAtMs: host.clock.now(), egressTable };
  try {
    await storeRecord(host, paths, agent.record);
  } catch (error) {
    await applied.undo();
    throw error;
  }
  return agent;
}

/** Does the plan's steps. A start that failed for a published port says so: PID 1 only tells that something else failed. */
async function applyPlan(context: EngineContext, plan: Plan, launch: Launch): Promise<Applied> {
  const prepared = await applySteps(context, plan.preparation);
  try {
    const commands: Step = {
      kind: 'commands.install',
      arguments: { unit: plan.unit, text: commandDropIn(plan.properties) },
    };
    const started = await applySteps(context, [commands, ...startSteps(context, plan, launch)]);
    return { undo: async () => [...(await started.undo()), ...(await prepared.undo())] };
  } catch (error) {
    const taken = await takenPort(context, plan.id, plan.publish.ports).catch(() => null);
    const failure = await otherFailure(context, plan).catch(() => null);
    await prepared.undo();
    throw taken ?? failure ?? error;
  }
}

/** What else than a published port a start may have failed for. */
async function otherFailure(context: EngineContext, plan: Plan): Promise<SpawnError | null> {
  const home = plan.home.directory === null ? null : await homeFailure(context, plan.id);
  return home ?? (plan.network.veth === null ? null : linkFailure(context, plan.id));
}

/** Starts the unit, with its streams in the journal or at the caller's sockets. */
function startSteps({ paths }: EngineContext, plan: Plan, { attach, callerUid }: Launch): readonly Step[] {
  const directory = streamsDirectory(paths, plan.id);
  const stdio = attach === null ? ({ kind: 'journal' } as const) : ({ kind: 'sockets', directory } as const);
  const properties = [...plan.properties, ...stdioProperties(stdio)];
  const start: Step = { kind: 'unit.start', arguments: { unit: plan.unit, properties } };
  if (attach === null) return [start];
  const from = `${paths.attachDirectory}/${attach}`;
  return [{ kind: 'streams.take', arguments: { token: attach, from, directory, uid: callerUid } }, start];
}

/** The record before anything is known but the request. */
function firstRecord(launch: Launch): AgentRecord {
  return {
    version: 1,
    id: launch.card.agentId,
    origin: 'spawned',
    phase: 'starting',
    card: launch.card,
    cardSource: launch.cardSource,
    arguments: launch.arguments,
    user: { name: '', uid: -1, gid: -1, reason: '' },
    attach: launch.attach,
    callerUid: launch.callerUid,
    startedAtMs: null,
    endedAtMs: null,
    outcome: null,
    usage: null,
    notices: [],
    linkIndex: null,
    ...NO_CARDS,
    ...NO_EGRESS,
  };
}
