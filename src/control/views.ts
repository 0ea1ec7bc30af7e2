import type { AuditEvent } from '../audit/event.gen.ts';
import type { ProviderName } from '../policy/provider.ts';
import type { EgressRule, RefusalCount } from '../policy/table.ts';
import type { CardEffect } from '../sandbox/cards-report.ts';

/**
 * Shapes that leave the daemon. They carry nothing secret and follow
 * `schema/api.openapi.json`; a test holds the two together.
 */

/** The daemon's version. */
export interface VersionView {
  readonly version: string;
}

/** Why an agent ended. */
export interface OutcomeView {
  readonly kind: 'exited' | 'signalled' | 'ttl' | 'oom' | 'stopped' | 'start-failed' | 'lost';
  /** Exit status of the agent, 0 to 255, for `exited`; 128 + the signal's number for `signalled`. */
  readonly status: number | null;
  /** Signal name such as `SIGKILL`, for `signalled`. */
  readonly signal: string | null;
  /** One sentence for people. */
  readonly message: string;
}

/** One agent, briefly. */
export interface AgentView {
  readonly id: string;
  readonly unit: string;
  /** `invalid`: a declared card that does not validate. */
  readonly state: 'starting' | 'running' | 'stopping' | 'restarting' | 'ended' | 'not-started' | 'invalid';
  /** `spawned` by a caller, or `declared` in the cards directory. */
  readonly origin: 'spawned' | 'declared';
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly workspace: string;
  readonly user: string;
  readonly uid: number;
  readonly network: string;
  /** RFC 3339 times; null when it has not happened. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** When PID 1 will end it, or null for no time limit. */
  readonly expiresAt: string | null;
  readonly mainPid: number | null;
  readonly restarts: number;
  /** Ports of the agent that are reachable from the host while it runs. */
  readonly published: readonly PublishedPortView[];
  /** Keys and tokens that are used on its behalf, or that it has; never their values. */
  readonly credentials: readonly KeyView[];
  /** What it may use of models; null without a bound. */
  readonly budget: BudgetView | null;
  readonly usage: UsageView;
  readonly outcome: OutcomeView | null;
  /** What came of its requests, of an ended agent in its last run; null where the proxy does not tell. */
  readonly egress: EgressCountsView | null;
  /** Sentences a user should see: what the card asks that this host does not give, and similar. */
  readonly notices: readonly string[];
}

/** One port of an agent and where the host listens for it. */
export interface PublishedPortView {
  readonly port: number;
  /** `ADDRESS:PORT`, `[ADDRESS]:PORT`, or the path of a Unix socket. */
  readonly listen: string;
}

/** One key or token of an agent: how the agent comes by its use, and what came of that. */
export interface KeyView {
  readonly provider: ProviderName;
  /** `gateway`: the proxy adds it to requests; `env`: it is in the environment of the agent. */
  readonly delivery: 'gateway' | 'env';
  /** Path of its file, or `credential:NAME`; null for a server that wants none. */
  readonly source: string | null;
  /** URL that the agent uses in place of `leadsTo`; both null when it has the key itself. */
  readonly address: string | null;
  readonly leadsTo: string | null;
  /** Variable of the agent that has the key; null with a gateway. */
  readonly variable: string | null;
  /** What was used, of an ended agent in its last run; null where nobody counts or tells. */
  readonly usage: KeyUsageView | null;
}

/** What was used of one gateway. */
export interface KeyUsageView {
  readonly requests: number;
  /** Those of them that called a model. */
  readonly modelCalls: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Tokens as the provider states them. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Tokens of calls whose answer stated none: a quarter of their bytes. */
  readonly estimatedTokens: number;
}

/** A bound on the use of models, what of it is spent, and what is left; null for no bound, and where the proxy does not tell. */
export interface BudgetView {
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly requestsSpent: number | null;
  readonly tokensSpent: number | null;
  readonly requestsLeft: number | null;
  readonly tokensLeft: number | null;
}

/** Resources, now or at the end; null where the host does not tell. */
export interface UsageView {
  readonly memoryBytes: number | null;
  readonly memoryPeakBytes: number | null;
  readonly memoryMaxBytes: number;
  readonly tasks: number | null;
  readonly tasksMax: number;
  readonly cpuSeconds: number | null;
  /** Times the task limit refused a fork; null when unknown. */
  readonly forksRefused: number | null;
}

