import { SpawnError } from '../base/errors.ts';
import { unitName } from '../base/ids.ts';
import { STARTS_AT_ONCE_MAX } from '../base/limits.ts';
import type { Host, UnitState } from '../host/host.ts';
import { withoutCredentials } from '../plan/egress.ts';
import type { Plan } from '../plan/plan.ts';
import { type PublishAddresses, plannedPorts } from '../plan/publish.ts';
import { DEFAULT_VETH_RANGE } from '../plan/veth.ts';
import type { UidRange } from '../plan/workspace.ts';
import type { AgentTable, EgressRule } from '../policy/table.ts';
import type { Agent } from './agent.ts';
import { autostart } from './autostart.ts';
import { readCard } from './card-files.ts';
import { CardRestarts } from './card-restarts.ts';
import { type CardsReading, type CardsReport, type PendingEffect, settledReport } from './cards-report.ts';
import { Coalesced } from './coalesced.ts';
import { type EngineContext, type EngineEvent, tolerate } from './context.ts';
import { type ReloadedCredential, reloadCredentials } from './credential-reload.ts';
import { compileCard, compileCards } from './declared.ts';
import { takeUpNext } from './declared-egress.ts';
import { changeEgress } from './egress-change.ts';
import { EgressTables } from './egress-tables.ts';
import type { EnginePaths } from './executors.ts';
import { dropHomes, homeFailure } from './home.ts';
import { type Launch, launchAgent, planLaunch } from './launch.ts';
import { linkFailure } from './link.ts';
import { LinkTable } from './link-table.ts';
import type { EgressChange } from './live-rules.ts';
import { awaitProgram } from './program-wait.ts';
import { takenPort } from './publish.ts';
import { AGENT_UNITS, agentOfUnit, reconcile } from './reconcile.ts';
import { removeRecord, storeRecord } from './record.ts';
import { cardRefused } from './refusal.ts';
import { Registry } from './registry.ts';
import { settleEnd } from './retire.ts';
import { Turnstile } from './turnstile.ts';
import { UidTable } from './uid-table.ts';
import { forgotten, hasEnded } from './unit-end.ts';
import { haveRead } from './unit-reading.ts';

/** What an engine is made of. */
export interface EngineOptions {
  readonly host: Host;
  readonly paths: EnginePaths;
  readonly uidRange: UidRange;
  /** Addresses of the host that ports may be published on; loopback only when absent. */
  readonly publishAddresses?: readonly PublishAddresses[];
  /** Agents may use the network of the host; not when absent. */
  readonly allowHostNetwork?: boolean;
  /** Upstream proxy, a URL, of agents whose card names none; none when absent. */
  readonly proxy?: string | null;
  /** Range of IPv4 addresses for links of agents; the usual one when absent. */
  readonly vethRange?: string;
  /** A declared agent that runs follows its card at once; when absent, it does at its next start. */
  readonly restartChanged?: boolean;
  /** Told of everything worth a log line. */
  readonly report: (event: EngineEvent) => void;
}

/** Largest stored uid table, bytes: about a hundred per entry. */
const UID_FILE_BYTES_MAX = 16 * 1024 * 1024;

/** All agents of one host: starts, watches, ends and remembers them. */
export class Engine implements AsyncDisposable {
  readonly registry: Registry = new Registry();
  readonly #context: EngineContext;
  readonly #watches: Disposable[] = [];
  readonly #uids: UidTable;
  readonly #uidStore: Coalesced;
  readonly #compilation: Coalesced<CardsReading>;
  readonly #restarts: CardRestarts;
  /** Where readings of the cards are put down for those who asked for one. */
  readonly #listeners = new Set<CardsReading[]>();

