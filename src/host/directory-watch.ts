import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { callFailed, errnoOf } from './call-failed.ts';

/** Pause before a directory that cannot be watched (inotify limits, permissions) is tried again, milliseconds. */
const RETRY_MS = 1_000;
/** Changes within this time are told once, milliseconds; an editor's save is several. */
const SETTLE_MS = 50;

/**
 * Calls back after entries of a directory changed. A directory that is absent
 * is waited for: until it is there, the nearest directory above it is watched.
 * Throws `host.call-failed` when nothing can be watched.
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
  /** Directory that is watched now, and whether that inode may have lost its name. */
  #watched = '';
  #isStale = false;
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
    do {
      this.#watcher?.close();
      this.#watcher = null;
      let path = this.#path;
      while (!this.#try(path)) path = dirname(path);
      this.#watched = path;
      this.#isStale = false;
      // What was made after it was tried and before the one above was watched told nobody.
    } while (this.#isNearer());
  }

  #try(path: string): boolean {
    try {
      this.#watcher = watch(path, { persistent: false }, (_event, name) => {
        // The end of the directory itself is told under its own name (inotify(7), IN_DELETE_SELF and IN_MOVE_SELF).
        if (name === basename(path)) this.#isStale = true;
        this.#settle(SETTLE_MS);
      });
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '') && path !== '/') return false;
      throw error;
    }
    this.#watcher.on('error', () => {
      this.#isStale = true;
      this.#settle(RETRY_MS);
    });
    return true;
  }

  #settle(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (!this.#isDisposed) this.#tell();
    }, delayMs);
  }

  /** Whether a directory nearer to the one that is wanted is there by now. */
  #isNearer(): boolean {
    return this.#watched !== this.#path && existsSync(nextBelow(this.#watched, this.#path));
  }

  #tell(): void {
    const wasIt = this.#watched === this.#path;
    try {
      if (this.#isStale || this.#isNearer()) this.#arm();
    } catch {
      this.#isStale = true;
      this.#settle(RETRY_MS);
      return;
    }
    if (wasIt || this.#watched === this.#path) this.#changed();
  }
}

/** The first component below a directory on the way to a path. */
function nextBelow(directory: string, path: string): string {
  let below = path;
  while (dirname(below) !== directory && dirname(below) !== below) below = dirname(below);
  return below;
}
