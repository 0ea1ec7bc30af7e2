import { SpawnError } from '../base/errors.ts';
import { unitName } from '../base/ids.ts';
import { CARD_BYTES_MAX } from '../base/limits.ts';
import type { Problem } from '../base/result.ts';
import type { CardFile } from '../card/declared-name.ts';
import { type ResolvedCard, resolveCard } from '../card/resolve.ts';
import { isSameCard } from '../card/same-card.ts';
import type { HostSecrets } from '../host/host.ts';
import { type Plan, unitText } from '../plan/plan.ts';
import type { AgentTable } from '../policy/table.ts';
import { Agent } from './agent.ts';
import { applySteps } from './apply.ts';
import { type CardRead, cardPath, listCardFiles, readCardFile } from './card-files.ts';
import type { CardEffect } from './cards-report.ts';
import { type EngineContext, tolerate } from './context.ts';
import { declareTable, forgetTable } from './declared-egress.ts';
import { withCredentials } from './egress-credentials.ts';
import type { EnginePaths } from './executors.ts';
import { dropHomes } from './home.ts';
import { dropKeys } from './key-file.ts';
import { planLaunch } from './launch.ts';
import { type AgentRecord, NO_EGRESS, removeRecord, storeRecord } from './record.ts';
import { renderRefusal } from './refusal.ts';
import { clearAway } from './retire.ts';
import { readPlanSecrets } from './secrets.ts';

/** What became of one card file. */
export interface Compiled {
  readonly id: string;
  /** Whether there is a card; false for one that went away. */
  readonly isCard: boolean;
  /** What to tell of it; null for a card that is as it was. */
  readonly effect: CardEffect | null;
  /** The unit file differs from the one before. */
  readonly isChanged: boolean;
  /** The card asks to be started at boot. */
  readonly autostart: boolean;
  /** The card that was known of this id until now. */
  readonly before: ResolvedCard | null;
}

/** What is said of a card that changes nothing. */
const NOTHING: Omit<Compiled, 'id'> = { isCard: true, effect: null, isChanged: false, autostart: false, before: null };
const GONE: Omit<Compiled, 'id'> = { ...NOTHING, isCard: false };

/**
 * Keeps one unit file per card of the cards directory, so that `systemctl
 * start sandboxed-agent@<id>` works with nothing of ours in the way. A card
 * that is refused leaves a unit that fails with the reason.
 */
export async function compileCards(context: EngineContext): Promise<readonly Compiled[]> {
  const files = await listCardFiles(context);
  const compiled: Compiled[] = [];
  for (const file of files) {
    try {
      compiled.push(await compileCard(context, file));
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      context.report({ kind: 'ignored-failure', operation: `card ${file.name}`, failure });
      compiled.push({ ...NOTHING, id: file.id, effect: { id: file.id, did: 'failed', message: failure } });
    }
  }
  return [...compiled, ...(await removeOrphans(context, new Set(files.map((file) => file.id))))];
}

/** Compiles one card; also used before a start, so that the newest facts of the host count. */
export async function compileCard(context: EngineContext, file: CardFile): Promise<Compiled> {
  const running = context.registry.find(file.id);
  if (running?.isLive === true && running.record.origin === 'spawned') {
    running.hidesCard = true;
    const message = 'An agent of this id that was spawned runs; the card waits for its end.';
    return { ...NOTHING, id: file.id, effect: { id: file.id, did: 'waiting', message } };
  }
  const path = cardPath(context, file);
  const source = await readCardFile(context, file);
  const planned = source.problems.length > 0 || source.card === null ? null : await planDeclared(context, source.card);
  const problems = planned?.problems ?? source.problems;
  const plan = planned?.plan ?? null;
  const header = [`Compiled by agent-spawnd from ${path}; change the card, not this file.`];
  const text =
    plan === null
      ? renderRefusal({ id: file.id, path, problems, refusePath: context.paths.refusePath, header })
      : unitText(plan, header);
  const known = context.registry.find(file.id);
  const effect = effectOf(known, file, { source, plan, problems });
  const before = known?.record.card ?? null;
  // The rules are a run's: what one that goes on may reach does not change with its card.
  const steps = plan?.preparation.filter(({ kind }) => kind !== 'egress.register') ?? [];
  await applySteps({ ...context, secrets: planned?.secrets ?? context.secrets }, steps);
  if (plan === null || plan.keys === null) await dropKeys(context, file.id);
  const isChanged = await install(context, file.id, text);
  const agent = remember(context, file, { source, plan, problems });
  if (agent.record.linkIndex === null) context.links.release(file.id);
  await declareTable(context, agent, planned?.table ?? null);
  await storeRecord(context.host, context.paths, agent.record);
  if (isChanged) {
    const problem = problems[0]?.message;
    context.report(
      problem === undefined ? { kind: 'card-installed', id: file.id } : { kind: 'card-refused', id: file.id, problem },
    );
  }
  const autostart = plan !== null && source.card?.autostart === true;
  return { id: file.id, isCard: true, effect, isChanged, autostart, before };
}

/** What a card that was read is to those who asked for it. */
function effectOf(known: Agent | null, file: CardFile, { source, plan, problems }: Found): CardEffect | null {
  const { id } = file;
  if (plan === null) return { id, did: 'refused', message: problems[0]?.message ?? null };
  const isKnown = known !== null && !known.isInvalid;
  if (isKnown && isSameCard(known.record.cardSource, { text: source.text, format: file.format })) return null;
  return { id, did: 'installed', message: null };
}

