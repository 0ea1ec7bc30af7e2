import { assert } from '../base/assert.ts';
import { UIDS_MAX } from '../base/limits.ts';
import type { UidRange } from '../plan/workspace.ts';

/** A remembered uid. */
interface UidEntry {
  readonly uid: number;
  /** Order of last use; the smallest is forgotten first when the table is full. */
  readonly used: number;
}

/** On-disk form of the table. */
interface UidFile {
  readonly version: 1;
  readonly uids: Readonly<Record<string, UidEntry>>;
}

/**
 * One uid per agent id, stable as long as it is remembered, so that an agent
 * that comes back owns the files it left.
 */
export class UidTable {
  readonly #range: UidRange;
  readonly #entries: Map<string, UidEntry>;
  /** Holder of each taken uid. */
  readonly #taken: Map<number, string>;
  #used: number;

  private constructor(range: UidRange, entries: Map<string, UidEntry>) {
    this.#range = range;
    this.#entries = entries;
    this.#taken = new Map([...entries].map(([id, entry]) => [entry.uid, id]));
    this.#used = [...entries.values()].reduce((most, entry) => Math.max(most, entry.used), 0);
  }

  /** Reads a stored table; a missing or damaged one is empty, since workspaces can change hands. */
  static parse(text: string | null, range: UidRange): UidTable {
    const entries = new Map<string, UidEntry>();
    for (const [id, entry] of Object.entries(parseFile(text))) {
      if (isEntry(entry) && entry.uid >= range.first && entry.uid < range.first + range.count) entries.set(id, entry);
    }
    return new UidTable(range, entries);
  }

  /** The uid of an id, remembered from now on, and whether the table changed. */
  reserve(id: string, inUse: (id: string) => boolean): { readonly uid: number; readonly isNew: boolean } {
    const known = this.#entries.get(id);
    this.#used += 1;
    if (known !== undefined) {
      this.#entries.set(id, { uid: known.uid, used: this.#used });
      return { uid: known.uid, isNew: false };
    }
    const uid = this.peek(id, inUse);
    const holder = this.#taken.get(uid);
    if (holder !== undefined) this.#entries.delete(holder);
    this.#entries.set(id, { uid, used: this.#used });
    this.#taken.set(uid, id);
    return { uid, isNew: true };
  }

  /**
   * The uid an id has or would get, changing nothing. When every uid is taken,
   * the one unused for longest is given again, never one whose id is in use.
   */
  peek(id: string, inUse: (id: string) => boolean): number {
    const known = this.#entries.get(id);
    if (known !== undefined) return known.uid;
    const last = this.#range.first + Math.min(this.#range.count, UIDS_MAX);
    const free = this.#firstFree(last);
    if (free !== null) return free;
    const idle = [...this.#entries].filter(([holder]) => !inUse(holder)).map(([, entry]) => entry);
    assert(idle.length > 0, 'fewer agents run than there are uids');
    return idle.reduce((a, b) => (a.used < b.used ? a : b)).uid;
  }

  #firstFree(last: number): number | null {
    for (let uid = this.#range.first + this.#taken.size; uid < last; uid += 1) if (!this.#taken.has(uid)) return uid;
    for (let uid = this.#range.first; uid < last; uid += 1) if (!this.#taken.has(uid)) return uid;
    return null;
  }

  /** The stored form. */
  toJson(): string {
    const file: UidFile = { version: 1, uids: Object.fromEntries(this.#entries) };
    return `${JSON.stringify(file)}\n`;
  }
}

function parseFile(text: string | null): Readonly<Record<string, unknown>> {
  if (text === null) return {};
  try {
    const file = JSON.parse(text) as Partial<UidFile>;
    return file.version === 1 && typeof file.uids === 'object' && file.uids !== null ? file.uids : {};
  } catch {
    return {};
  }
}

function isEntry(value: unknown): value is UidEntry {
  const entry = value as Partial<UidEntry> | null;
  return typeof entry === 'object' && entry !== null && Number.isInteger(entry.uid) && Number.isInteger(entry.used);
}
