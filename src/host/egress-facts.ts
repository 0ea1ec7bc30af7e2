import { lstat } from 'node:fs/promises';
import { unless } from './call-failed.ts';
import { findTrustedProgram } from './trusted-program.ts';

/** Where units/agent-egress@.service runs it from; systemd's own directory, and not in the search path. */
const DIRECTORIES = ['/usr/lib/systemd'];

const ABSENT = ['ENOENT', 'ENOTDIR', 'EACCES'];

/** Path of systemd-socket-proxyd, or null; `tools` are looked through first, as by the installer. */
export async function probeSocketProxyd(tools: readonly string[]): Promise<string | null> {
  return findTrustedProgram('systemd-socket-proxyd', tools, DIRECTORIES);
}

/** Whether a Unix socket has this path. */
export async function isSocket(path: string): Promise<boolean> {
  return (await unless(ABSENT, lstat(path)))?.isSocket() === true;
}
