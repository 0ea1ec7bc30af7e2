// Generated from schema/api.openapi.json by `npm run generate`. Changes here are lost.

/**
 * Name of an agent on this host.
 */
export type AgentId = string;
/**
 * RFC 3339, UTC, with milliseconds.
 */
export type Time = string;
export type AgentList = readonly AgentView[];
/**
 * One agent with everything known about it.
 */
export type AgentDetail = AgentView & {
  /**
   * The resolved card as JSON.
   */
  readonly card: unknown;
  readonly plan: PlanView;
};
/**
 * One entry of an audit: an event, or a line that is none any more.
 */
export type AuditEntry = AuditEvent | BrokenLine;
/**
 * One line of an agent's audit, /var/log/agent-egress/ID/audit.jsonl: what became of each of its requests. Lines form a chain: each holds the hash of the one before, so that a line that was changed, cut, moved or put in shows (`agentctl audit verify ID`). Never in an event: the query of a path, a header, a body, a key.
 */
export type AuditEvent =
  | OpenedEvent
  | DecisionEvent
  | TunnelClosedEvent
  | ModelCallEvent
  | ModelTotalsEvent
  | RepeatedEvent
  | RulesChangedEvent
  | RecoveredEvent
  | RotatedEvent
  | ClosedEvent;
/**
 * One line of the stream of an audit.
 */
export type AuditMessage = AuditEntry | AuditFailure;
/**
 * Stable error code, `area.kind`.
 */
export type Code = string;
/**
 * One line of the stream of an attached agent.
 */
export type AgentEvent = StartedEvent | EndedEvent | FailedEvent;

export interface VersionView {
  readonly version: string;
}
/**
 * A card as text, never a path: the daemon opens nothing on a caller's behalf.
 */
export interface CardText {
  readonly text: string;
  readonly format: 'json' | 'toml';
  /**
   * What messages call it: a path, or `standard input`. Never opened.
   */
  readonly source: string;
}
export interface LaunchRequest {
  readonly card: CardText;
  /**
   * Appended to the agent's command.
   */
  readonly arguments: readonly string[];
  /**
   * Name of a directory beside the API socket, in `attach/`, with the listening sockets `stdin.sock`, `stdout.sock` and `stderr.sock`; null for a detached agent, whose output goes to the journal.
   */
  readonly attach: string | null;
}
/**
 * Why an agent ended.
 */
export interface OutcomeView {
  readonly kind: 'exited' | 'signalled' | 'ttl' | 'oom' | 'stopped' | 'start-failed' | 'lost';
  /**
   * Exit status of the agent; 128 + the signal's number for `signalled`; null for other kinds.
   */
  readonly status: number | null;
  /**
   * Signal name such as `SIGKILL`, for `signalled`.
   */
  readonly signal: string | null;
  /**
   * One sentence for people.
   */
  readonly message: string;
}
/**
 * Resources, now or at the end; null where the host does not tell.
 */
export interface UsageView {
  readonly memoryBytes: number | null;
  readonly memoryPeakBytes: number | null;
  readonly memoryMaxBytes: number;
  readonly tasks: number | null;
  readonly tasksMax: number;
  readonly cpuSeconds: number | null;
  /**
   * Times the task limit refused a fork; null when unknown.
   */
  readonly forksRefused: number | null;
}
/**
 * One key or token of an agent: how the agent comes by its use, and what came of that.
 */
export interface KeyView {
  readonly provider: 'anthropic' | 'openai' | 'google' | 'ollama' | 'custom' | 'git';
  /**
   * `gateway`: the proxy adds it to requests; `env`: it is in the environment of the agent.
   */
  readonly delivery: 'gateway' | 'env';
  /**
   * Path of its file, or `credential:NAME`; null for a server that wants none.
   */
  readonly source: string | null;
  /**
   * URL that the agent uses in place of `leadsTo`; both null when it has the key itself.
   */
  readonly address: string | null;
  /**
   * Base URL of the API, or of the git server.
   */
  readonly leadsTo: string | null;
  /**
   * Variable of the agent that has the key; null with a gateway.
   */
  readonly variable: string | null;
  /**
   * What was used, of an ended agent in its last run; null where nobody counts or tells.
   */
  readonly usage: KeyUsageView | null;
}
/**
 * What was used of one gateway.
 */
