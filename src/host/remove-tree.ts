import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { unless } from './call-failed.ts';
import { OpenDirectory } from './open-directory.ts';
import { walkTree } from './tree-walk.ts';

/**
 * Removes a file or a tree without following symlinks; absent is fine. Throws
 * when something remains, for instance because another file system is mounted
 * in it, which is left alone.
 */
export async function removeTree(path: string): Promise<void> {
  if (removeOwnFiles(path)) return;
  await using parent = await unless(['ENOENT'], OpenDirectory.trusted(dirname(path)));
  if (parent === null) return;
  const name = basename(path);
  await using root = await parent.directory(name);
  if (root === null) return await parent.unlink(name);
  await walkTree(root, {
    leaf: (_entry, directory, leaf) => directory.unlink(leaf),
    directory: async (_entry, above, child) => void (await above.removeDirectory(child)),
  });
  if (!(await parent.removeDirectory(name))) throw new Error('something of it could not be removed');
}

/** Write permission of anybody but the owner. */
const OTHERS_WRITE = 0o022;

/**
 * Removes a directory of our own that holds files only, at once: every end of an agent waits for two of them, and
 * the careful way takes milliseconds. Only we can turn a name in such a directory. False when it is another kind of
 * thing or something is in the way, to be done or told by the careful way.
 */
function removeOwnFiles(path: string): boolean {
  try {
    const stat = lstatSync(path);
    if (!stat.isDirectory() || stat.uid !== process.geteuid?.() || (stat.mode & OTHERS_WRITE) !== 0) return false;
    const entries = readdirSync(path, { withFileTypes: true });
    if (entries.some((entry) => entry.isDirectory())) return false;
    for (const { name } of entries) unlinkSync(join(path, name));
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
