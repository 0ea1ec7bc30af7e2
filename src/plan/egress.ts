import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { AllowedHost, DeniedHost, ResolvedCard } from '../card/resolve.ts';
import { DEFAULT_PORTS, parseEntry } from '../policy/pattern.ts';
import { PROVIDERS } from '../policy/provider.ts';
import type { AgentTable, EgressRule, UpstreamProxy } from '../policy/table.ts';
import { type PlannedCredential, planCredentials } from './gateways.ts';

/** What an agent may reach, as the proxy is told. */
export interface EgressPlan {
  /** Without credentials, which no plan holds. */
  readonly table: AgentTable;
  readonly secrets: EgressSecrets;
  readonly notices: readonly string[];
}

/** Where the credentials are that a table needs: absolute paths or `credential:NAME`. */
export interface EgressSecrets {
  /** For the upstream proxy, or null. */
  readonly upstream: string | null;
  /** For the gateways that have a key. */
  readonly gateways: readonly GatewaySecret[];
}

/** Where the key of one gateway is. */
export interface GatewaySecret {
  readonly mount: string;
  readonly source: string;
  /** Of the source, in the card. */
  readonly pointer: string;
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

/**
 * The table of an agent as its card says it, or everything that is wrong with the card's hosts.
 * @param defaultProxy URL of the upstream proxy for a card that names none, or null
 */
export function planEgress(card: ResolvedCard, defaultProxy: string | null): Result<EgressPlan> {
  const credentials = planCredentials(card);
  const allowed = card.allowedHosts?.map((entry, index) => allowRule(entry, `/allowed_hosts/${index}`));
  const allow = allowed ?? impliedRules(card, credentials.ok ? credentials.value : []).map((rule) => ok(rule));
  const deny = card.deniedHosts.map((entry, index) => denyRule(entry, `/denied_hosts/${index}`));
  const problems = [...allow, ...deny, credentials].flatMap((part) => (part.ok ? [] : part.problems));
  if (problems.length > 0 || !credentials.ok) return refused(problems);
  const gateways = credentials.value.flatMap(({ gateway }) => (gateway === null ? [] : [gateway]));
  const table: AgentTable = {
    id: card.agentId,
    policy: { allow: allow.flatMap(accepted), deny: deny.flatMap(accepted) },
    upstream: planUpstream(card, defaultProxy),
    caps: { maxBytes: card.network.maxBytes, requestsPerMinute: card.network.requestsPerMinute },
    gateways,
    budget: card.budget,
  };
  const isSilent = card.allowedHosts === null && table.policy.allow.length === 0 && gateways.length === 0;
  const notice = `No host can be reached: the card has no "allowed_hosts", and "${card.apiProvider}" stands for none.`;
  const secrets = { upstream: card.proxyCredentialsFile, gateways: gatewaySecrets(credentials.value) };
  return ok({ table, secrets, notices: isSilent ? [notice] : [] });
}

function gatewaySecrets(credentials: readonly PlannedCredential[]): readonly GatewaySecret[] {
  return credentials.flatMap(({ credential, gateway }) => {
    const { keyFile, pointer } = credential;
    if (gateway === null || keyFile === null) return [];
    const at = pointer === '/api_key_file' ? pointer : `${pointer}/api_key_file`;
    return [{ mount: gateway.mount, source: keyFile, pointer: at }];
  });
}

/** A table as it may be shown: without credentials. */
export function withoutCredentials(table: AgentTable): AgentTable {
  const { upstream, gateways } = table;
  return {
    ...table,
    upstream: upstream === null ? null : { ...upstream, credentials: null },
    gateways: gateways.map((gateway) => ({ ...gateway, key: null })),
  };
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

/**
 * What an agent reaches whose card names no hosts: the API of its provider, unless a gateway leads there, and those whose
 * keys it holds itself. An API without TLS is the card's to name.
 */
function impliedRules(card: ResolvedCard, credentials: readonly PlannedCredential[]): readonly EgressRule[] {
  const held = credentials.filter(({ variable }) => variable !== null);
  const isGiven = credentials.some(({ credential: { provider } }) => provider === card.apiProvider);
  const hosts = isGiven ? [] : PROVIDER_HOSTS[card.apiProvider];
  return [
    ...hosts.map((host) => tlsRule(host, PROVIDER_PORTS, '/api_provider')),
    ...held.flatMap(({ credential: { provider, baseUrl, pointer } }) => {
      const base = new URL(baseUrl ?? PROVIDERS[provider].baseUrl ?? 'http://127.0.0.1');
      const ports = base.port === '' ? PROVIDER_PORTS : [Number(base.port)];
      return base.protocol === 'https:' ? [tlsRule(base.hostname.replace(/^\[|\]$|\.$/g, ''), ports, pointer)] : [];
    }),
  ];
}

function tlsRule(host: string, ports: readonly number[], pointer: string): EgressRule {
  return { host, ports, methods: null, paths: null, protocol: 'tls', reason: null, pointer };
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

/** A card's own proxy comes first. */
function planUpstream({ proxy }: ResolvedCard, defaultProxy: string | null): UpstreamProxy | null {
  if (proxy !== null) return upstreamProxy(proxy);
  return defaultProxy === null ? null : { ...upstreamProxy(defaultProxy), from: 'config.json' };
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