export interface KeyUsageView {
  readonly requests: number;
  /**
   * Those of them that called a model.
   */
  readonly modelCalls: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /**
   * Tokens read, as the provider states them.
   */
  readonly inputTokens: number;
  /**
   * Tokens written, as the provider states them.
   */
  readonly outputTokens: number;
  /**
   * Tokens of calls whose answer stated none: a quarter of their bytes.
   */
  readonly estimatedTokens: number;
}
/**
 * A bound on the use of models, what of it is spent, and what is left; null for no bound, and where the proxy does not tell.
 */
export interface BudgetView {
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly requestsSpent: number | null;
  readonly tokensSpent: number | null;
  readonly requestsLeft: number | null;
  readonly tokensLeft: number | null;
}
/**
 * One port of an agent and where the host listens for it.
 */
export interface PublishedPortView {
  /**
   * TCP port that the agent listens on.
   */
  readonly port: number;
  /**
   * ADDRESS:PORT, [ADDRESS]:PORT, or the path of a Unix socket.
   */
  readonly listen: string;
}
/**
 * One agent, briefly.
 */
export interface AgentView {
  readonly id: AgentId;
  /**
   * Name of its systemd unit.
   */
  readonly unit: string;
  /**
   * `invalid`: a declared card that does not validate.
   */
  readonly state: 'starting' | 'running' | 'stopping' | 'restarting' | 'ended' | 'not-started' | 'invalid';
  /**
   * `spawned` by a caller, or `declared` in the cards directory.
   */
  readonly origin: 'spawned' | 'declared';
  readonly description: string;
  readonly labels: {
    readonly [k: string]: string;
  };
  readonly command: readonly string[];
  readonly workspace: string;
  readonly user: string;
  readonly uid: number;
  /**
   * Network mode of the card; `host (not enforced)` where nothing holds the agent to it.
   */
  readonly network: string;
  readonly startedAt: Time | null;
  readonly endedAt: Time | null;
  /**
   * When PID 1 will end it; null for no time limit.
   */
  readonly expiresAt: Time | null;
  readonly mainPid: number | null;
  /**
   * Restarts that systemd made on its own.
   */
  readonly restarts: number;
  /**
   * Ports of the agent that are reachable from the host while it runs.
   */
  readonly published: readonly PublishedPortView[];
  /**
   * Keys and tokens that are used on its behalf, or that it has; never their values.
   */
  readonly credentials: readonly KeyView[];
  /**
   * What it may use of models; null without a bound.
   */
  readonly budget: BudgetView | null;
  readonly usage: UsageView;
  readonly outcome: OutcomeView | null;
  /**
   * What came of its requests, of an ended agent in its last run; null where the proxy does not tell.
   */
  readonly egress: EgressCountsView | null;
  /**
   * Sentences a user should see: what the card asks that this host does not give, and similar.
   */
  readonly notices: readonly string[];
}
/**
 * What came of an agent's requests.
 */
export interface EgressCountsView {
  readonly allowed: number;
  readonly refused: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /**
   * Most frequent refusals, most frequent first; bounded.
   */
  readonly topRefusals: readonly RefusalCount[];
}
/**
 * How often one host was refused for one reason.
 */
export interface RefusalCount {
  readonly host: string;
  readonly port: number;
  /**
   * Stable code, `egress.kind`.
   */
  readonly reason: string;
  readonly count: number;
}
/**
 * A plan, for people and machines.
 */
