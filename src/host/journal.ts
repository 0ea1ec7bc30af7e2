import { AGENTS_MAX, JOURNAL_LINE_BYTES_MAX, JOURNAL_WAITING_LINES_MAX } from '../base/limits.ts';
import { callFailed, errnoOf } from './call-failed.ts';
import type { HostClock, HostJournal, JournalEntry } from './host.ts';
import { journalDatagram } from './journal-datagram.ts';
import { loadNative, type Native } from './native.ts';

/** Socket of the native protocol (systemd's JOURNAL_NATIVE_PROTOCOL). */
const JOURNAL_SOCKET = '/run/systemd/journal/socket';

/** Pause before a busy journal is tried again, milliseconds, and how often until lines are given up: half a second in all. */
const PAUSE_MS = 1;
const ATTEMPTS_MAX = 500;
const PRIORITY_WARNING = 4;

/** Nothing of what these errors say is a reason to give up: the queue of the journal is full. */
const BUSY = ['EAGAIN', 'EWOULDBLOCK', 'ENOBUFS'];

/** Lines of one unit on their way. */
interface Queue {
  waitingLines: number;
  last: Promise<unknown>;
}

/**
 * Writes to the system journal. One line is one datagram; they are sent in
 * order without ever blocking the daemon. When the journal does not keep up,
 * lines wait a bounded time in a bounded number and are then dropped, and the
 * next entry of that agent says how many.
 */
export class Journal implements HostJournal, AsyncDisposable {
  readonly #clock: HostClock;
  readonly #load: () => Promise<Native>;
  readonly #dropped = new Map<string, number>();
  #native: Native | null = null;
  #socket = -1;
  /** What waits, by unit: one that floods the journal keeps no other waiting. */
  readonly #queues = new Map<string, Queue>();
  #isDisposed = false;

  constructor(clock: HostClock, load: () => Promise<Native> = loadNative) {
    this.#clock = clock;
    this.#load = load;
  }

  /** Appends the lines after all lines of earlier calls for the same unit. Throws `host.call-failed` when there is no journal. */
  async append(entry: JournalEntry): Promise<void> {
    const { unit, lines } = entry;
    const queue = this.#queues.get(unit) ?? { waitingLines: 0, last: Promise.resolve() };
    if (queue.waitingLines + lines.length > JOURNAL_WAITING_LINES_MAX && queue.waitingLines > 0) {
      this.#drop(unit, lines.length);
      return;
    }
    this.#queues.set(unit, queue);
    queue.waitingLines += lines.length;
    const turn = queue.last.then(() => this.#send(entry));
    queue.last = turn.catch(() => undefined);
    try {
      await turn;
    } catch (error) {
      throw callFailed(`writing to the journal for ${unit}`, error);
    } finally {
      queue.waitingLines -= lines.length;
      if (queue.waitingLines === 0 && this.#queues.get(unit) === queue) this.#queues.delete(unit);
    }
  }

  /** Waits for what was appended, then closes the socket. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await Promise.all([...this.#queues.values()].map((queue) => queue.last));
    if (this.#socket !== -1) this.#native?.closeSocket(this.#socket);
    this.#socket = -1;
  }

  async #send(entry: JournalEntry): Promise<void> {
    const native = await this.#open();
    const lost = this.#dropped.get(entry.unit) ?? 0;
    const notice = { ...entry, priority: PRIORITY_WARNING };
    if (lost > 0 && this.#try(native, journalDatagram(notice, droppedLine(lost)))) this.#dropped.delete(entry.unit);
    for (const [index, line] of entry.lines.entries()) {
      if (await this.#deliver(native, journalDatagram(entry, bounded(line)))) continue;
      this.#drop(entry.unit, entry.lines.length - index);
      return;
    }
  }

  async #deliver(native: Native, datagram: Buffer): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (this.#try(native, datagram)) return true;
      if (this.#isDisposed) return false;
      await new Promise<void>((resolve) => this.#clock.timer(PAUSE_MS, resolve));
    }
    return false;
  }

  #try(native: Native, datagram: Buffer): boolean {
    try {
      native.sendDatagram(this.#socket, JOURNAL_SOCKET, datagram);
      return true;
    } catch (error) {
      if (BUSY.includes(errnoOf(error) ?? '')) return false;
      throw error;
    }
  }

  async #open(): Promise<Native> {
    this.#native ??= await this.#load();
    if (this.#socket === -1) this.#socket = this.#native.openDatagramSocket();
    return this.#native;
  }

  #drop(unit: string, lines: number): void {
    this.#dropped.set(unit, (this.#dropped.get(unit) ?? 0) + lines);
    const [oldest] = this.#dropped.keys();
    if (this.#dropped.size > AGENTS_MAX && oldest !== undefined) this.#dropped.delete(oldest);
  }
}

function droppedLine(count: number): string {
  const lines = count === 1 ? '1 line' : `${count} lines`;
  return `${lines} of the agent's output could not be recorded: the journal was too busy.`;
}

/** Cuts a line that is longer than the journal would take; whoever splits output into lines does so before. */
function bounded(line: string): string {
  const bytes = Buffer.from(line);
  return bytes.length <= JOURNAL_LINE_BYTES_MAX ? line : bytes.toString('utf8', 0, JOURNAL_LINE_BYTES_MAX);
}
