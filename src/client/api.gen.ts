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
 * One line of the stream of an attached agent.
 */
export type AgentEvent = StartedEvent | EndedEvent | FailedEvent;
/**
 * Stable error code, `area.kind`.
 */
export type Code = string;

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
   * Network mode of the card.
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
  readonly usage: UsageView;
  readonly outcome: OutcomeView | null;
  /**
   * Sentences a user should see: what the card asks that this host does not give, and similar.
   */
  readonly notices: readonly string[];
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
    readonly explanation: string;
  };
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