export interface PlanView {
  readonly id: AgentId;
  readonly unit: string;
  /**
   * The unit as text, exactly what a declared card becomes.
   */
  readonly unitText: string;
  /**
   * bubblewrap's argument vector.
   */
  readonly bwrap: readonly string[];
  readonly mounts: readonly MountView[];
  readonly environment: readonly VariableView[];
  readonly network: {
    readonly mode: string;
    /**
     * False where nothing holds the agent to what its card says about the network.
     */
    readonly isEnforced: boolean;
    readonly explanation: string;
    /**
     * Null where the network has no way to the proxy.
     */
    readonly egress: PlanEgressView | null;
  };
  readonly published: readonly PublishedPortView[];
  /**
   * Without their use.
   */
  readonly credentials: readonly KeyView[];
  readonly user: {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly reason: string;
  };
  /**
   * What a start does, in order.
   */
  readonly steps: readonly string[];
  readonly notices: readonly string[];
}
/**
 * One mount of the sandbox.
 */
export interface MountView {
  readonly kind: string;
  readonly source: string | null;
  readonly destination: string;
  readonly options: string;
}
/**
 * One variable of the agent's environment.
 */
export interface VariableView {
  readonly name: string;
  readonly value: string;
  /**
   * Where it comes from: the card, the launcher, a preset.
   */
  readonly origin: string;
}
/**
 * What an agent would be able to reach.
 */
export interface PlanEgressView {
  readonly allow: readonly EgressRule[];
  readonly deny: readonly EgressRule[];
  /**
   * URL of the proxy that everything allowed is handed on to.
   */
  readonly upstream: string | null;
  /**
   * Where that proxy is named: the card, or the configuration of the daemon.
   */
  readonly upstreamFrom: 'card' | 'config.json' | null;
  /**
   * Whether that proxy is told credentials; never which.
   */
  readonly hasCredentials: boolean;
  readonly maxBytes: number | null;
  readonly requestsPerMinute: number | null;
}
/**
 * One rule about what an agent may reach.
 */
export interface EgressRule {
  /**
   * `name`, `*.name`, `*` for any public address, an IP literal or a range.
   */
  readonly host: string;
  /**
   * TCP ports; null for every port.
   */
  readonly ports: readonly number[] | null;
  /**
   * HTTP methods; null for all.
   */
  readonly methods: readonly string[] | null;
  /**
   * Path prefixes; null for all.
   */
  readonly paths: readonly string[] | null;
  /**
   * `tcp`: a tunnel may carry anything.
   */
  readonly protocol: 'tls' | 'tcp';
  /**
   * Where it stands: JSON pointer into the card, or below `/live` for a change at run time.
   */
  readonly pointer: string;
  /**
   * The author's reason.
   */
  readonly reason: string | null;
}
/**
 * What an agent may reach, and what came of it.
 */
export interface EgressView {
  readonly agent: AgentId;
  /**
   * Rules in order; deny wins, no rule means refused. None are in force for a network mode without the proxy.
   */
  readonly allow: readonly EgressRule[];
  readonly deny: readonly EgressRule[];
  /**
   * URL of the proxy that everything allowed is handed on to.
   */
  readonly upstream: string | null;
  /**
   * Where that proxy is named: the card, or the configuration of the daemon.
   */
  readonly upstreamFrom: 'card' | 'config.json' | null;
  readonly counts: EgressCountsView | null;
}
/**
 * What the cards directory came to when it was read again.
 */
export interface ReloadView {
  /**
   * What was done, one entry for an agent, ordered by id. A card that is refused is told every time.
   */
  readonly cards: readonly CardEffectView[];
  /**
   * Cards that nothing was done for.
   */
  readonly unchanged: number;
}
/**
 * What was done for the card of one agent.
 */
export interface CardEffectView {
  /**
   * The id of the agent.
   */
  readonly id: string;
  /**
   * `installed`: the card counts from the next start on. `refused`: it cannot be used. `removed`: there is none any more. `started`, `restarted`, `stopped`: the agent was, for its card. `waiting`: something is still under way. `failed`: what should be done was not.
   */
  readonly did: 'installed' | 'refused' | 'removed' | 'started' | 'restarted' | 'stopped' | 'waiting' | 'failed';
  /**
   * One sentence: the first problem, the cause, what is still to come; null where there is nothing to add.
   */
  readonly message: string | null;
}
/**
 * What became of the credentials of an agent; never the credentials.
 */
