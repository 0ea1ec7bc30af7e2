import { readFileSync, statSync } from 'node:fs';

/**
 * The group whose members may connect to a socket, by its name or else its number; null when there is none but root's.
 * For messages: what counts is what connect(2) says.
 */
export function callingGroup(socketPath: string): string | null {
  const found = statSync(socketPath, { throwIfNoEntry: false });
  if (found === undefined || found.gid === 0 || (found.mode & 0o020) === 0) return null;
  return groupName(found.gid) ?? String(found.gid);
}

function groupName(gid: number): string | null {
  const lines = readGroups().split('\n');
  return lines.map((line) => line.split(':')).find(([, , number]) => number === String(gid))?.[0] ?? null;
}

function readGroups(): string {
  try {
    return readFileSync('/etc/group', 'utf8');
  } catch {
    return '';
  }
}
