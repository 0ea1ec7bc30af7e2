import { existsSync, mkdirSync, renameSync, utimesSync } from 'node:fs';
import { appendToChain, CHAIN_START, type ChainHead, statedHead } from '../audit/chain.ts';
import type { RecoveredEvent } from '../audit/event.gen.ts';
import { type AuditDraft, closedDraft, type Draft } from '../audit/event.ts';
import { RepeatedRefusals } from '../audit/repeated.ts';
import { assert } from '../base/assert.ts';
import { AUDIT_FILE_BYTES_MAX, AUDIT_LINE_BYTES_MAX } from '../base/limits.ts';
import type { HostClock } from '../host/host.ts';
import type { EgressSummary, GatewayUsage } from '../policy/table.ts';
import { AuditFile } from './audit-file.ts';
import { Concealment } from './concealment.ts';
import { usageSince } from './usage-history.ts';

/** An event could not be written down: what it is about must not happen. */
export class AuditUnwritable extends Error {
  override readonly name = 'AuditUnwritable';
  /** No event has been lost since the last one that was written: worth telling an operator. */
  readonly isFirst: boolean;

  constructor(path: string, cause: unknown, isFirst: boolean) {
    super(`the audit ${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.isFirst = isFirst;
  }
}

/** What is to be said once the log can be written. */
type Recovery = Omit<Draft<RecoveredEvent>, 'kind'>;

const DIRECTORY_MODE = 0o750;
/** Shortest pause before counted refusals are handed over, milliseconds. */
const SETTLE_PAUSE_MS = 1_000;
/** How often the older file is marked as one that is in use, milliseconds; what nobody uses is removed after a month. */
const TOUCH_PAUSE_MS = 24 * 3600 * 1000;

/**
 * The audit of one agent, `<directory>/<id>/audit.jsonl`, with at most one
 * older file beside it. It goes on where an earlier run of the proxy or of the
 * agent left it. A write has reached the kernel when it returns.
 */
export class AuditLog implements Disposable {
  readonly #directory: string;
  readonly #id: string;
  readonly #clock: HostClock;
  readonly #concealment: Concealment;
  readonly #refusals = new RepeatedRefusals();
  #timer: Disposable | null = null;
  #file: AuditFile | null = null;
  /** Null until the first file was read. */
  #head: ChainHead | null = null;
  #recovery: Recovery | null = null;
  /** Events that every new file begins with. */
  #carried: () => readonly AuditDraft[] = () => [];
  /** Size of the older file, as long as the new one does not tell it. */
  #olderBytes: number | null = null;
  #touchedMs = 0;

  private constructor(directory: string, id: string, clock: HostClock, concealment: Concealment) {
    this.#directory = `${directory}/${id}`;
    this.#id = id;
    this.#clock = clock;
    this.#concealment = concealment;
  }

  /** Opens the log of an agent below a directory that exists. A log that cannot be written now is tried again by every write. */
  static open(directory: string, id: string, clock: HostClock, concealment = new Concealment()): AuditLog {
    const log = new AuditLog(directory, id, clock, concealment);
    try {
      log.#opened();
    } catch {
      // Whoever writes is told.
    }
    return log;
  }

  /** What is said again at the beginning of each file from now on, so that it is never only in one that goes away. */
  carry(drafts: () => readonly AuditDraft[]): void {
    this.#carried = drafts;
  }

  /** What the agent has used of its gateways in a life that began at `since`; nothing where the log cannot be read. */
  usage(since: number): readonly GatewayUsage[] {
    try {
      return usageSince([this.#olderPath, this.#path], since);
    } catch {
      return [];
    }
  }

  /** The last event that was written. */
  get head(): ChainHead {
    return this.#head ?? CHAIN_START;
  }

  /**
   * Writes an event; a refusal like one just written is counted instead.
   * Throws `AuditUnwritable`, after which nothing of the event is in the log.
   */
  write(draft: AuditDraft): void {
    const isRefusal = draft.kind === 'decision' && draft.verdict === 'deny';
    if (isRefusal && this.#refusals.count(draft, this.#clock.now())) return;
    try {
      this.#write(draft);
    } catch (error) {
      this.#recover('unwritable', { unwritten: 1 });
      throw error;
    }
    if (!isRefusal) return;
    this.#refusals.written(draft, this.#clock.now());
    this.#arm();
  }

  /** Writes what is still counted and the end of the agent's run, as far as it can be written, and closes the log. Returns its head. */
  close(counters: Pick<EgressSummary, 'allowed' | 'refused' | 'bytesSent' | 'bytesReceived'>): ChainHead {
    this.#finish(() => this.#write(closedDraft(counters)));
    return this.head;
  }

  /** Writes what is still counted and closes the file, without saying that the agent has ended. */
  [Symbol.dispose](): void {
    this.#finish(() => undefined);
  }

  #finish(last: () => void): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    try {
      this.#refusals.settle((draft) => this.#write(draft), this.#clock.now(), true);
      last();
    } catch (error) {
      if (!(error instanceof AuditUnwritable)) throw error;
    } finally {
      this.#drop();
    }
  }

  #write(draft: AuditDraft): void {
    try {
      this.#open();
      this.#append(draft);
    } catch (error) {
      throw new AuditUnwritable(this.#path, error, (this.#recovery?.unwritten ?? 0) === 0);
    }
  }

  get #path(): string {
    return `${this.#directory}/audit.jsonl`;
  }

  get #olderPath(): string {
    return `${this.#path}.1`;
  }

  /** Hands over what was counted when its window is over; a log that cannot be written is tried again later. */
  #arm(): void {
    const { nextMs } = this.#refusals;
    if (this.#timer !== null || nextMs === null) return;
    this.#timer = this.#clock.timer(Math.max(SETTLE_PAUSE_MS, nextMs - this.#clock.now()), () => {
      this.#timer = null;
      try {
        this.#refusals.settle((draft) => this.#write(draft), this.#clock.now());
      } catch (error) {
        if (!(error instanceof AuditUnwritable)) throw error;
      }
      this.#arm();
    });
  }

  /** Opens the file when it is not, and writes what has to be said before anything else. */
  #open(): void {
    if (this.#file?.isRemoved === true) {
      this.#drop();
      this.#recover('replaced', {});
    }
    let file = this.#opened();
    if (file.bytes > AUDIT_FILE_BYTES_MAX - AUDIT_LINE_BYTES_MAX) file = this.#rotate(file);
    if (this.#olderBytes !== null && file.bytes === 0) {
      this.#append({ kind: 'rotated', olderBytes: this.#olderBytes });
      for (const draft of this.#carried()) this.#append(draft);
    }
    this.#olderBytes = null;
    if (this.#recovery !== null) this.#append({ kind: 'recovered', ...this.#recovery });
    this.#recovery = null;
    if (this.#clock.now() - this.#touchedMs >= TOUCH_PAUSE_MS) this.#touchOlder();
  }

  /** The older file is as old as the log: without its lines those of the present one do not hold. */
  #touchOlder(): void {
    this.#touchedMs = this.#clock.now();
    if (existsSync(this.#olderPath)) utimesSync(this.#olderPath, new Date(this.#touchedMs), new Date(this.#touchedMs));
  }

  #opened(): AuditFile {
    if (this.#file !== null) return this.#file;
    mkdirSync(this.#directory, { recursive: true, mode: DIRECTORY_MODE });
    const file = AuditFile.open(this.#path);
    this.#file = file;
    try {
      this.#takeUp(file);
    } catch (error) {
      this.#drop();
      throw error;
    }
    return file;
  }

  /** Finds out where the chain is. An empty file goes on from the older one: the proxy ended between the two. */
  #takeUp(file: AuditFile): void {
    const bytesRemoved = file.cutTornLine(AUDIT_LINE_BYTES_MAX);
    if (bytesRemoved > 0) this.#recover('torn-line', { bytesRemoved });
    if (this.#head !== null) return;
    const line = file.lastLine(AUDIT_LINE_BYTES_MAX) ?? this.#lastOlderLine();
    const head = line === null ? CHAIN_START : statedHead(line);
    if (head === null) this.#recover('unreadable', {});
    this.#head = head ?? CHAIN_START;
  }

  #lastOlderLine(): Uint8Array | null {
    if (!existsSync(this.#olderPath)) return null;
    using older = AuditFile.open(this.#olderPath);
    this.#olderBytes = older.bytes;
    return older.lastLine(AUDIT_LINE_BYTES_MAX);
  }

  #rotate(full: AuditFile): AuditFile {
    renameSync(this.#path, this.#olderPath);
    this.#olderBytes = full.bytes;
    this.#drop();
    return this.#opened();
  }

  #append(draft: AuditDraft): void {
    assert(this.#file !== null && this.#head !== null, 'a log is opened before it is written');
    const time = new Date(this.#clock.now()).toISOString();
    const { line, head } = appendToChain(this.#head, { time, agent: this.#id }, this.#concealment.members(draft));
    assert(line.length <= AUDIT_LINE_BYTES_MAX, 'an event is bounded');
    this.#file.append(line);
    this.#head = head;
  }

  #recover(cause: Recovery['cause'], lost: Partial<Omit<Recovery, 'cause'>>): void {
    const { bytesRemoved, unwritten, cause: first } = this.#recovery ?? { cause, bytesRemoved: 0, unwritten: 0 };
    this.#recovery = {
      cause: first,
      bytesRemoved: bytesRemoved + (lost.bytesRemoved ?? 0),
      unwritten: unwritten + (lost.unwritten ?? 0),
    };
  }

  /** Closes the file; the next write opens it again. */
  #drop(): void {
    const file = this.#file;
    this.#file = null;
    file?.[Symbol.dispose]();
  }
}
