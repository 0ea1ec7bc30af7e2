import { type BigIntStats, constants } from 'node:fs';
import { chmod, chown, type FileHandle, lstat, mkdir, open, opendir, readlink, rmdir, unlink } from 'node:fs/promises';
import { unless } from './call-failed.ts';

/** O_PATH of open(2), which Node has no name for; the same number on every architecture Node is built for. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/** Entries read from a directory in one system call's worth. */
const READ_AHEAD = 128;

/** One inode that is held open; what was checked about it stays true of what is then changed. */
export class OpenInode implements AsyncDisposable {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Path that leads to exactly this inode (proc_pid_fd(5)); following it passes no name that anybody could turn. */
  get path(): string {
    return `/proc/self/fd/${this.#handle.fd}`;
  }

  stat(): Promise<BigIntStats> {
    return this.#handle.stat({ bigint: true });
  }

  /** Changes the owner, of a symlink itself as well. */
  chown(uid: number, gid: number): Promise<void> {
    return chown(this.path, uid, gid);
  }

  chmod(mode: number): Promise<void> {
    return chmod(this.path, mode);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }
}

/** A directory that is held open. Node has no openat(2); `/proc/self/fd/N/name` is the same. */
export class OpenDirectory extends OpenInode {
  /** Opens the root directory of this process. */
  static async root(): Promise<OpenDirectory> {
    return new OpenDirectory(await open('/', O_PATH | O_DIRECTORY));
  }

  /** Opens a directory by a path nobody but root can change; the last component may not be a symlink. */
  static async trusted(path: string): Promise<OpenDirectory> {
    return new OpenDirectory(await open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }

  /** Opens a subdirectory, or null when the name is absent, a symlink or no directory. */
  async directory(name: Buffer | string): Promise<OpenDirectory | null> {
    const handle = await unless(
      ['ENOENT', 'ENOTDIR', 'ELOOP'],
      open(this.#at(name), O_PATH | O_DIRECTORY | O_NOFOLLOW),
    );
    return handle === null ? null : new OpenDirectory(handle);
  }

  /** Opens the directory above; the caller must check that it is the one it came from. */
  async parent(): Promise<OpenDirectory> {
    return new OpenDirectory(await open(this.#at('..'), O_PATH | O_DIRECTORY));
  }

  /** Opens an entry of any kind, a symlink itself included; null when the name is absent. */
  async entry(name: Buffer | string): Promise<OpenInode | null> {
    const handle = await unless(['ENOENT'], open(this.#at(name), O_PATH | O_NOFOLLOW));
    return handle === null ? null : new OpenInode(handle);
  }

  /** What an entry is, or null when the name is absent. */
  statEntry(name: Buffer | string): Promise<BigIntStats | null> {
    return unless(['ENOENT'], lstat(this.#at(name), { bigint: true }));
  }

  /** Where a symlink leads, as it says. */
  readLink(name: string): Promise<string> {
    return readlink(this.#at(name), 'utf8');
  }

  /** Makes a subdirectory; false when the name is taken. */
  async makeDirectory(name: string, mode: number): Promise<boolean> {
    return (
      (await unless(
        ['EEXIST'],
        mkdir(this.#at(name), { mode }).then(() => true),
      )) ?? false
    );
  }

  /** Removes an entry that is no directory; absent is fine. */
  async unlink(name: Buffer | string): Promise<void> {
    await unless(['ENOENT'], unlink(this.#at(name)));
  }

  /** Removes an empty subdirectory; absent is fine. False when it is not empty. */
  async removeDirectory(name: Buffer | string): Promise<boolean> {
    const removed = await unless(
      ['ENOTEMPTY'],
      unless(['ENOENT'], rmdir(this.#at(name))).then(() => true),
    );
    return removed ?? false;
  }

  /** Names of the entries, streamed, as the bytes they are. */
  async *names(): AsyncGenerator<Buffer> {
    // The types know no directory read with Buffer names.
    const options = { encoding: 'buffer', bufferSize: READ_AHEAD } as unknown as { bufferSize: number };
    for await (const entry of await opendir(this.path, options)) {
      yield entry.name as unknown as Buffer;
    }
  }

  #at(name: Buffer | string): Buffer {
    return Buffer.concat([Buffer.from(`${this.path}/`), typeof name === 'string' ? Buffer.from(name) : name]);
  }
}