export interface CredentialsView {
  readonly agent: AgentId;
  readonly credentials: readonly CredentialView[];
}
/**
 * One key or token that was read again.
 */
export interface CredentialView {
  /**
   * JSON pointer to where the card names its source.
   */
  readonly pointer: string;
  /**
   * Path of the gateway that uses it, variable of the environment that holds it, or `proxy`.
   */
  readonly target: string;
  /**
   * Whether it is another one than before.
   */
  readonly isChanged: boolean;
  /**
   * `now`: from the next request on. `next-start`: the present run keeps what it has.
   */
  readonly inForce: 'now' | 'next-start';
}
/**
 * A rule that is added to a running agent's and goes with it.
 */
export interface EgressChange {
  readonly action: 'allow' | 'deny';
  /**
   * As in `allowed_hosts`: a name, `*.name`, an address or a range, each with an optional port.
   */
  readonly host: string;
}
/**
 * The rules of the agent were installed; from here its requests are answered.
 */
export interface OpenedEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'opened';
  /**
   * Number of rules that allow.
   */
  readonly allowRules: number;
  /**
   * Number of rules that deny.
   */
  readonly denyRules: number;
  /**
   * SHA-256 of the rules as JSON, to tell one set from another.
   */
  readonly policy: string;
  /**
   * `host:port` of the proxy that everything allowed is handed to, or null.
   */
  readonly upstream: string | null;
  /**
   * Where that proxy is named; absent for the card, or without a proxy.
   */
  readonly upstreamFrom?: 'config.json';
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * A request was allowed or refused. Written before the request goes on.
 */
export interface DecisionEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'decision';
  /**
   * What was decided.
   */
  readonly verdict: 'allow' | 'deny';
  /**
   * Stable code of the reason.
   */
  readonly reason: string;
  /**
   * JSON pointer of the rule that decided: into the card, or below `/live` for a change at run time; null when no rule did.
   */
  readonly rule: string | null;
  /**
   * `tunnel` for CONNECT, `http` for a request whose method and path are visible, `gateway` for one to an API that the proxy adds a key to (host, port and path are the API's), null for one that could not be read.
   */
  readonly form: 'tunnel' | 'http' | 'gateway' | null;
  /**
   * HTTP method, or null when it could not be read. What is no plain word is escaped and cut like a host.
   */
  readonly method: string | null;
  /**
   * Where the request wanted to go: a plain name, or an address without brackets. What is neither stands in double quotes, escaped and cut; a user name before it is left out. Null when it could not be read.
   */
  readonly host: string | null;
  /**
   * Port of the destination, or null when it could not be read.
   */
  readonly port: number | null;
  /**
   * The path as it was judged, without query, cut at a bound; null for a tunnel.
   */
  readonly path: string | null;
  /**
   * The address that is dialled, or null when none is.
   */
  readonly address: string | null;
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * A tunnel that had been allowed has ended.
 */
export interface TunnelClosedEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'tunnel-closed';
  /**
   * Where the tunnel went.
   */
  readonly host: string;
  /**
   * Port of the destination.
   */
  readonly port: number;
  /**
   * The address that was dialled; null when an upstream proxy was.
   */
  readonly address: string | null;
  /**
   * Bytes from the agent.
   */
  readonly bytesSent: number;
  /**
   * Bytes to the agent.
   */
  readonly bytesReceived: number;
  /**
   * Time the tunnel was open, milliseconds.
   */
  readonly durationMs: number;
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * A request through a gateway is over. Only what was passed on has one.
 */
