import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { AUDIT_LINE_BYTES_MAX } from '../base/limits.ts';
import { callFailed, errnoOf } from './call-failed.ts';
import { watchDirectory } from './directory-watch.ts';
import type { AuditLine, HostAudit } from './host.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** Where the egress proxy keeps the audits of its agents (LogsDirectory= of its unit). */
const DIRECTORY = '/var/log/agent-egress';
const FILE = 'audit.jsonl';
const OLDER = 'audit.jsonl.1';
/** Bytes read at once: some hundred lines, after which others get their turn. */
const PIECE_BYTES = 128 * 1024;
const LF = 10;

/** The audits of this machine, as the proxy writes them. */
export function linuxAudit(directory: string = DIRECTORY): HostAudit {
  return { lines: (id, signal) => readLines(`${directory}/${id}`, signal) };
}

/** Lines of the older file, then of the present one; with a signal also those that come, in whatever file, until it aborts. */
async function* readLines(directory: string, signal: AbortSignal | null): AsyncGenerator<AuditLine, void, void> {
  using bell = signal === null ? null : new Bell(directory, signal);
  let files: LineFile[] = [];
  try {
    files = openBoth(directory);
    for (;;) {
      for (const file of files.splice(0, files.length - 1)) yield* finish(file);
      const [present] = files;
      if (present !== undefined) yield* present.lines();
      const next = nextFiles(directory, present);
      if (next !== null) {
        // Between the look and the change of names more may have been written.
        if (present !== undefined) yield* finish(present);
        files = next;
      } else if (bell === null || signal?.aborted !== false) {
        if (present !== undefined) yield* present.rest();
        return;
      } else await bell.rung();
    }
  } catch (error) {
    throw callFailed(`reading the audit in ${directory}`, error);
  } finally {
    for (const file of files) file[Symbol.dispose]();
  }
}

async function* finish(file: LineFile): AsyncGenerator<AuditLine, void, void> {
  using ended = file;
  yield* ended.lines();
  yield* ended.rest();
}

/** Both files, the older one first; none while there is none. */
function openBoth(directory: string): LineFile[] {
  const present = LineFile.open(directory, FILE);
  const older = LineFile.open(directory, OLDER);
  if (older === null) return present === null ? [] : [present];
  if (present === null) return [older];
  if (older.inode !== present.inode) return [older, present];
  // The names changed between the two.
  older[Symbol.dispose]();
  present[Symbol.dispose]();
  return openBoth(directory);
}

/** The files that follow the one that was read, or null when it is still the present one. */
function nextFiles(directory: string, read: LineFile | undefined): LineFile[] | null {
  const inode = inodeOf(`${directory}/${FILE}`);
  if (inode === null || inode === read?.inode) return null;
  const files = openBoth(directory);
  const at = files.findIndex((file) => file.inode === read?.inode);
  for (const known of files.splice(0, at + 1)) known[Symbol.dispose]();
  return files.length === 0 ? null : files;
}

/** Lets everything else go on that is ready to. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** One file, read from its beginning as it grows. */
class LineFile implements Disposable {
  readonly inode: number;
  readonly #name: string;
  readonly #fd: number;
  #rest: Buffer = Buffer.alloc(0);
  #number = 0;

  private constructor(fd: number, name: string) {
    this.#fd = fd;
    this.#name = name;
    this.inode = fstatSync(fd).ino;
  }

  /** Null when there is no such file. */
  static open(directory: string, name: string): LineFile | null {
    try {
      return new LineFile(openSync(`${directory}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), name);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** The lines that are complete by now. One that is longer than any event comes in parts. */
  async *lines(): AsyncGenerator<AuditLine, void, void> {
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const length = readSync(this.#fd, piece);
      if (length === 0) return;
      const text = Buffer.concat([this.#rest, piece.subarray(0, length)]);
      let start = 0;
      for (let end = text.indexOf(LF); end !== -1; end = text.indexOf(LF, start)) {
        yield this.#line(text.subarray(start, end), true);
        start = end + 1;
      }
      this.#rest = text.subarray(start);
      if (this.#rest.length > AUDIT_LINE_BYTES_MAX) yield* this.rest();
      await turn();
    }
  }

  /** What follows the last line feed, when anything does. */
  *rest(): Generator<AuditLine, void, void> {
    if (this.#rest.length === 0) return;
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    yield this.#line(rest, false);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #line(bytes: Uint8Array, isComplete: boolean): AuditLine {
    this.#number += 1;
    return { file: this.#name, number: this.#number, bytes, isComplete };
  }
}

/** Rings when a directory changed since the last time, and when the signal aborts. */
class Bell implements Disposable {
  readonly #watch: Disposable;
  readonly #signal: AbortSignal;
  #hasRung = false;
  #waiter: () => void = () => undefined;

  constructor(directory: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watch = watchDirectory(directory, this.#ring);
    signal.addEventListener('abort', this.#ring);
  }

  async rung(): Promise<void> {
    if (!this.#hasRung) await new Promise<void>((resolve) => (this.#waiter = resolve));
    this.#hasRung = this.#signal.aborted;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#ring);
    this.#watch[Symbol.dispose]();
  }

  readonly #ring = (): void => {
    this.#hasRung = true;
    this.#waiter();
  };
}
