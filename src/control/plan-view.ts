import type { ResolvedCard } from '../card/resolve.ts';
import type { EgressPlan } from '../plan/egress.ts';
import type { Mount } from '../plan/mount.ts';
import type { NetworkPlan } from '../plan/network.ts';
import { type Plan, unitText } from '../plan/plan.ts';
import { describeStep } from '../plan/step.ts';
import type { AgentTable, UpstreamProxy } from '../policy/table.ts';
import { publishedView } from './agent-views.ts';
import { credentialViews } from './credential-views.ts';
import type { EgressView, MountView, PlanEgressView, PlanView } from './views.ts';

/** Rules, and the proxy behind them. */
export type ReachView = Pick<EgressView, 'allow' | 'deny' | 'upstream' | 'upstreamFrom'>;

/** The plan of a card for people and machines. */
export function planView(plan: Plan, card: ResolvedCard): PlanView {
  return {
    id: plan.id,
    unit: plan.unit,
    unitText: unitText(plan, []),
    bwrap: plan.bwrap,
    mounts: plan.mounts.map(mountView),
    environment: plan.environment,
    network: networkView(plan.network),
    published: publishedView(plan.publish.ports),
    credentials: credentialViews(card, null),
    user: plan.user,
    steps: [...plan.preparation.map(describeStep), `start ${plan.unit}`],
    notices: plan.notices,
  };
}

function networkView({ mode, isEnforced, explanation, egress }: NetworkPlan): PlanView['network'] {
  return { mode, isEnforced, explanation, egress: egress === null ? null : egressView(egress) };
}

function egressView({ table, secrets }: EgressPlan): PlanEgressView {
  const { caps } = table;
  return {
    ...reachView(table),
    hasCredentials: secrets.upstream !== null,
    maxBytes: caps.maxBytes,
    requestsPerMinute: caps.requestsPerMinute,
  };
}

/** What may be reached by a table, and by way of whom; null is a network without a way out. */
export function reachView(table: AgentTable | null): ReachView {
  if (table === null) return { allow: [], deny: [], upstream: null, upstreamFrom: null };
  const { policy, upstream } = table;
  return {
    allow: policy.allow,
    deny: policy.deny,
    upstream: upstream === null ? null : upstreamUrl(upstream),
    upstreamFrom: upstream === null ? null : (upstream.from ?? 'card'),
  };
}

function upstreamUrl({ scheme, host, port }: UpstreamProxy): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function mountView(mount: Mount): MountView {
  const { kind, destination } = mount;
  switch (kind) {
    case 'bind':
      return { kind, source: mount.source, destination, options: 'rw,nosuid,nodev' };
    case 'ro-bind':
      return { kind, source: mount.source, destination, options: 'ro,nosuid,nodev' };
    case 'tmpfs':
      return { kind, source: null, destination, options: `size=${mount.sizeBytes}` };
    case 'symlink':
      return { kind, source: mount.target, destination, options: '' };
    case 'dir':
    case 'proc':
    case 'dev':
    case 'remount-ro':
      return { kind, source: null, destination, options: '' };
  }
}
