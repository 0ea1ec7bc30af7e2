import { readSecretFile } from './secret-file.ts';
import type { SecretFault } from './secret-read.ts';

/**
 * Content of the file that a symlink leads to, over any number of further
 * ones, or null when it leads to nothing. The way there must be as for a
 * secret: root's, with nobody else who could lead it elsewhere.
 */
export async function readLinkedFile(path: string, bytesMax: number): Promise<Uint8Array | null> {
  const read = await readSecretFile(path, { bytesMax, mayBeReadable: true });
  if (read.ok) return read.bytes;
  if (read.fault.kind === 'absent') return null;
  throw new Error(cause(read.fault));
}

function cause(fault: SecretFault): string {
  switch (fault.kind) {
    case 'foreign':
      return `on the way of its symlink, ${fault.path} belongs to uid ${fault.uid}, who could exchange it`;
    case 'writable':
      return `on the way of its symlink, others than root can write to ${fault.path}, and so exchange it`;
    case 'not-a-file':
      return `its symlink leads to ${fault.path}, a ${fault.what}`;
    case 'too-large':
      return `its symlink leads to ${fault.path}, which has ${fault.bytes} bytes`;
    case 'link-loop':
      return 'its symlinks lead nowhere';
    case 'unreadable':
      return `its symlink leads to ${fault.path}, which cannot be read (${fault.errno})`;
    default:
      return 'what its symlink leads to was written while it was read';
  }
}
