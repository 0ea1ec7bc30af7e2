import { LISTED_AGENT_TASKS } from '../base/limits.ts';
import { cpuWeight, mebibytes } from '../base/quantities.ts';
import type { Card } from './card.gen.ts';
import { CARD_DEFAULTS } from './card-keys.gen.ts';

/** Where a card came from: sent by a caller, or found in the cards directory. */
export type CardOrigin = 'spawned' | 'declared';

/** One port of the agent and what of the host leads to it: `ADDRESS:PORT`, `[ADDRESS]:PORT`, or the absolute path of a Unix socket. */
export interface PublishedPort {
  readonly port: number;
  readonly listen: string;
}

/** One entry of `allowed_hosts`; null where the card does not say. */
export interface AllowedHost {
  /** As the card writes it, a port included. */
  readonly host: string;
  readonly ports: readonly number[] | null;
  readonly methods: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly protocol: 'tls' | 'tcp';
  readonly reason: string | null;
}

/** One entry of `denied_hosts`; null where the card does not say. */
export type DeniedHost = Pick<AllowedHost, 'host' | 'ports' | 'reason'>;

/** One address that an agent with a network device of its own may reach without the proxy. */
export interface DirectConnection {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** A key or token that is used on the agent's behalf; null where the card does not say. */
export interface ResolvedCredential {
  readonly provider: NonNullable<Card['api_provider']> | 'git';
  /** Absolute path or `credential:NAME`; null for a server that wants no key. */
  readonly keyFile: string | null;
  readonly baseUrl: string | null;
  /** `NAME` or `NAME: WORD`. */
  readonly header: string | null;
  readonly username: string | null;
  readonly variable: string | null;
  /** `/credentials/<n>`, or for the short form `/api_key_file` or `/api_provider`. */
  readonly pointer: string;
}

/** Limits of an agent in the kernel's units; null where there is none. */
export interface ResolvedLimits {
  readonly memoryMaxBytes: number;
  readonly memoryHighBytes: number | null;
  /** 1 to 10000, ordinary 100 (cgroup v2 cpu.weight). */
  readonly cpuWeight: number;
  /** Percent of one core. */
  readonly cpuPercent: number | null;
  /** 1 to 10000, ordinary 100 (io.weight). */
  readonly ioWeight: number | null;
  /** Processes and threads of the agent itself. */
  readonly tasksMax: number;
  /** Of each process. */
  readonly openFilesMax: number;
  /** Size of `/tmp`. */
  readonly tmpBytes: number;
}

/** A card with nothing left open. Survives a round trip through JSON: what is absent is null, never undefined. */
export interface ResolvedCard {
  readonly agentId: string;
  readonly workspace: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly agent: NonNullable<Card['agent']>;
  /** Null for the agent's own command. */
  readonly command: readonly string[] | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly apiProvider: NonNullable<Card['api_provider']>;
  /** In the card's order, its short form included. */
  readonly credentials: readonly ResolvedCredential[];
  readonly apiKeyDelivery: NonNullable<Card['api_key_delivery']>;
  readonly budget: { readonly requests: number | null; readonly tokens: number | null };
  /** Null when the card does not say; an empty list allows no host. */
  readonly allowedHosts: readonly AllowedHost[] | null;
  readonly deniedHosts: readonly DeniedHost[];
  /** Upstream proxy, a URL. */
  readonly proxy: string | null;
  readonly proxyCredentialsFile: string | null;
  readonly network: {
    readonly mode: NonNullable<NonNullable<Card['network']>['mode']>;
    readonly publish: readonly PublishedPort[];
    readonly allow: readonly DirectConnection[];
    readonly maxBytes: number | null;
    readonly requestsPerMinute: number | null;
  };
  readonly a2aPort: number | null;
  readonly filesystem: { readonly readOnly: readonly string[]; readonly home: 'private' | 'temporary' | 'workspace' };
  readonly limits: ResolvedLimits;
  /** 0 for no end. */
  readonly ttlSeconds: number;
  readonly stopTimeoutSeconds: number;
  readonly restart: NonNullable<Card['restart']>;
  readonly autostart: boolean;
}

/** Fills in what a card leaves out: the only place that does. The defaults are the schema's. */
export function resolveCard(card: Card, origin: CardOrigin): ResolvedCard {
  return {
    agentId: card.agent_id,
    workspace: card.workspace,
    description: card.description ?? null,
    labels: card.labels ?? CARD_DEFAULTS.labels,
    agent: card.agent ?? CARD_DEFAULTS.agent,
    command: card.command ?? null,
    environment: card.environment ?? CARD_DEFAULTS.environment,
    apiProvider: apiProvider(card),
    credentials: resolveCredentials(card),
    apiKeyDelivery: card.api_key_delivery ?? CARD_DEFAULTS.api_key_delivery,
    budget: { requests: card.budget?.requests ?? null, tokens: card.budget?.tokens ?? null },
    allowedHosts: card.allowed_hosts?.map(allowedHost) ?? null,
    deniedHosts: (card.denied_hosts ?? CARD_DEFAULTS.denied_hosts).map(deniedHost),
    proxy: card.proxy ?? null,
    proxyCredentialsFile: card.proxy_credentials_file ?? null,
    network: resolveNetwork(card.network ?? {}),
    a2aPort: card.a2a_port ?? null,
    filesystem: {
      readOnly: card.filesystem?.read_only ?? CARD_DEFAULTS.filesystem.read_only,
      home: card.filesystem?.home ?? (isPreset(card) ? 'private' : 'temporary'),
    },
    limits: resolveLimits(card.resource_limits ?? {}, isPreset(card)),
    ttlSeconds: card.ttl_seconds ?? CARD_DEFAULTS.ttl_seconds,
    stopTimeoutSeconds: card.stop_timeout_seconds ?? CARD_DEFAULTS.stop_timeout_seconds,
    restart: card.restart ?? (origin === 'declared' ? 'on-failure' : 'no'),
    autostart: card.autostart ?? CARD_DEFAULTS.autostart,
  };
}

/** Whether the card leaves the command to the agent of the list. */
function isPreset({ agent, command }: Card): boolean {
  return command === undefined && (agent ?? CARD_DEFAULTS.agent) !== 'shell';
}

/** The provider that a card means: the one it names, or that of its first key for a model, or the agent's own. */
function apiProvider({ api_provider, api_key_file, credentials = [], agent }: Card): ResolvedCard['apiProvider'] {
  if (api_provider !== undefined) return api_provider;
  const first = credentials.map(({ provider }) => provider).find((provider) => provider !== 'git');
  return api_key_file === undefined && first !== undefined ? first : impliedProvider(agent);
}

/** The provider of an agent whose card says nothing about it. */
export function impliedProvider(agent: unknown): ResolvedCard['apiProvider'] {
  return agent === 'codex' ? 'openai' : agent === 'gemini' ? 'google' : 'anthropic';
}

/** The short form, which ollama needs no key for, and the list. */
function resolveCredentials(card: Card): readonly ResolvedCredential[] {
  const provider = apiProvider(card);
  const list = card.credentials ?? CARD_DEFAULTS.credentials;
  const isNamed = list.some((entry) => entry.provider === provider);
  const rest = { baseUrl: null, header: null, username: null, variable: null };
  const short: ResolvedCredential[] = [];
  if (card.api_key_file !== undefined)
    short.push({ provider, keyFile: card.api_key_file, ...rest, pointer: '/api_key_file' });
  else if (card.api_provider === 'ollama' && !isNamed)
    short.push({ provider, keyFile: null, ...rest, pointer: '/api_provider' });
  return [...short, ...list.map(credential)];
}

function credential(entry: NonNullable<Card['credentials']>[number], index: number): ResolvedCredential {
  return {
    provider: entry.provider,
    keyFile: entry.api_key_file ?? null,
    baseUrl: entry.base_url ?? null,
    header: entry.header ?? null,
    username: entry.username ?? null,
    variable: entry.variable ?? null,
    pointer: `/credentials/${index}`,
  };
}

/** The published port as the card's reader means it: without an address only this machine reaches it. */
export function publishedPort(entry: { readonly port: number; readonly listen?: string }): PublishedPort {
  return { port: entry.port, listen: entry.listen ?? `127.0.0.1:${entry.port}` };
}

function resolveNetwork(network: NonNullable<Card['network']>): ResolvedCard['network'] {
  const defaults = CARD_DEFAULTS.network;
  return {
    mode: network.mode ?? defaults.mode,
    publish: (network.publish ?? defaults.publish).map(publishedPort),
    allow: (network.allow ?? defaults.allow).map(({ address, port, protocol }) => {
      return { address, port, protocol: protocol ?? 'tcp' };
    }),
    maxBytes: network.max_bytes ?? null,
    requestsPerMinute: network.requests_per_minute ?? null,
  };
}

function allowedHost(entry: NonNullable<Card['allowed_hosts']>[number]): AllowedHost {
  const { host, ports, methods, paths, protocol, reason } = typeof entry === 'string' ? { host: entry } : entry;
  return {
    host,
    ports: ports ?? null,
    methods: methods ?? null,
    paths: paths ?? null,
    protocol: protocol ?? 'tls',
    reason: reason ?? null,
  };
}

function deniedHost(entry: NonNullable<Card['denied_hosts']>[number]): DeniedHost {
  const { host, ports, reason } = typeof entry === 'string' ? { host: entry } : entry;
  return { host, ports: ports ?? null, reason: reason ?? null };
}

function resolveLimits(limits: NonNullable<Card['resource_limits']>, isListed: boolean): ResolvedLimits {
  const defaults = CARD_DEFAULTS.resource_limits;
  const tasks = isListed ? LISTED_AGENT_TASKS : defaults.max_processes;
  const high = limits.memory_high_mb;
  return {
    memoryMaxBytes: mebibytes(limits.memory_mb ?? defaults.memory_mb),
    memoryHighBytes: high === undefined ? null : mebibytes(high),
    cpuWeight: cpuWeight(limits.cpu_shares ?? defaults.cpu_shares),
    cpuPercent: limits.cpu_percent ?? null,
    ioWeight: limits.io_weight ?? null,
    tasksMax: limits.max_processes ?? tasks,
    openFilesMax: limits.max_open_files ?? defaults.max_open_files,
    tmpBytes: mebibytes(limits.tmp_mb ?? defaults.tmp_mb),
  };
}
