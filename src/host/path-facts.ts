import type { Stats } from 'node:fs';
import { lstat, opendir, realpath } from 'node:fs/promises';
import { assert } from '../base/assert.ts';
import type { NodeFacts, PathFacts } from '../plan/facts.ts';
import { unless } from './call-failed.ts';
import type { UserNames } from './user-names.ts';

/** One component of a path on the way down. */
type Ancestor = NodeFacts & { readonly path: string };

const ABSENT = ['ENOENT', 'ENOTDIR', 'ELOOP'];

/**
 * Looks at every component of an absolute, normal path. The file system may be
 * a slow one, so all of them are asked for at once and off the main thread.
 */
export async function probePath(path: string, users: Pick<UserNames, 'find'>): Promise<PathFacts> {
  const prefixes = prefixesOf(path);
  const stats = await Promise.all(prefixes.map((prefix) => unless(ABSENT, lstat(prefix))));
  const linkIndex = stats.findIndex((stat) => stat?.isSymbolicLink() === true);
  const absentIndex = stats.indexOf(null);
  const isLinked = linkIndex !== -1 && (absentIndex === -1 || linkIndex < absentIndex);
  const end = isLinked ? linkIndex : absentIndex === -1 ? prefixes.length - 1 : absentIndex;
  const ancestors = prefixes.slice(0, end).flatMap((prefix, index) => ancestor(prefix, stats[index] ?? null));
  const stat = end === prefixes.length - 1 ? (stats[end] ?? null) : null;
  const owner = stat === null || stat.uid === 0 ? null : await users.find(stat.uid);
  // Nothing can come to be below a file.
  const isBelowFile = !isLinked && stat === null && stats[end - 1]?.isDirectory() === false;
  const kind = isLinked ? 'symlink' : isBelowFile ? 'other' : kindOf(stat);
  return {
    path,
    kind,
    symlinkAt: isLinked ? (prefixes[linkIndex] ?? path) : null,
    realPath: isLinked ? await unless(ABSENT, realpath(path)) : stat === null ? null : path,
    node: stat === null ? null : nodeOf(stat),
    ancestors,
    isEmpty: kind === 'directory' && (await isEmptyDirectory(path)),
    ownerName: owner?.name ?? null,
    ownerPrimaryGid: owner?.gid ?? null,
  };
}

/** The directories above a path, from `/` down. */
export async function probeAncestors(path: string): Promise<readonly Ancestor[]> {
  const prefixes = prefixesOf(path).slice(0, -1);
  const stats = await Promise.all(prefixes.map((prefix) => unless(ABSENT, lstat(prefix))));
  return prefixes.flatMap((prefix, index) => ancestor(prefix, stats[index] ?? null));
}

/** `/`, `/a`, `/a/b` for `/a/b`. */
export function prefixesOf(path: string): readonly string[] {
  assert(path.startsWith('/'), 'a path of the host is absolute');
  const names = path.split('/').filter((name) => name !== '');
  assert(
    names.every((name) => name !== '.' && name !== '..'),
    'a path of the host is normal',
  );
  return ['/', ...names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)];
}

function ancestor(path: string, stat: Stats | null): readonly Ancestor[] {
  return stat === null ? [] : [{ path, ...nodeOf(stat) }];
}

function nodeOf(stat: Stats): NodeFacts {
  return { uid: stat.uid, gid: stat.gid, mode: stat.mode & 0o7777 };
}

function kindOf(stat: Stats | null): PathFacts['kind'] {
  if (stat === null) return 'absent';
  if (stat.isDirectory()) return 'directory';
  return stat.isFile() ? 'file' : 'other';
}

async function isEmptyDirectory(path: string): Promise<boolean> {
  const directory = await unless([...ABSENT, 'EACCES'], opendir(path, { bufferSize: 1 }));
  if (directory === null) return false;
  try {
    return (await directory.read()) === null;
  } finally {
    await directory.close();
  }
}
