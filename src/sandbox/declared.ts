import { SpawnError } from '../base/errors.ts';
import { unitName } from '../base/ids.ts';
import { CARD_BYTES_MAX } from '../base/limits.ts';
import type { Problem } from '../base/result.ts';
import { type ResolvedCard, resolveCard } from '../card/resolve.ts';
import { isSameCard, type WrittenCard } from '../card/same-card.ts';
import type { HostSecrets } from '../host/host.ts';
import { type Plan, unitText } from '../plan/plan.ts';
import type { AgentTable } from '../policy/table.ts';
import { Agent } from './agent.ts';
import { applySteps } from './apply.ts';
import { dropMark } from './autostart.ts';
import { type CardRead, readCards } from './card-files.ts';
import type { CardEffect } from './cards-report.ts';
import { type EngineContext, tolerate } from './context.ts';
import { declareTable, forgetTable } from './declared-egress.ts';
import { withCredentials } from './egress-credentials.ts';
import { dropHomes } from './home.ts';
import { dropKeys } from './key-file.ts';
import { planLaunch } from './launch.ts';
import { type AgentRecord, NO_CARDS, NO_EGRESS, removeRecord, storeRecord } from './record.ts';
import { problemText, renderRefusal } from './refusal.ts';
import { clearAway } from './retire.ts';
import { readPlanSecrets } from './secrets.ts';

/** What became of one card. */
export interface Compiled {
  readonly id: string;
  /** Whether there is a card; false for one that went away. */
  readonly isCard: boolean;
  /** What to tell of it; null for a card that is as it was. */
  readonly effect: CardEffect | null;
  /** PID 1 has not read the unit file yet, as far as we know. */
  readonly isChanged: boolean;
  /** The card that the unit file is made from; null for one that refuses to start. */
  readonly unitCard: WrittenCard | null;
  /** The card asks to be started at boot. */
  readonly autostart: boolean;
  /** It is refused on this host as it is now, perhaps for the sake of another agent. */
  readonly isUnfit: boolean;
  /** The card that was known of this id until now. */
  readonly before: ResolvedCard | null;
}

/** What is said of a card that changes nothing. */
const NOTHING: Omit<Compiled, 'id'> = {
  isCard: true,
  effect: null,
  isChanged: false,
  unitCard: null,
  autostart: false,
  isUnfit: false,
  before: null,
};

/**
 * Keeps one unit file per card of the cards directory, so that `systemctl
 * start sandboxed-agent@<id>` works with nothing of ours in the way. A card
 * that is refused leaves a unit that fails with the reason.
 */
export async function compileCards(context: EngineContext): Promise<readonly Compiled[]> {
  const compiled: Compiled[] = [];
  for await (const read of readCards(context)) {
    const { id } = read;
    try {
      compiled.push(await compileCard(context, read));
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      context.report({ kind: 'ignored-failure', operation: `card ${read.path}`, failure });
      compiled.push({ ...NOTHING, id, effect: { id, did: 'failed', message: failure } });
    }
  }
  return [...compiled, ...(await removeOrphans(context, new Set(compiled.map(({ id }) => id))))];
}

/** Compiles one card; also used before a start, so that the newest facts of the host count. */
export async function compileCard(context: EngineContext, read: CardRead): Promise<Compiled> {
  const { id, path } = read;
  const known = context.registry.find(id);
  if (known?.isLive === true && known.record.origin === 'spawned') {
    known.hidesCard = true;
    const message = 'An agent of this id that was spawned runs; the card waits for its end.';
    return { ...NOTHING, id, effect: { id, did: 'waiting', message } };
  }
  const planned = read.problems.length > 0 || read.card === null ? null : await planDeclared(context, read.card);
  const found = { read, plan: planned?.plan ?? null, problems: planned?.problems ?? read.problems };
  const effect = effectOf(known, found);
  const { plan, problems } = found;
  if (plan === null && known?.isUp === true) return keepRun(context, known, found);
  const header = [`Compiled by agent-spawnd from ${path}; change the card, not this file.`];
  const text =
    plan === null
      ? renderRefusal({ id, path, problems, refusePath: context.paths.refusePath, header })
      : unitText(plan, header);
  const before = known?.record.card ?? null;
  // The rules are a run's: what one that goes on may reach does not change with its card.
  const steps = plan?.preparation.filter(({ kind }) => kind !== 'egress.register') ?? [];
  await applySteps({ ...context, secrets: planned?.secrets ?? context.secrets }, steps);
  if (plan === null || plan.keys === null) await dropKeys(context, id);
  const isWritten = await install(context, id, text);
  const agent = remember(context, found);
  if (agent.record.linkIndex === null) context.links.release(id);
  await declareTable(context, agent, planned?.table ?? null);
  await storeRecord(context.host, context.paths, agent.record);
  if (isWritten) reportCard(context, found);
  const unitCard = plan === null ? null : read.written;
  const isChanged = isWritten || !isSameOrNone(agent.record.unitCard, unitCard);
  const autostart = plan !== null && read.card?.autostart === true;
  return { id, isCard: true, effect, isChanged, unitCard, autostart, isUnfit: isUnfit(found), before };
}

