import { basename, dirname } from 'node:path';
import { unless } from './call-failed.ts';
import { OpenDirectory } from './open-directory.ts';
import { walkTree } from './tree-walk.ts';

/** Removes a file or a tree on one file system without following symlinks; absent is fine. */
export async function removeTree(path: string): Promise<void> {
  await using parent = await unless(['ENOENT'], OpenDirectory.trusted(dirname(path)));
  if (parent === null) return;
  const name = basename(path);
  await using root = await parent.directory(name);
  if (root === null) return parent.unlink(name);
  await walkTree(root, {
    leaf: (_entry, directory, leaf) => directory.unlink(leaf),
    directory: async (_entry, above, child) => void (await above.removeDirectory(child)),
  });
  await parent.removeDirectory(name);
}
