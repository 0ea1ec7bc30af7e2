import type { FactQuery, HostFacts, SystemFacts } from '../plan/facts.ts';
import type { UnitProperty } from '../plan/unit-property.ts';
import type { AgentTable, EgressSummary } from '../policy/table.ts';
import type { SecretRead } from './secret-read.ts';

/**
 * Everything the engine may ask of the machine. The real one is `linux.ts`;
 * tests use a fake that the contract suite compares with it. Every call may
 * throw a `SpawnError` with code `host.call-failed` (or a more precise
 * `host.*` code); none retries on its own.
 */
export interface Host {
  readonly files: HostFiles;
  readonly secrets: HostSecrets;
  readonly units: HostUnits;
  readonly journal: HostJournal;
  readonly egress: HostEgress;
  readonly clock: HostClock;
  readonly audit: HostAudit;
  /** Facts for every agent of this host; probes features once and remembers them until {@link Host.refreshFacts}. */
  systemFacts(): Promise<SystemFacts>;
  /** Forgets remembered system facts. */
  refreshFacts(): void;
  /** Calls `changed` when system facts are others than those that are remembered; the result stops the watch. */
  watchFacts(changed: () => void): Disposable;
  /** Answers one card's questions, on top of the system facts. */
  facts(query: FactQuery): Promise<HostFacts>;
}

/** File operations of the engine. No call but `readLinked` follows a symlink in the last component. */
export interface HostFiles {
  /** Content of a regular file, or null when it does not exist. Throws when it is larger than `bytesMax` or no regular file. */
  read(path: string, bytesMax: number): Promise<Uint8Array | null>;
  /**
   * As `read`, and a symlink is followed, over further ones too; null when it leads to nothing. Throws also when
   * somebody else than root could lead it elsewhere.
   */
  readLinked(path: string, bytesMax: number): Promise<Uint8Array | null>;
  /** Replaces a file in one step (temporary file beside it, then rename). */
  write(path: string, content: Uint8Array | string, mode: number): Promise<void>;
  /** Removes a file or symlink; absent is fine. */
  remove(path: string): Promise<void>;
  /** Makes one directory with exactly this mode; an existing directory is fine and keeps its mode. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Removes a tree without following symlinks; absent is fine. */
  removeTree(path: string): Promise<void>;
  /**
   * Gives a socket of the user `uid` a second name in a directory that only root can change, and closes it to everybody
   * else. False, and nothing done, when what `path` leads to is no such socket.
   */
  linkSocket(path: string, name: string, uid: number): Promise<boolean>;
  /** Makes a symlink, replacing an existing one. */
  symlink(target: string, path: string): Promise<void>;
  /** Entry names of a directory, sorted; an absent directory has none. */
  list(path: string): Promise<readonly string[]>;
  /** Makes or re-owns a workspace as {@link WorkspaceOrder} says; returns what it changed so that it can be undone. */
  prepareWorkspace(order: WorkspaceOrder): Promise<WorkspaceChange>;
  /** Removes the directories a {@link WorkspaceChange} made, deepest first, those that are still empty. */
  revertWorkspace(change: WorkspaceChange): Promise<void>;
  /** Calls `changed` after entries of a directory changed (coalesced); the result stops the watch. */
  watch(path: string, changed: () => void): Disposable;
}

/** Keys, tokens and passwords that the operator keeps on this machine. */
export interface HostSecrets {
  /**
   * Reads a file by its absolute path, or the systemd credential `credential:NAME`. What root alone can put there is
   * read, and what root alone can read, unless the daemon's configuration allows others to. Never throws.
   */
  read(source: string, bytesMax: number): Promise<SecretRead>;
}

/**
 * The egress proxy. Every call throws `host.egress-unavailable` when it is not
 * there or refuses; one that was lost on the way may have been heard.
 */
export interface HostEgress {
  /** Installs the table of one agent or replaces it, without cutting connections. */
  put(table: AgentTable): Promise<void>;
  /** Makes these tables the only ones, without cutting connections of agents that keep theirs. */
  restore(tables: readonly AgentTable[]): Promise<void>;
  /** Ends everything of one agent; what came of its requests, or null when the proxy does not know it. */
  remove(id: string): Promise<EgressSummary | null>;
  /** What came of an agent's requests so far, or null when the proxy does not know it. */
  summary(id: string): Promise<EgressSummary | null>;
  /** Resolves once the proxy is watched; `ended` is called once when this one is gone, and its tables with it. */
  watch(ended: () => void): Promise<Disposable>;
}

/** What to do to a workspace directory. Every component is opened without following symlinks. */
export interface WorkspaceOrder {
  readonly path: string;
  /** Make it, and missing parents (root's, 0755), when absent. The new directory has mode 0700. */
  readonly create: boolean;
  readonly uid: number;
  readonly gid: number;
  /** Owner that is replaced throughout the tree, on this file system, entry by entry; null leaves existing content alone. */
  readonly replaceUid: number | null;
}

/** What {@link HostFiles.prepareWorkspace} did. */
export interface WorkspaceChange {
  /** Directories it made, outermost first. */
  readonly made: readonly string[];
  /** Entries whose owner it changed. */
  readonly reowned: number;
}

