import type { EgressRule } from '../policy/table.ts';
import type {
  AgentDetail,
  AgentView,
  AuditCheckView,
  AuditEntry,
  CredentialsView,
  EgressView,
  PlanView,
  ReloadView,
  VersionView,
} from './views.ts';

/** A card as a caller sends it: text, never a path, so that the daemon opens nothing on a caller's behalf. */
export interface CardText {
  readonly text: string;
  readonly format: 'json' | 'toml';
  /** What messages call it: a path, or `standard input`. Never opened. */
  readonly source: string;
}

/** Who asks, as the socket tells. */
export interface Caller {
  readonly uid: number;
}

/** A start by card. */
export interface LaunchRequest {
  readonly card: CardText;
  /** Appended to the agent's command. */
  readonly arguments: readonly string[];
  /**
   * Token of a directory below `/run/agent-spawn/attach/` with listening
   * sockets `stdin.sock`, `stdout.sock`, `stderr.sock` (32 hex digits); null
   * for a detached agent, whose output goes to the journal.
   */
  readonly attach: string | null;
}

/** A rule that is added to a running agent's and goes with it. */
export interface EgressChange {
  readonly action: 'allow' | 'deny';
  /** As in `allowed_hosts`: a name, `*.name`, an address or a range, each with an optional port. */
  readonly host: string;
}

/**
 * What a caller may ask, whatever door it came through. Every call throws
 * `SpawnError`; the door maps the code.
 */
export interface Operations {
  version(): VersionView;
  /** Agents that live, and with `ended` also those that ended and are remembered; ordered by id. */
  list(options: { readonly ended: boolean }): readonly AgentView[];
  /** The plan of a card, touching nothing. */
  plan(request: LaunchRequest): Promise<PlanView>;
  /** Starts an agent; resolves once its program runs. */
  launch(request: LaunchRequest, caller: Caller): Promise<AgentView>;
  get(id: string): Promise<AgentView>;
  /** As `get`, with the plan and where each part came from. */
  inspect(id: string): Promise<AgentDetail>;
  /** Starts a declared agent, or one that ended and is still remembered, again. */
  start(id: string, caller: Caller): Promise<AgentView>;
  /** Stops; resolves once nothing of the agent runs. Stopping an ended agent returns it as it is. */
  stop(id: string, caller: Caller): Promise<AgentView>;
  restart(id: string, caller: Caller): Promise<AgentView>;
  /** Resolves when the agent has ended; an ended one at once. */
  wait(id: string, signal: AbortSignal): Promise<AgentView>;
  /** Forgets an ended agent; refuses a running or a declared one. */
  remove(id: string, caller: Caller): Promise<void>;
  /** Copies a piece of a foreground agent's output to the journal, bounded per agent; the rest is counted and dropped. */
  copyOutput(id: string, piece: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void>;
  /**
   * What became of an agent's requests, from the oldest event that is kept;
   * also of agents that ended and were forgotten. With `follow`, events that
   * come later too, until the signal aborts.
   */
  audit(id: string, options: AuditOptions): Promise<AsyncIterable<AuditEntry>>;
  /** Whether the audit is as it was written. */
  checkAudit(id: string): Promise<AuditCheckView>;
  egress(id: string): Promise<EgressView>;
  /** Reads the credentials of an agent again; the next request has the new ones. */
  reloadCredentials(id: string, caller: Caller): Promise<CredentialsView>;
  /** Reads the cards directory again; with agents that are restarted for it, resolves once they run. */
  reload(caller: Caller): Promise<ReloadView>;
  /** Adds a rule to a running agent's. */
  changeEgress(id: string, change: EgressChange, caller: Caller): Promise<EgressRule>;
}

/** Which events of an audit, and how long. */
export interface AuditOptions {
  /** Only those that tell of refusals. */
  readonly denied: boolean;
  /** Aborted when nobody listens any more; null for what is there now. */
  readonly follow: AbortSignal | null;
}
