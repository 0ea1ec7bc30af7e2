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
  readonly usage: UsageView;
  readonly outcome: OutcomeView | null;
  /** Sentences a user should see: what the card asks that this host does not give, and similar. */
  readonly notices: readonly string[];
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
  readonly network: { readonly mode: string; readonly explanation: string };
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
