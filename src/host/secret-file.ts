import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SECRET_LINKS_MAX } from '../base/limits.ts';
import { errnoOf } from './call-failed.ts';
import { OpenDirectory, type OpenInode } from './open-directory.ts';
import { fault, type SecretFault, type SecretRead, type SecretRules } from './secret-read.ts';

const { O_NOCTTY, O_NONBLOCK, O_RDONLY, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } =
  constants;

/** What messages call the kinds of inode that are no file. */
const KINDS: ReadonlyMap<number, string> = new Map([
  [S_IFDIR, 'directory'],
  [S_IFIFO, 'FIFO'],
  [S_IFSOCK, 'socket'],
  [S_IFCHR, 'device'],
  [S_IFBLK, 'device'],
]);

/** What is looked at of an inode. */
interface Node {
  readonly uid: number;
  readonly gid: number;
  readonly kind: number;
  /** Permission bits; an access control list shows in those of the group (acl(5), "CORRESPONDENCE"). */
  readonly mode: number;
  readonly size: number;
}

/** Where a walk is: a directory without symlinks above it, its path, and the names that are still to go. */
interface Place {
  directory: OpenDirectory;
  path: string;
  readonly names: string[];
}

/**
 * Reads a secret by an absolute path. Symlinks are followed, since tools that
 * unpack secrets link to them, but one name at a time: every directory on the
 * way, every symlink and the file must be root's, and nobody else may write to
 * any of them, or somebody else would choose the secret. A directory that
 * everybody may write to will do when it is sticky, as /tmp is: there nobody
 * can move what is root's. What is no regular file is never opened. Never
 * throws.
 */
export async function readSecretFile(path: string, rules: SecretRules): Promise<SecretRead> {
  const place: Place = { directory: await OpenDirectory.root(), path: '', names: namesOf(path) };
  try {
    return await walk(place, rules);
  } catch (error) {
    return fault({ kind: 'unreadable', path, errno: errnoOf(error) ?? 'an error' });
  } finally {
    await place.directory[Symbol.asyncDispose]();
  }
}

async function walk(place: Place, rules: SecretRules): Promise<SecretRead> {
  let links = 0;
  for (;;) {
    const refusal = directoryFault(place.path === '' ? '/' : place.path, nodeOf(await place.directory.stat()));
    if (refusal !== null) return fault(refusal);
    const name = place.names.shift();
    if (name === undefined) return fault({ kind: 'not-a-file', path: place.path, what: 'directory' });
    if (name === '..') {
      await enter(place, await place.directory.parent(), place.path.replace(/\/[^/]*$/, ''));
      continue;
    }
    const path = `${place.path}/${name}`;
    await using entry = await place.directory.entry(name);
    if (entry === null) return fault({ kind: 'absent', path });
    const node = nodeOf(await entry.stat());
    if (node.kind === S_IFLNK) {
      if (node.uid !== 0) return fault({ kind: 'foreign', path, uid: node.uid });
      links += 1;
      if (links > SECRET_LINKS_MAX) return fault({ kind: 'link-loop', path });
      await follow(place, await place.directory.readLink(name));
    } else if (node.kind === S_IFDIR) {
      const inner = await place.directory.directory(name);
      if (inner === null) return fault({ kind: 'unstable', path });
      await enter(place, inner, path);
    } else if (place.names.length > 0) {
      return fault({ kind: 'absent', path: `${path}/${place.names.join('/')}` });
    } else {
      return await readInode(entry, path, rules);
    }
  }
}

/** Goes into a directory, whose descriptor takes the place of the present one. */
async function enter(place: Place, directory: OpenDirectory, path: string): Promise<void> {
  await place.directory[Symbol.asyncDispose]();
  place.directory = directory;
  place.path = path;
}

async function follow(place: Place, target: string): Promise<void> {
  place.names.unshift(...namesOf(target));
  if (target.startsWith('/')) await enter(place, await OpenDirectory.root(), '');
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function directoryFault(path: string, { uid, gid, mode }: Node): SecretFault | null {
  if (uid !== 0) return { kind: 'foreign', path, uid };
  const isOthers = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
  return isOthers && (mode & 0o1000) === 0 ? { kind: 'writable', path, mode } : null;
}

function fileFault(path: string, { uid, kind, mode, size }: Node, rules: SecretRules): SecretFault | null {
  if (kind !== S_IFREG) return { kind: 'not-a-file', path, what: KINDS.get(kind) ?? 'something else' };
  if (uid !== 0) return { kind: 'foreign', path, uid };
  if ((mode & 0o022) !== 0) return { kind: 'writable', path, mode };
  if ((mode & 0o077) !== 0 && !rules.mayBeReadable) return { kind: 'readable', path, mode };
  return size > rules.bytesMax ? { kind: 'too-large', path, bytes: size } : null;
}

/** Reads the inode that was looked at, and no other that has its name by now. */
async function readInode(entry: OpenInode, path: string, rules: SecretRules): Promise<SecretRead> {
  const refusal = fileFault(path, nodeOf(await entry.stat()), rules);
  if (refusal !== null) return fault(refusal);
  const file = await open(entry.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  try {
    const before = await file.stat({ bigint: true });
    const bytes = await readAll(file, Number(before.size));
    const after = await file.stat({ bigint: true });
    const isSame = after.size === before.size && after.mtimeNs === before.mtimeNs && after.ctimeNs === before.ctimeNs;
    return isSame && bytes !== null ? { ok: true, bytes } : fault({ kind: 'unstable', path });
  } finally {
    await file.close();
  }
}

/** Exactly the bytes that there were, or null when there are fewer or more. */
async function readAll(file: FileHandle, size: number): Promise<Uint8Array | null> {
  const bytes = Buffer.alloc(size + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length === size ? bytes.subarray(0, size) : null;
}

function nodeOf(stat: { readonly [Key in 'uid' | 'gid' | 'mode' | 'size']: bigint }): Node {
  const mode = Number(stat.mode);
  return {
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    kind: mode & S_IFMT,
    mode: mode & 0o7777,
    size: Number(stat.size),
  };
}
