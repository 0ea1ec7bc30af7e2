import { problemsError, SpawnError } from '../base/errors.ts';
import { unitName } from '../base/ids.ts';
import { parseCard } from '../card/parse.ts';
import { type ResolvedCard, resolveCard } from '../card/resolve.ts';
import type { Host, UnitUsage } from '../host/host.ts';
import type { EgressRule, EgressSummary } from '../policy/table.ts';
import type { Agent } from '../sandbox/agent.ts';
import type { Engine } from '../sandbox/engine.ts';
import { agentView, countsView } from './agent-views.ts';
import { checkAudit } from './audit-check.ts';
import { auditEntries } from './audit-entries.ts';
import type { FitnessGate } from './fitness-gate.ts';
import type { AuditOptions, Caller, CardText, EgressChange, LaunchRequest, Operations } from './operations.ts';
import { OutputCopier } from './output-copier.ts';
import { planView, type ReachView, reachView } from './plan-view.ts';
import type {
  AgentDetail,
  AgentView,
  AuditCheckView,
  AuditEntry,
  CredentialsView,
  EgressView,
  PlanView,
  ReloadView,
  VersionView,
} from './views.ts';

/** The operations of the daemon, on top of the engine. */
export class DaemonOperations implements Operations {
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #version: string;
  readonly #fitness: FitnessGate;
  readonly #copier: OutputCopier;

  constructor(parts: {
    readonly engine: Engine;
    readonly host: Host;
    readonly fitness: FitnessGate;
    readonly version: string;
  }) {
    this.#engine = parts.engine;
    this.#host = parts.host;
    this.#fitness = parts.fitness;
    this.#version = parts.version;
    this.#copier = new OutputCopier(parts.host.journal);
  }

  version(): VersionView {
    return { version: this.#version };
  }

  list(options: { readonly ended: boolean }): readonly AgentView[] {
    return this.#engine.registry
      .all()
      .filter((agent) => options.ended || agent.isLive || agent.record.origin === 'declared')
      .map((agent) => agentView(agent, null));
  }

  async plan(request: LaunchRequest): Promise<PlanView> {
    const card = readCard(request.card);
    return planView(await this.#engine.plan({ card, arguments: request.arguments }), card);
  }

  async launch(request: LaunchRequest, caller: Caller): Promise<AgentView> {
    const launch = {
      card: readCard(request.card),
      cardSource: request.card,
      arguments: request.arguments,
      attach: request.attach,
      callerUid: caller.uid,
    };
    return agentView(await this.#fitness.guard(() => this.#engine.launch(launch)), null);
  }

  async get(id: string): Promise<AgentView> {
    const agent = this.#engine.registry.get(id);
    const [usage, egress] = await Promise.all([this.#usage(agent), this.#summary(agent)]);
    return agentView(agent, usage, egress);
  }

  async inspect(id: string): Promise<AgentDetail> {
    const agent = this.#engine.registry.get(id);
    const { card } = agent.record;
    const plan = await this.#engine.plan({ card, arguments: agent.record.arguments });
    return { ...(await this.get(id)), card, plan: planView(plan, card) };
  }

  async start(id: string, caller: Caller): Promise<AgentView> {
    const agent = this.#engine.registry.find(id);
    if (agent === null || agent.record.origin === 'declared')
      return agentView(await this.#engine.startDeclared(id), null);
    const { cardSource, arguments: extra } = agent.record;
    return this.launch({ card: cardSource, arguments: extra, attach: null }, caller);
  }

  async stop(id: string): Promise<AgentView> {
    return agentView(await this.#engine.stop(id), null);
  }

  async restart(id: string, caller: Caller): Promise<AgentView> {
    const agent = this.#engine.registry.get(id);
    if (agent.record.origin === 'declared') return agentView(await this.#engine.restart(id), null);
    if (agent.isLive && agent.record.attach !== null) {
      throw new SpawnError(
        'sandbox.running',
        `The agent "${id}" runs in the foreground of its caller and cannot be restarted from outside.`,
        {
          remedy: `agentctl stop ${id}, then agentctl start ${id}`,
        },
      );
    }
    await this.#engine.stop(id);
    return this.start(id, caller);
  }

  async wait(id: string, signal: AbortSignal): Promise<AgentView> {
    const agent = this.#engine.registry.get(id);
    await agent.whenEnded(signal);
    return agentView(agent, null);
  }

  remove(id: string): Promise<void> {
    return this.#engine.remove(id);
  }

  async copyOutput(id: string, piece: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> {
    await this.#copier.copy(this.#engine.registry.get(id), piece, stream);
  }

  async audit(id: string, { denied, follow }: AuditOptions): Promise<AsyncIterable<AuditEntry>> {
    await this.#requireAudit(id);
    return auditEntries(this.#host.audit.lines(id, follow), { denied });
  }

  async checkAudit(id: string): Promise<AuditCheckView> {
    await this.#requireAudit(id);
    const agent = this.#engine.registry.find(id);
    const isFinal = agent?.isLive !== true;
    // Asked before the log is read, which may grow meanwhile.
    const summary = agent === null ? null : isFinal ? agent.record.egress : await this.#summary(agent);
    return checkAudit(id, this.#host.audit.lines(id, null), { head: summary?.auditHead ?? null, isFinal });
  }

  async egress(id: string): Promise<EgressView> {
    const agent = this.#engine.registry.get(id);
    const { allow, deny, upstream, upstreamFrom } = agent.isLive
      ? reachView(this.#engine.egressTable(id))
      : await this.#cardRules(agent);
    return {
      agent: id,
      allow,
      deny,
      upstream,
      upstreamFrom,
      counts: countsView((await this.#summary(agent)) ?? agent.record.egress),
    };
  }

  async reloadCredentials(id: string): Promise<CredentialsView> {
    return { agent: id, credentials: await this.#engine.reloadCredentials(id) };
  }

  reload(): Promise<ReloadView> {
    return this.#engine.reload();
  }

  changeEgress(id: string, change: EgressChange): Promise<EgressRule> {
    return this.#engine.changeEgress(id, change);
  }

  /** An audit outlives its agent. Throws `sandbox.not-found` when neither an agent nor an audit has the id. */
  async #requireAudit(id: string): Promise<void> {
    if (this.#engine.registry.find(id) !== null) return;
    for await (const _ of this.#host.audit.lines(id, null)) return;
    this.#engine.registry.get(id);
  }

  /** What an agent that does not run could reach if it did. */
  async #cardRules({ record }: Agent): Promise<ReachView> {
    const plan = await this.#engine.plan({ card: record.card, arguments: record.arguments });
    return reachView(plan.network.egress?.table ?? null);
  }

  /** What the proxy knows of an agent that lives; null when it knows nothing or is not there. */
  async #summary(agent: Agent): Promise<EgressSummary | null> {
    if (!agent.isLive) return null;
    return this.#host.egress.summary(agent.id).catch(() => null);
  }

  #usage(agent: Agent): Promise<UnitUsage | null> {
    return agent.isLive ? this.#host.units.usage(unitName(agent.id)) : Promise.resolve(null);
  }
}

/** A spawned card, or all its problems. */
function readCard(text: CardText): ResolvedCard {
  const parsed = parseCard(Buffer.from(text.text), { format: text.format });
  if (!parsed.ok) throw problemsError(parsed.problems, text.source);
  return resolveCard(parsed.value, 'spawned');
}
