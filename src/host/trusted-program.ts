import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unless } from './call-failed.ts';

/** Where programs of the system are; the last one is NixOS's. */
const DIRECTORIES = ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'];

/** Path of a program that only root can have put there, or null; `tools` are directories to look in first. */
export async function findTrustedProgram(
  name: string,
  tools: readonly string[],
  usual: readonly string[] = DIRECTORIES,
): Promise<string | null> {
  for (const directory of [...tools, ...usual]) {
    const path = join(directory, name);
    if (await isTrustedProgram(path)) return path;
  }
  return null;
}

/**
 * Whether a path leads to an executable file of root's that nobody else can
 * write or put another in place of: the file is root's and closed to group and
 * others, every directory above it is root's and closed to others (or sticky,
 * as Nix's store is).
 */
export async function isTrustedProgram(path: string): Promise<boolean> {
  const real = await unless(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'], realpath(path));
  if (real === null) return false;
  const file = await stat(real);
  if (!file.isFile() || file.uid !== 0 || (file.mode & 0o022) !== 0 || (file.mode & 0o111) === 0) return false;
  for (let directory = dirname(real); ; directory = dirname(directory)) {
    const { uid, mode } = await stat(directory);
    if (uid !== 0 || ((mode & 0o002) !== 0 && (mode & 0o1000) === 0)) return false;
    if (directory === '/') return true;
  }
}