  private constructor(options: EngineOptions, uids: UidTable) {
    this.#uids = uids;
    this.#uidStore = new Coalesced(() => options.host.files.write(options.paths.uidsFile, uids.toJson(), 0o600));
    this.#compilation = new Coalesced(() => this.#compileOnce());
    this.#context = {
      host: options.host,
      secrets: options.host.secrets,
      paths: options.paths,
      uidRange: options.uidRange,
      publishAddresses: options.publishAddresses ?? ['loopback'],
      allowHostNetwork: options.allowHostNetwork ?? false,
      proxy: options.proxy ?? null,
      egress: new EgressTables({
        host: options.host,
        report: (failure) =>
          options.report({ kind: 'ignored-failure', operation: 'telling the egress proxy', failure }),
      }),
      restartChanged: options.restartChanged ?? false,
      registry: this.registry,
      links: new LinkTable(options.vethRange ?? DEFAULT_VETH_RANGE),
      starts: new Turnstile(STARTS_AT_ONCE_MAX),
      reserveUid: (id) => this.#reserveUid(id),
      report: options.report,
    };
    this.#restarts = new CardRestarts(this.#context, {
      restart: (agent) => this.#restartActive(agent),
      stop: async ({ id }) => void (await this.stop(id)),
    });
  }

  /** Reads what is remembered, watches PID 1, and makes host and records agree; then the engine may be asked. */
  static async open(options: EngineOptions): Promise<Engine> {
    const stored = await options.host.files.read(options.paths.uidsFile, UID_FILE_BYTES_MAX);
    const text = stored === null ? null : new TextDecoder().decode(stored);
    const engine = new Engine(options, UidTable.parse(text, options.uidRange));
    const context = engine.#context;
    engine.#watches.push(
      options.host.units.watch({
        changed: (unit, state) => engine.#unitChanged(unit, state),
        lost: () => void engine.#resynchronise(),
      }),
    );
    await reconcile(context);
    await engine.compileDeclared();
    const compile = (): void => void engine.compileDeclared();
    engine.#watches.push(options.host.files.watch(options.paths.cardsDirectory, compile));
    engine.#watches.push(options.host.watchFacts(compile));
    return engine;
  }

  /** Starts an agent; resolves once its program runs. */
  async launch(launch: Launch): Promise<Agent> {
    const agent = await launchAgent(this.#context, launch);
    this.#context.report({ kind: 'started', id: agent.id, uid: agent.record.user.uid, origin: 'spawned' });
    // Signals that came while it was starting were for a run nobody knew yet.
    void this.#refresh(agent);
    return agent;
  }

  /** The plan of a start, changing nothing. */
  plan(launch: Pick<Launch, 'card' | 'arguments'>): Promise<Plan> {
    return planLaunch(
      this.#context,
      launch,
      this.#uids.peek(launch.card.agentId, (id) => this.#isInUse(id)),
    );
  }

  /** Starts a declared agent by its newest card. */
  async startDeclared(id: string): Promise<Agent> {
    if (!(await this.#recompile(id))) this.registry.get(id);
    await this.#job(id, 'start', () => this.#context.host.units.start(unitName(id)));
    const agent = this.registry.get(id);
    await this.#refresh(agent);
    return agent;
  }

  /** Stops an agent; resolves once nothing of it runs. */
  async stop(id: string): Promise<Agent> {
    const agent = this.registry.get(id);
    await agent.starting;
    await awaitProgram(this.#context, agent);
    if (!agent.isLive) return agent;
    agent.stopRequested = true;
    const job = this.#context.host.units.stop(unitName(id));
    await Promise.race([agent.whenEnded(), job.then(() => this.#refresh(agent))]);
    await agent.whenEnded();
    return agent;
  }

  /** Stops and starts the unit in one job, as `systemctl restart` does. */
  async restart(id: string): Promise<Agent> {
    const agent = this.registry.get(id);
    if (agent.record.origin === 'declared') await this.#recompile(id);
    if (agent.isInvalid && agent.isLive) throw cardRefused(agent.record);
    await awaitProgram(this.#context, agent);
    // PID 1 tells of the new run only when it runs; what it may reach is settled before.
    if (agent.record.origin === 'declared' && !agent.isInvalid) await takeUpNext(this.#context, agent);
    await this.#job(id, 'restart', () => this.#context.host.units.restart(unitName(id)));
    await this.#refresh(agent);
    return agent;
  }

  /** Restarts an agent that is active by its newest card; false when PID 1 takes longer than we wait. */
  async #restartActive(agent: Agent): Promise<boolean> {
    const { id } = agent;
    await awaitProgram(this.#context, agent);
    await takeUpNext(this.#context, agent);
    // Starts that somebody wrote a card for do not count among those of an agent that fails again and again.
    await tolerate(this.#context, `starts of ${id}`, () => this.#context.host.units.resetFailed(unitName(id)));
    let isDone = true;
    await this.#job(id, 'restart', async () => {
      const result = await this.#context.host.units.tryRestart(unitName(id));
      isDone = result !== 'timeout';
      return isDone ? result : 'done';
    });
    await this.#refresh(agent);
    return isDone;
  }

  /** Changes what a running agent may reach; the rule in force goes with the agent. */
  changeEgress(id: string, change: EgressChange): Promise<EgressRule> {
    return changeEgress(this.#context, this.registry.get(id), change);
  }

  /**
   * Reads the credentials of an agent again and puts them in force. A declared
   * agent whose card was refused, perhaps for a key, gets another try.
   */
  async reloadCredentials(id: string): Promise<readonly ReloadedCredential[]> {
    const agent = this.registry.get(id);
    if (agent.isInvalid) await this.#recompile(id);
    if (agent.isInvalid) throw cardRefused(agent.record);
    return reloadCredentials(this.#context, agent);
  }

  /** What an agent may reach: in its present run, or in the next one of a declared agent at rest. Null without a way out. */
  egressTable(id: string): AgentTable | null {
    const { record } = this.registry.get(id);
    const table = this.#context.egress.find(id) ?? record.egressTable;
    return table === null ? null : withoutCredentials(table);
  }

  /** Forgets an ended agent that no card declares. */
  async remove(id: string): Promise<void> {
    const agent = this.registry.get(id);
    if (agent.isLive) {
      throw new SpawnError('sandbox.running', `The agent "${id}" is running.`, { remedy: `agentctl stop ${id}` });
    }
    if (agent.record.origin === 'declared') {
      throw new SpawnError('sandbox.declared', `The agent "${id}" is declared by ${agent.record.cardSource.source}.`, {
        remedy: 'Remove that file.',
      });
    }
    this.registry.drop(id);
    await dropHomes(this.#context, { id });
    await removeRecord(this.#context.host, this.#context.paths, id);
  }

  /** Compiles the cards directory again; a failure is reported and no more. */
  compileDeclared(): Promise<void> {
    return tolerate(this.#context, 'cards directory', () => this.#compilation.request());
  }

  /** Compiles the cards directory again and says what that came to. */
  async reload(): Promise<CardsReport> {
    // One that is under way may have seen already what the caller did before it asked.
    const readings: CardsReading[] = [];
    this.#listeners.add(readings);
    try {
      await this.#compilation.request();
      return await settledReport(this.#context, readings);
    } finally {
      this.#listeners.delete(readings);
    }
  }

  /** Stops watching. Agents go on: they are PID 1's. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const watch of this.#watches.splice(0)) watch[Symbol.dispose]();
    await this.#compilation.settled();
    this.#context.egress[Symbol.dispose]();
  }

  async #compileOnce(): Promise<CardsReading> {
    const context = this.#context;
    const compiled = await compileCards(context);
    await haveRead(this.#context, compiled);
    // All tables are known by now: those of agents that run come from their records.
    await context.egress.open();
    for (const agent of this.registry.all()) {
      if (agent.record.origin === 'declared' || agent.isWithdrawn) await this.#refresh(agent);
    }
    const effects = compiled.flatMap(({ effect }) => effect ?? []);
    for (const one of compiled) {
      if (one.autostart) effects.push(...(await autostart(context, one.id, () => this.startDeclared(one.id))));
    }
    const ids = compiled.filter(({ isCard }) => isCard).map(({ id }) => id);
    const pending = this.#restarts.begin();
    const isProgress = pending.length > 0 || effects.some(({ did }) => did === 'installed' || did === 'removed');
    const mayMend = isProgress && compiled.some(({ isUnfit }) => isUnfit);
    const reading = { effects, ids, pending, next: mayMend ? this.#readAgain(pending) : null };
    for (const readings of this.#listeners) readings.push(reading);
    return reading;
  }

  /** Reads the cards once more when what is under way is done. */
  async #readAgain(pending: readonly PendingEffect[]): Promise<CardsReading | null> {
    await Promise.all(pending.map(({ effect }) => effect));
    return this.#compilation.request().catch(() => null);
  }

  /** Takes in the newest card of an id; false when the cards directory has none. */
  async #recompile(id: string): Promise<boolean> {
    const read = await readCard(this.#context, id);
    if (read !== null) await haveRead(this.#context, [await compileCard(this.#context, read)]);
    return read !== null;
  }

  /** Runs a job of PID 1 and turns a bad end into an error that says where to look. */
  async #job(id: string, verb: string, job: () => Promise<string>): Promise<void> {
    const result = await job();
    if (result === 'done') return;
    const agent = this.registry.find(id);
    const taken = agent === null ? null : await takenPort(this.#context, id, plannedPorts(agent.record.card));
    const reason = taken ?? (await homeFailure(this.#context, id)) ?? (await linkFailure(this.#context, id));
    if (reason !== null) throw reason;
    const notice = agent?.record.notices[0];
    throw new SpawnError(
      'sandbox.start-failed',
      `The ${verb} job of ${unitName(id)} ended with "${result}"${notice === undefined ? '' : `: ${notice}`}`,
      {
        remedy: `systemctl status ${unitName(id)}`,
      },
    );
  }

  /** Asks PID 1 for the state of an agent's unit and takes it in. */
  async #refresh(agent: Agent): Promise<void> {
    await tolerate(this.#context, `state of ${agent.id}`, async () => {
      this.#unitChanged(unitName(agent.id), await this.#context.host.units.state(unitName(agent.id)));
    });
  }

  #unitChanged(unit: string, state: UnitState | null): void {
    const agent = agentOfUnit(this.#context, unit);
    if (agent === null || agent.record.phase === 'starting') return;
    // PID 1 may forget a unit without a last word: it is not what it was before that.
    agent.unitState = state ?? forgotten(agent.unitState);
    if (agent.isLive && hasEnded(state)) void this.#settle(agent);
    else if (state?.activeState === 'active') this.#runs(agent, state);
  }

  async #settle(agent: Agent): Promise<void> {
    if (await this.#comesBack(agent)) return;
    await settleEnd(this.#context, agent);
    if (!agent.hidesCard || agent.isLive) return;
    agent.hidesCard = false;
    await this.compileDeclared();
  }

  /** PID 1 calls a unit failed for a moment before it waits to start it again; asked, it tells which of the two it is. */
  async #comesBack(agent: Agent): Promise<boolean> {
    if (agent.record.card.restart === 'no') return false;
    const state = await this.#context.host.units.state(unitName(agent.id)).catch(() => agent.unitState);
    if (state !== null) agent.unitState = state;
    if (hasEnded(state)) return false;
    if (agent.isWithdrawn && state?.subState === 'auto-restart') {
      await tolerate(this.#context, `stop ${agent.id}`, () => this.#context.host.units.stop(unitName(agent.id)));
      return false;
    }
    return true;
  }

  /** A run that is new to us: a declared agent that anyone started, or one that systemd started again. */
  #runs(agent: Agent, state: UnitState): void {
    if (agent.invocationId === state.invocationId) return;
    const isDeclared = agent.record.origin === 'declared' || agent.isWithdrawn;
    const runCard = isDeclared ? agent.cardOfRun(state.invocationId) : null;
    // What a unit does whose card is refused is no run.
    if (isDeclared && runCard === null) return;
    const isFirst = agent.isLive && agent.invocationId === '';
    agent.invocationId = state.invocationId;
    if (isFirst || (!agent.isLive && !isDeclared)) return;
    const startedAtMs = state.activeSinceMs > 0 ? state.activeSinceMs : this.#context.host.clock.now();
    const { invocationId } = agent;
    const fresh = { startedAtMs, endedAtMs: null, outcome: null, usage: null, egress: null, invocationId, runCard };
    agent.record = { ...agent.record, phase: 'started', ...fresh };
    this.#context.report({ kind: 'started', id: agent.id, uid: agent.record.user.uid, origin: agent.record.origin });
    void tolerate(this.#context, `record of ${agent.id}`, async () => {
      if (agent.record.origin === 'declared') await takeUpNext(this.#context, agent);
      await storeRecord(this.#context.host, this.#context.paths, agent.record);
    });
    // One that began before PID 1 read its newest card.
    if (agent.begun?.invocationId === invocationId) this.#restarts.begin();
  }

  /** After the bus was lost, what PID 1 says now is what counts. */
  async #resynchronise(): Promise<void> {
    await tolerate(this.#context, 'states after a lost bus', async () => {
      const states = new Map((await this.#context.host.units.list(AGENT_UNITS)).map((state) => [state.unit, state]));
      for (const agent of this.registry.all())
        this.#unitChanged(unitName(agent.id), states.get(unitName(agent.id)) ?? null);
    });
  }

  async #reserveUid(id: string): Promise<number> {
    const { uid, isNew } = this.#uids.reserve(id, (other) => this.#isInUse(other));
    if (isNew) await this.#uidStore.request();
    return uid;
  }

  #isInUse(id: string): boolean {
    const agent = this.registry.find(id);
    return agent !== null && (agent.isLive || agent.record.origin === 'declared');
  }
}