/** What a card comes to on this host. */
interface Planned {
  /** Null for a card that is refused. */
  readonly plan: Plan | null;
  /** With its keys; null for an agent without a way out. */
  readonly table: AgentTable | null;
  /** What was read for the plan. */
  readonly secrets: HostSecrets;
  readonly problems: readonly Problem[];
}

async function planDeclared(context: EngineContext, card: ResolvedCard): Promise<Planned> {
  try {
    context.links.reserve(card);
    const plan = await planLaunch(context, { card, arguments: [] }, await context.reserveUid(card.agentId));
    const { egress } = plan.network;
    const secrets = await readPlanSecrets(context.secrets, plan);
    const table = egress === null ? null : await withCredentials(secrets, egress.table, egress.secrets);
    return { plan, table, secrets, problems: [] };
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    const problems =
      error.problems.length > 0 ? error.problems : [{ code: error.code, pointer: '', message: error.message }];
    return { plan: null, table: null, secrets: context.secrets, problems };
  }
}

/** Writes the unit file when its text changed. */
async function install(context: EngineContext, id: string, text: string): Promise<boolean> {
  const path = `${context.paths.unitsDirectory}/${unitName(id)}`;
  const present = await context.host.files.read(path, 4 * CARD_BYTES_MAX);
  if (present !== null && new TextDecoder().decode(present) === text) return false;
  await applySteps(context, [{ kind: 'unit.install', arguments: { path, text } }]);
  return true;
}

/** What was found out about one card. */
interface Found {
  readonly source: CardRead;
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
}

/** Enters the card in the registry; a run in progress keeps its phase and times. */
function remember(context: EngineContext, file: CardFile, found: Found): Agent {
  const { source, plan, problems } = found;
  const present = context.registry.find(file.id);
  const before = present?.record ?? null;
  const record: AgentRecord = {
    version: 1,
    id: file.id,
    origin: 'declared',
    phase: before?.phase === 'started' ? 'started' : 'ended',
    card: source.card ?? before?.card ?? resolveCard({ agent_id: file.id, workspace: '/nonexistent' }, 'declared'),
    cardSource: { text: source.text, format: file.format, source: `${context.paths.cardsDirectory}/${file.name}` },
    arguments: [],
    user: plan?.user ?? before?.user ?? { name: '', uid: -1, gid: -1, reason: '' },
    attach: null,
    callerUid: 0,
    startedAtMs: before?.startedAtMs ?? null,
    endedAtMs: before?.endedAtMs ?? null,
    outcome: before?.outcome ?? null,
    usage: before?.usage ?? null,
    linkIndex: plan?.network.veth?.index ?? (before?.phase === 'started' ? before.linkIndex : null),
    notices: plan?.notices ?? problems.map((problem) => problem.message),
    invocationId: before?.invocationId ?? NO_EGRESS.invocationId,
    egressTable: before?.egressTable ?? NO_EGRESS.egressTable,
    egress: before?.egress ?? NO_EGRESS.egress,
  };
  const agent = present ?? new Agent(record);
  agent.record = record;
  agent.isInvalid = plan === null;
  agent.isWithdrawn = false;
  if (present === null) context.registry.put(agent);
  return agent;
}

/**
 * Takes away the unit files of cards that are gone. A run in progress keeps its
 * file until it ends: without it, the next reload of PID 1 would take the limits
 * and the time to live from the run.
 */
async function removeOrphans(context: EngineContext, declared: ReadonlySet<string>): Promise<readonly Compiled[]> {
  const removed: Compiled[] = [];
  for (const name of await context.host.files.list(context.paths.unitsDirectory)) {
    const id = /^sandboxed-agent@(.+)\.service$/.exec(name)?.[1];
    if (id === undefined || declared.has(id)) continue;
    const agent = context.registry.find(id);
    if (agent?.isLive === true) {
      const message = 'It goes on until it ends.';
      if (withdraw(context, agent)) removed.push({ ...GONE, id, effect: { id, did: 'removed', message } });
      continue;
    }
    await tolerate(context, `unit file of ${id}`, () =>
      context.host.files.remove(`${context.paths.unitsDirectory}/${name}`),
    );
    await forgetDeclared(context, id);
    context.report({ kind: 'removed', id, reason: 'its card is gone' });
    removed.push({ ...GONE, id, isChanged: true, effect: { id, did: 'removed', message: null } });
  }
  return removed;
}

/** File that says that a declared agent was started without being asked for; gone with its card and with a boot. */
export function autostartMark(paths: EnginePaths, id: string): string {
  return `${paths.recordsDirectory}/${id}.autostarted`;
}

/** A declared agent whose card went away while it runs: it ends in its own time, and leaves nothing then. False when that is known. */
function withdraw(context: EngineContext, agent: Agent): boolean {
  if (agent.isWithdrawn) return false;
  agent.isWithdrawn = true;
  agent.record = { ...agent.record, origin: 'spawned' };
  agent.nextEgress = null;
  context.report({ kind: 'removed', id: agent.id, reason: 'its card is gone, it ends in its own time' });
  return true;
}

/** A declared agent without a card that does not run leaves nothing. */
async function forgetDeclared(context: EngineContext, id: string): Promise<void> {
  await tolerate(context, `autostart of ${id}`, () => context.host.files.remove(autostartMark(context.paths, id)));
  const agent = context.registry.find(id);
  if (agent === null) return;
  await forgetTable(context, agent);
  context.registry.drop(id);
  await clearAway(context, agent.record);
  await tolerate(context, `homes of ${id}`, () => dropHomes(context, { id }));
  await tolerate(context, `record of ${id}`, () => removeRecord(context.host, context.paths, id));
}
