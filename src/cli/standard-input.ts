import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** Device number of /dev/null (1, 3 in devices.txt of the kernel). */
const NULL_DEVICE = 0x103;

/**
 * Our standard input, or null when it is /dev/null, as a supervisor gives it: there is nothing to read, and
 * `process.stdin` would load all of Node's file streams to find that out, 4 ms of CPU time while the agent starts.
 */
export function standardInput(): Readable | null {
  return isNullDevice() ? null : process.stdin;
}

function isNullDevice(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isCharacterDevice() && stat.rdev === NULL_DEVICE;
  } catch {
    // A closed descriptor is for Node to deal with.
    return false;
  }
}