/**
 * A card that is refused while its agent runs changes nothing for the run,
 * whose limits and whose restarts by PID 1 are those of the unit file: it is
 * another one when nothing runs any more.
 */
async function keepRun(context: EngineContext, agent: Agent, found: Found): Promise<Compiled> {
  const { id, path, written } = found.read;
  const { record } = agent;
  if (!agent.isInvalid || record.cardSource.text !== written.text) reportCard(context, found);
  agent.isInvalid = true;
  agent.hidesCard = true;
  agent.nextEgress ??= record.egressTable;
  const notice = `Its card is refused, and its run goes on by the one before: ${problemLine(found)}`;
  agent.record = { ...record, cardSource: { ...written, source: path }, notices: [notice] };
  if (record.linkIndex === null) context.links.release(id);
  await storeRecord(context.host, context.paths, agent.record);
  const message = `Its run goes on by the card before: ${problemLine(found)}`;
  return { ...NOTHING, id, effect: { id, did: 'refused', message }, isUnfit: isUnfit(found) };
}

/** What a card that was read is to those who asked for it. */
function effectOf(known: Agent | null, found: Found): CardEffect | null {
  const { id, written } = found.read;
  if (found.plan === null) return { id, did: 'refused', message: problemLine(found) };
  if (known !== null && !known.isInvalid && isSameCard(known.record.cardSource, written)) return null;
  const runCard = known?.isLive === true ? known.record.runCard : null;
  const isOther = runCard !== null && !isSameCard(runCard, written);
  return { id, did: 'installed', message: isOther ? 'Its run goes on by the card before.' : null };
}

function isUnfit({ plan, read }: Found): boolean {
  return plan === null && read.problems.length === 0;
}

function reportCard(context: EngineContext, { read: { id }, problems }: Found): void {
  const problem = problems[0]?.message;
  context.report(problem === undefined ? { kind: 'card-installed', id } : { kind: 'card-refused', id, problem });
}

function problemLine({ problems }: Found): string {
  return problems[0] === undefined ? '' : problemText(problems[0]);
}

function isSameOrNone(one: WrittenCard | null, other: WrittenCard | null): boolean {
  return one === null || other === null ? one === other : isSameCard(one, other);
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
  readonly read: CardRead;
  /** Null for a card that is refused. */
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
}

/** Enters the card in the registry; a run in progress keeps its phase and times. */
function remember(context: EngineContext, { read, plan, problems }: Found): Agent {
  const { id } = read;
  const present = context.registry.find(id);
  const before = present?.record ?? null;
  const record: AgentRecord = {
    version: 1,
    id,
    origin: 'declared',
    phase: before?.phase === 'started' ? 'started' : 'ended',
    card: read.card ?? before?.card ?? resolveCard({ agent_id: id, workspace: '/nonexistent' }, 'declared'),
    cardSource: { ...read.written, source: read.path },
    unitCard: before?.unitCard ?? NO_CARDS.unitCard,
    runCard: before?.runCard ?? NO_CARDS.runCard,
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
  agent.hidesCard = false;
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
    if (agent?.isUp === true) {
      const message = 'It goes on until it ends.';
      if (await withdraw(context, agent))
        removed.push({ ...NOTHING, id, isCard: false, effect: { id, did: 'removed', message } });
      continue;
    }
    await tolerate(context, `unit file of ${id}`, () =>
      context.host.files.remove(`${context.paths.unitsDirectory}/${name}`),
    );
    await forgetDeclared(context, id);
    context.report({ kind: 'removed', id, reason: 'its card is gone' });
    removed.push({ ...NOTHING, id, isCard: false, isChanged: true, effect: { id, did: 'removed', message: null } });
  }
  return removed;
}

/** A declared agent whose card went away while it runs: it ends in its own time, and leaves nothing then. False when that is known. */
async function withdraw(context: EngineContext, agent: Agent): Promise<boolean> {
  if (agent.isWithdrawn) return false;
  agent.isWithdrawn = true;
  agent.record = { ...agent.record, origin: 'spawned' };
  agent.nextEgress = null;
  await dropMark(context, agent.id);
  context.report({ kind: 'removed', id: agent.id, reason: 'its card is gone, it ends in its own time' });
  return true;
}

/** A declared agent without a card that does not run leaves nothing. */
async function forgetDeclared(context: EngineContext, id: string): Promise<void> {
  await dropMark(context, id);
  const agent = context.registry.find(id);
  if (agent === null) return;
  await forgetTable(context, agent);
  context.registry.drop(id);
  await clearAway(context, agent.record);
  await tolerate(context, `homes of ${id}`, () => dropHomes(context, { id }));
  await tolerate(context, `record of ${id}`, () => removeRecord(context.host, context.paths, id));
}
