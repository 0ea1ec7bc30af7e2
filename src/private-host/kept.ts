import { realpathSync } from 'node:fs';
import { SpawnError } from '../base/errors.ts';

/** Directories whose contents a private host shows through an overlay (init.sh). */
const OVERLAID = ['/etc', '/opt', '/usr', '/var'];
/** Directories below them that are the machine's own inside as well. */
const SHARED = ['/var/tmp'];
/** Directories that must stay covered, whatever lies in or below them. */
const PRIVATE = ['/etc', '/usr/bin', '/usr/lib', '/usr/share', '/var/lib/agent-spawn', '/var/lib/systemd', '/var/log'];

/**
 * Those of `directories` that an overlay would cover and that may stay the machine's own, with /var/tmp; none of the
 * result lies in another.
 */
export function keptDirectories(directories: readonly string[]): readonly string[] {
  const candidates = [...SHARED, ...directories.map(resolveDirectory)].filter(
    (directory) => isIn(directory, OVERLAID) && !OVERLAID.includes(directory) && !overlapsPrivate(directory),
  );
  return [...new Set(candidates)].filter((directory) => !candidates.some((other) => directory.startsWith(`${other}/`)));
}

function resolveDirectory(directory: string): string {
  try {
    return realpathSync(directory);
  } catch (error) {
    throw new SpawnError('private-host.unfit', `cannot start in ${directory}: ${(error as Error).message}`, {
      remedy: 'run it from a directory that exists',
      cause: error,
    });
  }
}

function isIn(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path.startsWith(`${root}/`));
}

function overlapsPrivate(path: string): boolean {
  return PRIVATE.some((root) => root === path || root.startsWith(`${path}/`) || path.startsWith(`${root}/`));
}