/** One agent with everything known about it. */
export interface AgentDetail extends AgentView {
  /** The resolved card as JSON. */
  readonly card: unknown;
  readonly plan: PlanView;
}

/** A plan, for people and machines. */
export interface PlanView {
  readonly id: string;
  readonly unit: string;
  /** The unit as text, exactly what a declared card becomes. */
  readonly unitText: string;
  /** bubblewrap's argument vector. */
  readonly bwrap: readonly string[];
  readonly mounts: readonly MountView[];
  readonly environment: readonly { readonly name: string; readonly value: string; readonly origin: string }[];
  readonly network: {
    readonly mode: string;
    /** False where nothing holds the agent to what its card says about the network. */
    readonly isEnforced: boolean;
    readonly explanation: string;
    /** Null where the network has no way to the proxy. */
    readonly egress: PlanEgressView | null;
  };
  readonly published: readonly PublishedPortView[];
  /** Without their use. */
  readonly credentials: readonly KeyView[];
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly reason: string };
  readonly steps: readonly string[];
  readonly notices: readonly string[];
}

/** One mount of the sandbox. */
export interface MountView {
  readonly kind: string;
  readonly source: string | null;
  readonly destination: string;
  readonly options: string;
}

/** What came of an agent's requests. */
export interface EgressCountsView {
  readonly allowed: number;
  readonly refused: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Most frequent refusals, most frequent first; bounded. */
  readonly topRefusals: readonly RefusalCount[];
}

/** What the cards directory came to when it was read again. */
export interface ReloadView {
  /** What was done, one entry for an agent, ordered by id. A card that is refused is told every time. */
  readonly cards: readonly CardEffect[];
  /** Cards that nothing was done for. */
  readonly unchanged: number;
}

/** What became of the credentials of an agent; never the credentials. */
export interface CredentialsView {
  readonly agent: string;
  readonly credentials: readonly CredentialView[];
}

/** One key or token that was read again. */
export interface CredentialView {
  /** JSON pointer to where the card names its source. */
  readonly pointer: string;
  /** Path of the gateway that uses it, variable of the environment that holds it, or `proxy`. */
  readonly target: string;
  readonly isChanged: boolean;
  /** `now`: from the next request on. `next-start`: the present run keeps what it has. */
  readonly inForce: 'now' | 'next-start';
}

/** What an agent may reach, and what came of it. */
export interface EgressView {
  readonly agent: string;
  /** Rules in order; deny wins, no rule means refused. None are in force for a network mode without the proxy. */
  readonly allow: readonly EgressRule[];
  readonly deny: readonly EgressRule[];
  /** URL of the proxy that everything allowed is handed on to, or null. */
  readonly upstream: string | null;
  /** Where that proxy is named; null without one. */
  readonly upstreamFrom: 'card' | 'config.json' | null;
  readonly counts: EgressCountsView | null;
}

/** What an agent would be able to reach. */
export interface PlanEgressView {
  readonly allow: readonly EgressRule[];
  readonly deny: readonly EgressRule[];
  /** URL of the proxy that everything allowed is handed on to, or null. */
  readonly upstream: string | null;
  /** Where that proxy is named; null without one. */
  readonly upstreamFrom: 'card' | 'config.json' | null;
  /** Whether that proxy is told credentials; never which. */
  readonly hasCredentials: boolean;
  /** Caps; null for none. */
  readonly maxBytes: number | null;
  readonly requestsPerMinute: number | null;
}

/** One entry of an audit: an event, or a line that is none any more. */
export type AuditEntry = AuditEvent | BrokenLine;

/** A line that was changed since it was written. */
export interface BrokenLine {
  readonly kind: 'broken-line';
  /** Name of the file. */
  readonly file: string;
  /** Number of the line, from 1. */
  readonly line: number;
}

/** Whether an audit is as it was written. */
export interface AuditCheckView {
  readonly agent: string;
  readonly isIntact: boolean;
  /** The end of the log is known beside the log, so that a cut tail would show. */
  readonly isConfirmed: boolean;
  /** Events that hold, up to the first line that does not. */
  readonly events: number;
  /** The first line that does not hold. */
  readonly broken: {
    readonly file: string;
    readonly number: number;
    /** Number of the event that should be there, or null when that is not known. */
    readonly sequence: number | null;
    readonly message: string;
  } | null;
  /** One sentence for people. */
  readonly message: string;
}
