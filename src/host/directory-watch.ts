import { type FSWatcher, lstatSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { callFailed, errnoOf } from './call-failed.ts';

/** Pause before a directory that cannot be watched (inotify limits, permissions) is tried again, milliseconds. */
const RETRY_MS = 1_000;
/** Changes within this time are told once, milliseconds; an editor's save is several. */
const SETTLE_MS = 50;

/**
 * Calls back after entries of a directory changed. A directory that is absent
 * is waited for: until it is there, the nearest directory above it is watched.
 */
export function watchDirectory(path: string, changed: () => void): Disposable {
  try {
    return new DirectoryWatch(path, changed);
  } catch (error) {
    throw callFailed(`watching ${path}`, error);
  }
}

class DirectoryWatch implements Disposable {
  readonly #path: string;
  readonly #changed: () => void;
  #watcher: FSWatcher | null = null;
  /** Directory that is watched now, and which inode it was. */
  #watched = '';
  #inode = '';
  #timer: NodeJS.Timeout | null = null;
  #isDisposed = false;

  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  /** Watches the directory itself, or the nearest one above that exists. */
  #arm(): void {
    this.#watcher?.close();
    this.#watcher = null;
    for (let path = this.#path; ; path = dirname(path)) {
      const inode = inodeOf(path);
      if (inode === null && path !== '/') continue;
      try {
        this.#watcher = watch(path, { persistent: false }, () => this.#settle());
      } catch (error) {
        if (errnoOf(error) === 'ENOENT' && path !== '/') continue;
        throw error;
      }
      this.#watcher.on('error', () => this.#settle());
      this.#watched = path;
      this.#inode = inode ?? '';
      return;
    }
  }

  #settle(delayMs = SETTLE_MS): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (!this.#isDisposed) this.#tell();
    }, delayMs);
  }

  #tell(): void {
    const wasIt = this.#watched === this.#path;
    const inode = inodeOf(this.#path);
    try {
      if (!wasIt || inode !== this.#inode) this.#arm();
    } catch {
      this.#settle(RETRY_MS);
      return;
    }
    if (wasIt || this.#watched === this.#path) this.#changed();
  }
}

function inodeOf(path: string): string | null {
  try {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
