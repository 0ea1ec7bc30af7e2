import { unitName } from '../base/ids.ts';
import { SANDBOX_TASKS } from '../base/limits.ts';
import type { UnitUsage } from '../host/host.ts';
import { type PlannedPort, plannedPorts } from '../plan/publish.ts';
import type { EgressSummary } from '../policy/table.ts';
import type { Agent } from '../sandbox/agent.ts';
import { describeOutcome, type Outcome } from '../sandbox/outcome.ts';
import { budgetView, credentialViews } from './credential-views.ts';
import type { AgentView, EgressCountsView, OutcomeView, PublishedPortView, UsageView } from './views.ts';

/** An agent as callers see it; `usage` is what PID 1 says now and `egress` what the proxy says, for one that lives. */
export function agentView(agent: Agent, usage: UnitUsage | null, egress: EgressSummary | null = null): AgentView {
  const { record } = agent;
  const { card } = record;
  return {
    id: record.id,
    unit: unitName(record.id),
    state: agent.state,
    origin: record.origin,
    description: card.description ?? '',
    labels: card.labels,
    command: [...(card.command ?? [card.agent]), ...record.arguments],
    workspace: card.workspace,
    user: record.user.name,
    uid: record.user.uid,
    network: card.network.mode === 'host' ? 'host (not enforced)' : card.network.mode,
    startedAt: time(record.startedAtMs),
    endedAt: time(record.endedAtMs),
    expiresAt: expiry(agent),
    mainPid: agent.isLive && agent.unitState !== null && agent.unitState.mainPid > 0 ? agent.unitState.mainPid : null,
    restarts: agent.unitState?.restarts ?? 0,
    published: publishedView(plannedPorts(card)),
    credentials: credentialViews(card, egress ?? record.egress),
    budget: budgetView(card, egress ?? record.egress),
    usage: usageView(agent, usage),
    outcome: record.outcome === null ? null : outcomeView(record.outcome),
    egress: countsView(egress ?? record.egress),
    notices: record.notices,
  };
}

/** Published ports as callers see them. */
export function publishedView(ports: readonly PlannedPort[]): readonly PublishedPortView[] {
  return ports.map(({ port, listen }) => ({ port, listen }));
}

/** A settled end as callers see it. */
export function outcomeView(outcome: Outcome): OutcomeView {
  return {
    kind: outcome.kind,
    status: 'status' in outcome ? outcome.status : null,
    signal: outcome.kind === 'signalled' ? outcome.signal : null,
    message: describeOutcome(outcome),
  };
}

/** What came of an agent's requests as callers see it. */
export function countsView(summary: EgressSummary | null): EgressCountsView | null {
  if (summary === null) return null;
  const { allowed, refused, bytesSent, bytesReceived, topRefusals } = summary;
  return { allowed, refused, bytesSent, bytesReceived, topRefusals };
}

function usageView(agent: Agent, now: UnitUsage | null): UsageView {
  const { limits } = agent.record.card;
  const final = agent.record.usage;
  return {
    memoryBytes: now?.memoryBytes ?? null,
    memoryPeakBytes: now?.memoryPeakBytes ?? final?.memoryPeakBytes ?? null,
    memoryMaxBytes: limits.memoryMaxBytes,
    tasks: typeof now?.tasks === 'number' ? Math.max(0, now.tasks - SANDBOX_TASKS) : null,
    tasksMax: limits.tasksMax,
    cpuSeconds: now === null || now.cpuNanoseconds === null ? (final?.cpuSeconds ?? null) : now.cpuNanoseconds / 1e9,
    forksRefused: final?.forksRefused ?? null,
  };
}

function expiry(agent: Agent): string | null {
  const { card, startedAtMs } = agent.record;
  if (!agent.isLive || card.ttlSeconds === 0 || startedAtMs === null) return null;
  return time(startedAtMs + card.ttlSeconds * 1000);
}

function time(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
