import { RECORD_BYTES_MAX } from '../base/limits.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import type { WrittenCard } from '../card/same-card.ts';
import type { Host } from '../host/host.ts';
import type { AgentTable, EgressSummary } from '../policy/table.ts';
import type { EnginePaths } from './executors.ts';
import type { Outcome } from './outcome.ts';

/** The card as it was sent, so that an ended agent can be started again. */
export interface CardSource {
  readonly text: string;
  readonly format: 'json' | 'toml';
  /** What messages call it; never opened. */
  readonly source: string;
}

/** Resources an agent had used when it ended; null where the host does not tell. */
export interface FinalUsage {
  readonly memoryPeakBytes: number | null;
  readonly tasksPeak: number | null;
  readonly cpuSeconds: number | null;
  readonly forksRefused: number | null;
}

/**
 * The daemon's memory of one agent, written before the first step. PID 1 is
 * the truth about what runs; the record says what it is and how it ended.
 */
export interface AgentRecord {
  readonly version: 1;
  readonly id: string;
  readonly origin: 'spawned' | 'declared';
  /** `starting` until the caller was told that it runs: what a daemon finds so after a crash is half made. */
  readonly phase: 'starting' | 'started' | 'ended';
  readonly card: ResolvedCard;
  readonly cardSource: CardSource;
  /** The card that the unit PID 1 has read is made from; null for one that refuses to start, and for a spawned agent. */
  readonly unitCard: WrittenCard | null;
  /** The card that the present run, or else the last one, was started by; null for a spawned agent and before the first. */
  readonly runCard: WrittenCard | null;
  readonly arguments: readonly string[];
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number; readonly reason: string };
  /** Token of the stdio directory of a foreground agent. */
  readonly attach: string | null;
  readonly callerUid: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly outcome: Outcome | null;
  readonly usage: FinalUsage | null;
  readonly notices: readonly string[];
  /** Number of its link on this host; null for an agent without one. */
  readonly linkIndex: number | null;
  /** PID 1's id of the run that `egressTable` is in force for; empty until a declared agent has run. */
  readonly invocationId: string;
  /** What the proxy was told for the present run, credentials included; for a declared agent at rest, for the next. */
  readonly egressTable: AgentTable | null;
  /** What came of the requests of the last run that ended. */
  readonly egress: EgressSummary | null;
}

/** What a new record has of its way out. */
export const NO_EGRESS: Pick<AgentRecord, 'invocationId' | 'egressTable' | 'egress'> = {
  invocationId: '',
  egressTable: null,
  egress: null,
};

/** What a new record has of cards on this host. */
export const NO_CARDS: Pick<AgentRecord, 'unitCard' | 'runCard'> = { unitCard: null, runCard: null };

/** What records of daemons without a proxy and without links do not say. */
const UNSAID: Pick<AgentRecord, keyof typeof NO_EGRESS | 'linkIndex'> = { ...NO_EGRESS, linkIndex: null };

/** What records of daemons that did not compare cards mean: what runs was started by the card that was there. */
function unsaidCards({ origin, cardSource: { text, format } }: AgentRecord): typeof NO_CARDS {
  const card = origin === 'declared' ? { text, format } : null;
  return { unitCard: card, runCard: card };
}

/** Stores a record in one step. */
export function storeRecord(host: Host, paths: EnginePaths, record: AgentRecord): Promise<void> {
  return host.files.write(recordPath(paths, record.id), JSON.stringify(record), 0o600);
}

/** Removes a record; absent is fine. */
export function removeRecord(host: Host, paths: EnginePaths, id: string): Promise<void> {
  return host.files.remove(recordPath(paths, id));
}

/** Every readable record. A damaged one is left out; its id is in `damaged`. */
export async function loadRecords(
  host: Host,
  paths: EnginePaths,
): Promise<{ readonly records: readonly AgentRecord[]; readonly damaged: readonly string[] }> {
  const records: AgentRecord[] = [];
  const damaged: string[] = [];
  for (const name of await host.files.list(paths.recordsDirectory)) {
    if (!name.endsWith('.json')) continue;
    const id = name.slice(0, -'.json'.length);
    const record = await loadRecord(host, paths, id);
    if (record === null) damaged.push(id);
    else records.push(record);
  }
  return { records, damaged };
}

/** One record, or null for one that cannot be read: a daemon that does not start because of it would be worse. */
async function loadRecord(host: Host, paths: EnginePaths, id: string): Promise<AgentRecord | null> {
  try {
    return decode(await host.files.read(recordPath(paths, id), RECORD_BYTES_MAX), id);
  } catch {
    return null;
  }
}

function decode(bytes: Uint8Array | null, id: string): AgentRecord | null {
  if (bytes === null) return null;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as AgentRecord;
    return value.version === 1 && value.id === id ? { ...UNSAID, ...unsaidCards(value), ...value } : null;
  } catch {
    return null;
  }
}

function recordPath(paths: EnginePaths, id: string): string {
  return `${paths.recordsDirectory}/${id}.json`;
}