/** State of one unit as PID 1 tells it. */
export interface UnitState {
  readonly unit: string;
  /** systemd's ActiveState. */
  readonly activeState: 'active' | 'reloading' | 'inactive' | 'failed' | 'activating' | 'deactivating' | 'maintenance';
  /** systemd's SubState, for example `running`, `auto-restart`, `stop-sigterm`. */
  readonly subState: string;
  /** systemd's Result of the service: `success`, `exit-code`, `signal`, `timeout`, `oom-kill`, … */
  readonly result: string;
  /** wait(2) code of the main process: 1 exited, 2 killed, 3 dumped; 0 while it has not ended. */
  readonly mainCode: number;
  /** Exit status or signal number, by `mainCode`. */
  readonly mainStatus: number;
  readonly mainPid: number;
  /** 128-bit id in hex of this run, empty before the first. */
  readonly invocationId: string;
  /** Restarts systemd made on its own. */
  readonly restarts: number;
  /** True when a start, stop or restart job of the unit waits or runs. */
  readonly hasJob: boolean;
  /** Text of the unit's last STATUS= message. */
  readonly statusText: string;
  /** Wall clock of ActiveEnterTimestamp, milliseconds since the epoch, 0 when never. */
  readonly activeSinceMs: number;
}

/** Resources a unit uses now; null where the host does not account them. */
export interface UnitUsage {
  readonly memoryBytes: number | null;
  readonly memoryPeakBytes: number | null;
  readonly tasks: number | null;
  readonly cpuNanoseconds: number | null;
}

/** How a job of PID 1 ended (org.freedesktop.systemd1 JobRemoved). */
export type JobResult =
  | 'done'
  | 'canceled'
  | 'timeout'
  | 'failed'
  | 'dependency'
  | 'skipped'
  | 'invalid'
  | 'assert'
  | 'unsupported'
  | 'collected'
  | 'once';

/**
 * PID 1, over D-Bus. Job calls wait for JobRemoved, at most JOB_TIMEOUT_MS,
 * after which their result is `timeout` as well. A call that the connection was
 * lost under throws `host.call-failed` and may have been heard; one made during
 * an outage waits for its end, at most BUS_RECONNECT_WAIT_MS.
 */
export interface HostUnits {
  /** StartTransientUnit in mode `fail`. Throws `sandbox.exists` when a unit of this name is loaded already. */
  startTransient(unit: string, properties: readonly UnitProperty[]): Promise<JobResult>;
  start(unit: string): Promise<JobResult>;
  /** StopUnit in mode `replace`; an unknown unit counts as `done`. */
  stop(unit: string): Promise<JobResult>;
  restart(unit: string): Promise<JobResult>;
  /** Restarts a unit that is active; one that is not is left alone, which counts as `done` (TryRestartUnit). */
  tryRestart(unit: string): Promise<JobResult>;
  /** Applies changed settings to a unit that is active (ReloadUnit); for a mount, its options. */
  reloadUnit(unit: string): Promise<JobResult>;
  /** Signals every process of the unit; an unknown unit is fine. */
  kill(unit: string, signal: number): Promise<void>;
  /** Forgets a failed state so that the unit unloads; an unknown unit is fine. */
  resetFailed(unit: string): Promise<void>;
  /** Re-reads unit files (Manager.Reload). */
  reload(): Promise<void>;
  /** State of one unit, or null when PID 1 has not loaded it. */
  state(unit: string): Promise<UnitState | null>;
  usage(unit: string): Promise<UnitUsage>;
  /** Loaded units whose name matches a glob. */
  list(pattern: string): Promise<readonly UnitState[]>;
  /** Names of loaded units of any kind that match a glob and are in one of these active states; in any when none is given. */
  names(pattern: string, states: readonly UnitState['activeState'][]): Promise<readonly string[]>;
  /**
   * Reports every state change of units named `sandboxed-agent@*.service`;
   * null means PID 1 has unloaded the unit. `lost` is called when signals may
   * have been missed (the connection to the bus had ended, PID 1 executed
   * itself anew) and can be heard again: every state must be read again.
   */
  watch(listener: UnitListener): Disposable;
}

/** Receiver of {@link HostUnits.watch}. */
export interface UnitListener {
  changed(unit: string, state: UnitState | null): void;
  lost(): void;
}

/** The system journal. */
export interface HostJournal {
  /** Appends lines under an agent's unit, so that `journalctl -u` shows them (OBJECT_SYSTEMD_UNIT=, systemd.journal-fields(7)). */
  append(entry: JournalEntry): Promise<void>;
}

/** Lines of one agent. */
export interface JournalEntry {
  readonly unit: string;
  /** SYSLOG_IDENTIFIER. */
  readonly identifier: string;
  /** syslog(3) priority 0 to 7. */
  readonly priority: number;
  readonly lines: readonly string[];
}

/** Time and chance. */
export interface HostClock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Fresh random hex digits, two per byte. */
  randomHex(bytes: number): string;
  /** Calls back once after a delay; the result cancels it. */
  timer(delayMs: number, expired: () => void): Disposable;
}

/** What the egress proxy wrote down about agents, also those that have ended. */
export interface HostAudit {
  /**
   * Lines of an agent's audit from the oldest that is kept; none for an agent
   * without one. With a signal the lines that come later too, until it aborts.
   */
  lines(id: string, signal: AbortSignal | null): AsyncIterable<AuditLine>;
}

/** One line of an audit as it stands in its file. */
export interface AuditLine {
  /** Name of the file: `audit.jsonl`, or `audit.jsonl.1` for the older one. */
  readonly file: string;
  /** Number of the line in its file, from 1. */
  readonly number: number;
  /** The line without its line feed. */
  readonly bytes: Uint8Array;
  /** False for what stands behind the last line feed, and for parts of a line that is too long. */
  readonly isComplete: boolean;
}
