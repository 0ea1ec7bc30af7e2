// Generated from schema/audit-event.schema.json by `npm run generate`; not edited by hand.
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