export interface ModelCallEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'model-call';
  /**
   * How paths at the proxy begin that lead there.
   */
  readonly mount: string;
  /**
   * Whose API it is.
   */
  readonly provider: 'anthropic' | 'openai' | 'google' | 'ollama' | 'custom' | 'git';
  /**
   * Status of the answer; 0 when there was none.
   */
  readonly status: number;
  /**
   * Bytes to the API.
   */
  readonly bytesSent: number;
  /**
   * Bytes from it.
   */
  readonly bytesReceived: number;
  /**
   * Tokens that the model read, as the answer states them, also from its caches.
   */
  readonly inputTokens: number;
  /**
   * Tokens that it wrote, as the answer states them.
   */
  readonly outputTokens: number;
  /**
   * A quarter of the bytes, where the answer of a model states no tokens; else 0.
   */
  readonly estimatedTokens: number;
  /**
   * Whether the tokens are estimated.
   */
  readonly isEstimated: boolean;
  /**
   * All of this gateway until here, this request included.
   */
  readonly totals: {
    /**
     * When this life of the agent began, within which is counted: it tells runs apart.
     */
    readonly since: string;
    /**
     * Requests that were passed on.
     */
    readonly requests: number;
    /**
     * Those of them that called a model: a budget counts them.
     */
    readonly modelCalls: number;
    /**
     * Bytes to the API.
     */
    readonly bytesSent: number;
    /**
     * Bytes from it.
     */
    readonly bytesReceived: number;
    /**
     * Tokens read, as stated.
     */
    readonly inputTokens: number;
    /**
     * Tokens written, as stated.
     */
    readonly outputTokens: number;
    /**
     * Tokens of calls that stated none.
     */
    readonly estimatedTokens: number;
  };
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * What was used of one gateway until here, said again at the beginning of a file.
 */
export interface ModelTotalsEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'model-totals';
  /**
   * How paths at the proxy begin that lead there.
   */
  readonly mount: string;
  /**
   * Whose API it is.
   */
  readonly provider: 'anthropic' | 'openai' | 'google' | 'ollama' | 'custom' | 'git';
  /**
   * All of this gateway until here.
   */
  readonly totals: {
    /**
     * When this life of the agent began, within which is counted: it tells runs apart.
     */
    readonly since: string;
    /**
     * Requests that were passed on.
     */
    readonly requests: number;
    /**
     * Those of them that called a model: a budget counts them.
     */
    readonly modelCalls: number;
    /**
     * Bytes to the API.
     */
    readonly bytesSent: number;
    /**
     * Bytes from it.
     */
    readonly bytesReceived: number;
    /**
     * Tokens read, as stated.
     */
    readonly inputTokens: number;
    /**
     * Tokens written, as stated.
     */
    readonly outputTokens: number;
    /**
     * Tokens of calls that stated none.
     */
    readonly estimatedTokens: number;
  };
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * Refusals like one that was written already and that were counted instead of written.
 */
export interface RepeatedEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'repeated';
  /**
   * Reason of every one of them.
   */
  readonly reason: string;
  /**
   * Host of every one of them; null for refusals at many hosts, of which too many came at once to tell them apart.
   */
  readonly host: string | null;
  /**
   * Port of every one of them; null as for the host, and where it could not be read.
   */
  readonly port: number | null;
  /**
   * How many were not written.
   */
  readonly count: number;
  /**
   * Time of the first of them.
   */
  readonly since: string;
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * A rule came or went while the agent runs.
 */
export interface RulesChangedEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'rules-changed';
  /**
   * What happened to the rule.
   */
  readonly change: 'added' | 'removed';
  /**
   * What the rule does.
   */
  readonly action: 'allow' | 'deny';
  /**
   * JSON pointer of the rule.
   */
  readonly rule: string;
  /**
   * Host of the rule: a name, `*.name`, `*`, an address or a range.
   */
  readonly host: string;
  /**
   * Ports of the rule, or null for all.
   */
  readonly ports: readonly number[] | null;
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * The log could not be written for a while, or was found damaged, and goes on from here.
 */
