import { lstat } from 'node:fs/promises';
import { unless } from './call-failed.ts';
import { isTrustedProgram } from './trusted-program.ts';

/** Where units/agent-egress@.service runs it from; systemd's own directory, and not in the search path. */
const SOCKET_PROXYD = '/usr/lib/systemd/systemd-socket-proxyd';

const ABSENT = ['ENOENT', 'ENOTDIR', 'EACCES'];

/** Path of systemd-socket-proxyd, or null. */
export async function probeSocketProxyd(): Promise<string | null> {
  return (await isTrustedProgram(SOCKET_PROXYD)) ? SOCKET_PROXYD : null;
}

/** Whether a Unix socket has this path. */
export async function isSocket(path: string): Promise<boolean> {
  return (await unless(ABSENT, lstat(path)))?.isSocket() === true;
}
