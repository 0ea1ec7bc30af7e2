import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { assert } from '../base/assert.ts';
import { callFailed, errnoOf } from './call-failed.ts';
import { watchDirectory } from './directory-watch.ts';
import type { HostFiles } from './host.ts';
import { readLinkedFile } from './linked-file.ts';
import { removeTree } from './remove-tree.ts';
import { prepareWorkspace, revertWorkspace } from './workspace.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/**
 * Files of the real machine. What is the launcher's own (small files in
 * directories of root's) is done by synchronous calls: each takes
 * microseconds, a round through the thread pool takes ten times as long, and a
 * start makes some thirty of them. Workspaces may lie on any file system and
 * are never touched that way.
 */
export function linuxFiles(): HostFiles {
  return {
    read: (path, bytesMax) => named(`reading ${path}`, () => readFile(path, bytesMax)),
    readLinked: (path, bytesMax) =>
      named(`reading ${path}`, () => (isSymlink(path) ? readLinkedFile(path, bytesMax) : readFile(path, bytesMax))),
    write: (path, content, mode) => named(`writing ${path}`, () => writeFile(path, Buffer.from(content), mode)),
    remove: (path) => named(`removing ${path}`, () => removeFile(path)),
    makeDirectory: (path, mode) => named(`making the directory ${path}`, () => makeDirectory(path, mode)),
    removeTree: (path) => named(`removing the tree ${path}`, () => removeTree(path)),
    linkSocket: (path, name, uid) => named(`linking ${path}`, () => linkSocket(path, name, uid)),
    symlink: (target, path) => named(`making the symlink ${path}`, () => makeSymlink(target, path)),
    list: (path) => named(`listing ${path}`, () => listDirectory(path)),
    prepareWorkspace: (order) => named(`preparing the workspace ${order.path}`, () => prepareWorkspace(order)),
    revertWorkspace: (change) => named('removing the workspace', () => revertWorkspace(change)),
    watch: watchDirectory,
  };
}

async function named<T>(operation: string, body: () => T | Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw callFailed(operation, error);
  }
}

function readFile(path: string, bytesMax: number): Uint8Array | null {
  // Opening a FIFO that somebody left there must not wait for a writer.
  const fd = present(() => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  if (fd === null) return null;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error('it is not a regular file');
    if (stat.size > bytesMax) throw new Error(`it is larger than ${bytesMax} bytes`);
    return readAll(fd, bytesMax);
  } finally {
    closeSync(fd);
  }
}

function isSymlink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function readAll(fd: number, bytesMax: number): Uint8Array {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= bytesMax; ) {
    const chunk = Buffer.alloc(Math.min(bytesMax - total + 1, 64 * 1024));
    const length = readSync(fd, chunk);
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, length));
    total += length;
  }
  throw new Error(`it is larger than ${bytesMax} bytes`);
}

/** Nothing is synced to disk: a lost uid table costs a change of owner, a lost record lies in a tmpfs anyway. */
function writeFile(path: string, content: Buffer, mode: number): void {
  const temporary = besides(path);
  const fd = replacing(temporary, () => openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  try {
    try {
      for (let written = 0; written < content.length; ) written += writeSync(fd, content, written);
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
}

/**
 * Whoever made `path` can turn it, or a directory on its way, at any moment. So it is not looked at: whatever it leads to
 * gets the new name first, and what has that name, which nobody else can turn, is judged.
 */
function linkSocket(path: string, name: string, uid: number): boolean {
  const isThere = replacing(name, () => unlessGone(() => linkSync(path, name)));
  if (!isThere) return false;
  const stat = lstatSync(name);
  if (stat.isSocket() && stat.uid === uid) {
    chmodSync(name, 0o600);
    return true;
  }
  unlinkSync(name);
  return false;
}

/** What link(2) says when there is nothing to link, or nothing that could be a socket of this directory's neighbour. */
const UNLINKABLE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'EPERM'];

function unlessGone(link: () => void): boolean {
  try {
    link();
    return true;
  } catch (error) {
    if (UNLINKABLE.includes(errnoOf(error) ?? '')) return false;
    throw error;
  }
}

function makeSymlink(target: string, path: string): void {
  const temporary = besides(path);
  replacing(temporary, () => symlinkSync(target, temporary));
  try {
    renameSync(temporary, path);
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    if (!lstatSync(path).isDirectory()) throw new Error('something else has this name');
    return;
  }
  const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

function removeFile(path: string): void {
  present(() => unlinkSync(path));
}

function listDirectory(path: string): readonly string[] {
  return (present(() => readdirSync(path)) ?? []).filter((name) => !TEMPORARY.test(name)).sort();
}

/** Names of files that are being written; one that a crash left is replaced by the next write. */
const TEMPORARY = /^\..+\.new$/;

function besides(path: string): string {
  assert(path.startsWith('/'), 'a path of the host is absolute');
  return join(dirname(path), `.${basename(path)}.new`);
}

/** Makes something new; what an interrupted call left under its name is removed first. */
function replacing<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    removeFile(path);
    return make();
  }
}

/** Null instead of ENOENT. */
function present<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
