import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { SpawnError } from '../base/errors.ts';
import { runHelper } from './spawn.ts';

/** Everything that ends up in the installed tree, relative to the checkout. */
const INPUTS = ['dist', 'units', 'schema', 'src/setup'];

/** A tree that was last used so long ago that no boot can be copying from it, milliseconds. */
const STALE_AGE_MS = 10 * 60_000;

/**
 * Directory with agent-spawn installed below it by the checkout's own installer, made anew when an input changed. A boot
 * copies it: that takes milliseconds, where the installer itself takes as long as half a boot.
 */
export function installedTree(checkout: string): string {
  const parent = join(checkout, 'build', 'private-host');
  const tree = join(parent, fingerprint(checkout));
  if (existsSync(tree)) {
    const now = new Date();
    utimesSync(tree, now, now);
    return tree;
  }
  mkdirSync(parent, { recursive: true });
  removeStaleTrees(parent);
  const fresh = `${tree}.${process.pid}`;
  const installer = join(checkout, 'src/setup/install-system.mjs');
  const ended = runHelper([process.execPath, installer, '--destdir', fresh, '--enable']);
  if (ended.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw new SpawnError('private-host.unfit', `agent-spawn cannot be installed: ${ended.stderr.trim()}`, {
      remedy: 'npm run build, or --bare for a private host without agent-spawn',
    });
  }
  try {
    renameSync(fresh, tree);
  } catch {
    // Another boot was faster with the same tree.
    rmSync(fresh, { recursive: true, force: true });
  }
  return tree;
}

function removeStaleTrees(parent: string): void {
  for (const name of readdirSync(parent)) {
    const tree = join(parent, name);
    const usedAt = statSync(tree, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (performance.timeOrigin - usedAt > STALE_AGE_MS) rmSync(tree, { recursive: true, force: true });
  }
}

function fingerprint(checkout: string): string {
  const hash = createHash('sha256').update(`${process.execPath}\n`);
  for (const input of INPUTS) addStamps(hash, join(checkout, input));
  return hash.digest('hex').slice(0, 16);
}

function addStamps(hash: ReturnType<typeof createHash>, path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory()) {
    for (const name of readdirSync(path).sort()) addStamps(hash, join(path, name));
  } else {
    hash.update(`${path} ${found.size} ${found.mtimeMs}\n`);
  }
}
