import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { AllowedHost, DeniedHost, ResolvedCard } from '../card/resolve.ts';
import { DEFAULT_PORTS, parseEntry } from '../policy/pattern.ts';
import type { AgentTable, EgressRule, UpstreamProxy } from '../policy/table.ts';

/** What an agent may reach, as the proxy is told. */
export interface EgressPlan {
  /** Without the credentials of the upstream proxy, which no plan holds. */
  readonly table: AgentTable;
  /** File with the credentials of the upstream proxy, or null. */
  readonly credentialsFile: string | null;
  readonly notices: readonly string[];
}

/** Hosts of each provider's API; those of the last two are the card's to name. */
const PROVIDER_HOSTS: Readonly<Record<ResolvedCard['apiProvider'], readonly string[]>> = {
  anthropic: ['api.anthropic.com'],
  openai: ['api.openai.com'],
  google: ['generativelanguage.googleapis.com'],
  ollama: [],
  custom: [],
};

/** Ports of the rules that stand for the API provider. */
const PROVIDER_PORTS = [443];

/** The table of an agent as its card says it, or everything that is wrong with the card's hosts. */
export function planEgress(card: ResolvedCard): Result<EgressPlan> {
  const allowed = card.allowedHosts?.map((entry, index) => allowRule(entry, `/allowed_hosts/${index}`));
  const allow = allowed ?? PROVIDER_HOSTS[card.apiProvider].map((host) => ok(providerRule(host)));
  const deny = card.deniedHosts.map((entry, index) => denyRule(entry, `/denied_hosts/${index}`));
  const problems = [...allow, ...deny].flatMap((rule) => (rule.ok ? [] : rule.problems));
  if (problems.length > 0) return refused(problems);
  const table: AgentTable = {
    id: card.agentId,
    policy: { allow: allow.flatMap(accepted), deny: deny.flatMap(accepted) },
    upstream: card.proxy === null ? null : upstreamProxy(card.proxy),
    caps: { maxBytes: card.network.maxBytes, requestsPerMinute: card.network.requestsPerMinute },
  };
  const isSilent = card.allowedHosts === null && table.policy.allow.length === 0;
  const notice = `No host can be reached: the card has no "allowed_hosts", and "${card.apiProvider}" stands for none.`;
  return ok({ table, credentialsFile: card.proxyCredentialsFile, notices: isSilent ? [notice] : [] });
}

/** A table as it may be shown: whether there are credentials, and not which. */
export function withoutCredentials(table: AgentTable): AgentTable {
  return { ...table, upstream: table.upstream === null ? null : { ...table.upstream, credentials: null } };
}

function allowRule(entry: AllowedHost, pointer: string): Result<EgressRule> {
  const target = ruleTarget(entry, pointer);
  if (!target.ok) return target;
  const { methods, paths, protocol, reason } = entry;
  const { host, ports } = target.value;
  return ok({ host, ports: ports ?? DEFAULT_PORTS, methods, paths, protocol, pointer, reason });
}

function denyRule(entry: DeniedHost, pointer: string): Result<EgressRule> {
  const target = ruleTarget(entry, pointer);
  if (!target.ok) return target;
  return ok({ ...target.value, methods: null, paths: null, protocol: 'tls', pointer, reason: entry.reason });
}

function providerRule(host: string): EgressRule {
  const rest = { methods: null, paths: null, protocol: 'tls', reason: null } as const;
  return { host, ports: PROVIDER_PORTS, ...rest, pointer: '/api_provider' };
}

/** Host and ports of an entry; a port in the host and a list of ports are one too many. */
function ruleTarget(entry: DeniedHost, pointer: string): Result<Pick<EgressRule, 'host' | 'ports'>> {
  const parsed = parseEntry(entry.host, pointer);
  if (!parsed.ok) return parsed;
  const { host, port } = parsed.value;
  if (port !== null && entry.ports !== null) return refused([portsTwice(entry.host, pointer)]);
  return ok({ host, ports: port === null ? entry.ports : [port] });
}

function portsTwice(host: string, pointer: string): Problem {
  return {
    code: 'card.conflict',
    pointer: `${pointer}/ports`,
    message: `The entry names ports in "host", ${host}, and in "ports".`,
    suggestion: 'Name them in one of the two.',
  };
}

function upstreamProxy(text: string): UpstreamProxy {
  const { protocol, hostname, port } = new URL(text);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const standardPort = scheme === 'https' ? 443 : 80;
  return {
    scheme,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? standardPort : Number(port),
    credentials: null,
  };
}

function accepted(rule: Result<EgressRule>): readonly EgressRule[] {
  return rule.ok ? [rule.value] : [];
}
