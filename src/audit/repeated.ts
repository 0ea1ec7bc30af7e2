import { AUDIT_REPEATED_KEYS_MAX, AUDIT_REPEATED_WINDOW_MS } from '../base/limits.ts';
import type { DecisionEvent, RepeatedEvent } from './event.gen.ts';
import type { Draft } from './event.ts';

/** What makes two refusals of an agent alike. */
export type Refusal = Pick<DecisionEvent, 'reason' | 'host' | 'port'>;

/** Refusals that are alike, within one window. */
interface Group {
  readonly refusal: Refusal;
  /** Begin of the window, milliseconds since the epoch. */
  startedMs: number;
  /** Time of the first refusal that was not written. */
  sinceMs: number;
  count: number;
}

/**
 * Keeps a flood of refusals from filling the audit: the first of its kind is
 * written, more within a window are counted. As long as a flood lasts it takes
 * one line for each window; of too many different refusals at once, those
 * beyond the bound are counted by their reason. None is lost: what was written
 * and what was counted is together what was refused.
 */
export class RepeatedRefusals {
  readonly #groups = new Map<string, Group>();
  /** Refusals beyond the bound, by reason. */
  readonly #others = new Map<string, Group>();

  /** Counts a refusal that need not be written; false for one that must be, after which {@link written} is called. */
  count(refusal: Refusal, nowMs: number): boolean {
    const group = this.#groups.get(keyOf(refusal));
    if (group !== undefined) {
      add(group, nowMs);
      return true;
    }
    if (this.#groups.size < AUDIT_REPEATED_KEYS_MAX) return false;
    const { reason } = refusal;
    const other = this.#others.get(reason) ?? newGroup({ reason, host: null, port: null }, nowMs);
    this.#others.set(reason, other);
    add(other, nowMs);
    return true;
  }

  /** A refusal was written: more of its kind are counted from now on. */
  written(refusal: Refusal, nowMs: number): void {
    const { reason, host, port } = refusal;
    this.#groups.set(keyOf(refusal), newGroup({ reason, host, port }, nowMs));
  }

  /**
   * Hands over what was counted in windows that are over, or in all of them.
   * What `write` throws ends it; what it has not taken is handed over again.
   */
  settle(write: (draft: Draft<RepeatedEvent>) => void, nowMs: number, isEnd: boolean = false): void {
    for (const groups of [this.#groups, this.#others]) {
      for (const [key, group] of groups) {
        if (!isEnd && !isOver(group, nowMs)) continue;
        if (group.count > 0) write(draftOf(group));
        if (group.count === 0 || isEnd) groups.delete(key);
        else groups.set(key, newGroup(group.refusal, nowMs));
      }
    }
  }

  /** When {@link settle} has something to do next, milliseconds since the epoch; null while nothing is counted. */
  get nextMs(): number | null {
    const starts = [...this.#groups.values(), ...this.#others.values()].map((group) => group.startedMs);
    return starts.length === 0 ? null : Math.min(...starts) + AUDIT_REPEATED_WINDOW_MS;
  }
}

function keyOf({ reason, host, port }: Refusal): string {
  return JSON.stringify([reason, host, port]);
}

function newGroup(refusal: Refusal, nowMs: number): Group {
  return { refusal, startedMs: nowMs, sinceMs: nowMs, count: 0 };
}

function add(group: Group, nowMs: number): void {
  if (group.count === 0) group.sinceMs = nowMs;
  group.count += 1;
}

/** Also when the clock was set back: a window must end. */
function isOver({ startedMs }: Group, nowMs: number): boolean {
  return nowMs >= startedMs + AUDIT_REPEATED_WINDOW_MS || nowMs < startedMs;
}

function draftOf({ refusal, count, sinceMs }: Group): Draft<RepeatedEvent> {
  const { reason, host, port } = refusal;
  return { kind: 'repeated', reason, host, port, count, since: new Date(sinceMs).toISOString() };
}