export interface RecoveredEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'recovered';
  /**
   * `torn-line`: the last line was not complete and was removed. `unwritable`: lines could not be written, and the requests they were for were refused. `unreadable`: the last line was no event; numbering begins anew. `replaced`: the file was gone, and a new one was begun.
   */
  readonly cause: 'torn-line' | 'unwritable' | 'unreadable' | 'replaced';
  /**
   * Bytes of incomplete lines that were removed.
   */
  readonly bytesRemoved: number;
  /**
   * Events that were never written.
   */
  readonly unwritten: number;
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * First line of a new file: the one before was full and is kept under the name `audit.jsonl.1`.
 */
export interface RotatedEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'rotated';
  /**
   * Size of the older file, bytes.
   */
  readonly olderBytes: number;
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * The agent has ended and its rules were removed. Counters are of the run that ended.
 */
export interface ClosedEvent {
  /**
   * Version of this schema.
   */
  readonly version: 1;
  /**
   * Number of the event among those of the agent, from 1, without gaps, also across files and runs.
   */
  readonly sequence: number;
  /**
   * RFC 3339, UTC, with milliseconds, by the clock of the host.
   */
  readonly time: string;
  /**
   * Id of the agent.
   */
  readonly agent: string;
  /**
   * What kind of event this is.
   */
  readonly kind: 'closed';
  /**
   * Requests that were allowed.
   */
  readonly allowed: number;
  /**
   * Requests that were refused.
   */
  readonly refused: number;
  /**
   * Bytes from the agent.
   */
  readonly bytesSent: number;
  /**
   * Bytes to the agent.
   */
  readonly bytesReceived: number;
  /**
   * `hash` of the event before; 64 zeros in the first.
   */
  readonly previous: string;
  /**
   * SHA-256 of the line without this member and without the line feed, in hex digits.
   */
  readonly hash: string;
}
/**
 * A line that was changed since it was written.
 */
export interface BrokenLine {
  readonly kind: 'broken-line';
  /**
   * Name of the file.
   */
  readonly file: string;
  /**
   * Number of the line, from 1.
   */
  readonly line: number;
}
/**
 * The rest of the audit cannot be read.
 */
export interface AuditFailure {
  readonly kind: 'failed';
  readonly problem: ProblemDocument;
}
/**
 * RFC 9457 problem details.
 */
export interface ProblemDocument {
  /**
   * `urn:agent-spawn:problem:` and the code.
   */
  readonly type: string;
  /**
   * What the code means.
   */
  readonly title: string;
  /**
   * The HTTP status.
   */
  readonly status: number;
  readonly code: Code;
  /**
   * What happened to which object and why.
   */
  readonly detail: string;
  /**
   * What the reader can do about it.
   */
  readonly remedy?: string;
  /**
   * Everything that is wrong with the input, for errors of an input; otherwise empty.
   */
  readonly problems: readonly InputProblem[];
}
/**
 * One thing that is wrong with an input.
 */
export interface InputProblem {
  readonly code: Code;
  /**
   * RFC 6901 pointer into the input; empty for the whole.
   */
  readonly pointer: string;
  readonly message: string;
  /**
   * What to write instead, when that is known.
   */
  readonly suggestion?: string;
}
/**
 * Whether an audit is as it was written.
 */
export interface AuditCheckView {
  readonly agent: AgentId;
  readonly isIntact: boolean;
  /**
   * The end of the log is known beside the log, so that a cut tail would show.
   */
  readonly isConfirmed: boolean;
  /**
   * Events that hold, up to the first line that does not.
   */
  readonly events: number;
  readonly broken: AuditFault | null;
  /**
   * One sentence for people.
   */
  readonly message: string;
}
/**
 * The first line that does not hold.
 */
export interface AuditFault {
  readonly file: string;
  readonly number: number;
  /**
   * Number of the event that should be there, or null when that is not known.
   */
  readonly sequence: number | null;
  readonly message: string;
}
export interface StartedEvent {
  readonly event: 'started';
  readonly agent: AgentView;
}
export interface EndedEvent {
  readonly event: 'ended';
  readonly agent: AgentView;
}
/**
 * The daemon cannot tell how the agent goes on.
 */
export interface FailedEvent {
  readonly event: 'failed';
  readonly problem: ProblemDocument;
}
