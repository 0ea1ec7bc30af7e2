import type { WrittenCard } from '../card/same-card.ts';
import type { UnitState } from '../host/host.ts';
import type { AgentTable } from '../policy/table.ts';
import type { AgentRecord } from './record.ts';
import { hasEnded } from './unit-end.ts';

/** Where an agent is in its life. */
export type AgentState = 'starting' | 'running' | 'stopping' | 'restarting' | 'ended' | 'not-started' | 'invalid';

/** One agent in the daemon's memory. */
export class Agent {
  record: AgentRecord;
  /** Last state PID 1 told of its unit. */
  unitState: UnitState | null = null;
  /** PID 1's id of the run we know of; empty before its first signal. */
  invocationId: string;
  /** What the newest card of a declared agent lets it reach from its next run on; null for nothing. */
  nextEgress: AgentTable | null = null;
  /** A caller asked for the end of this run. */
  stopRequested = false;
  /** Bytes of foreground output copied to the journal so far. */
  journalBytes = 0;
  /** The same in lines. */
  journalLines = 0;
  /** Its newest card was refused. A run that was started by the one before goes on. */
  isInvalid = false;
  /** What the cards directory says of this id, a card or that it is refused, waits for the end of this run. */
  hidesCard = false;
  /** A run that PID 1 began before it read the newest unit file, and the card it is of; null for none. */
  begun: { readonly invocationId: string; readonly card: WrittenCard } | null = null;
  /** The end of this run is being settled. */
  isSettling = false;
  /** Whether its card went away during this run, which is not to come back then. */
  isWithdrawn = false;
  /** Resolves once a start in progress is over, whatever became of it. */
  starting: Promise<void> = Promise.resolve();
  #waiters: (() => void)[] = [];

  constructor(record: AgentRecord) {
    this.record = record;
    this.invocationId = record.invocationId;
  }

  get id(): string {
    return this.record.id;
  }

  /** Whether anything of it runs or is about to. */
  get isLive(): boolean {
    return this.record.phase !== 'ended';
  }

  /** Whether PID 1 runs it or is about to, also when nobody told us of the start yet. */
  get isUp(): boolean {
    return this.isLive || (this.record.unitCard !== null && this.unitState !== null && !hasEnded(this.unitState));
  }

  /** Takes down which card a run is of that PID 1 began by what it has read so far. */
  noteRun(state: UnitState | null): void {
    if (state === null || state.invocationId === this.invocationId) return;
    if (hasEnded(state) || state.subState === 'auto-restart') return;
    const { unitCard } = this.record;
    // Without one it was refused, or PID 1 had nothing to start it by: what runs is of the newest file.
    if (unitCard !== null) this.begun = { invocationId: state.invocationId, card: unitCard };
  }

  /** The card that a run is of; null while PID 1 has read none, or one that is refused. */
  cardOfRun(invocationId: string): WrittenCard | null {
    return this.begun?.invocationId === invocationId ? this.begun.card : this.record.unitCard;
  }

  /** State for views. */
  get state(): AgentState {
    if (this.record.phase === 'starting') return 'starting';
    if (this.isInvalid && !this.isLive) return 'invalid';
    if (this.record.phase === 'ended') return this.record.startedAtMs === null ? 'not-started' : 'ended';
    if (this.unitState?.subState === 'auto-restart') return 'restarting';
    return this.unitState?.activeState === 'deactivating' || this.stopRequested ? 'stopping' : 'running';
  }

  /** Resolves when the present run has ended; at once when none is. */
  whenEnded(signal?: AbortSignal): Promise<void> {
    if (!this.isLive || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      signal?.addEventListener('abort', () => this.#forget(resolve), { once: true });
    });
  }

  /** Marks the run as ended and wakes everyone who waits for that. */
  end(record: AgentRecord): void {
    this.record = record;
    this.stopRequested = false;
    this.isSettling = false;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  #forget(waiter: () => void): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter();
  }
}
