import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpawnError } from '../base/errors.ts';
import { runHelper } from './spawn.ts';

/** Everything a private host makes on the machine has a name that begins so. */
export const NAME_PREFIX = 'agent-spawn-host-';

const PARENT = '/run';

/** What a private host has on the machine besides processes and cgroups: one directory of notes, root only. */
export interface Scratch {
  /** `agent-spawn-host-<pid>-<random>`, also the name of its cgroups. */
  readonly name: string;
  readonly directory: string;
  /** The boot id the host shows, a UUID. */
  readonly bootId: string;
}

/** Chooses a name; makes nothing. */
export function planScratch(): Scratch {
  const name = `${NAME_PREFIX}${process.pid}-${randomBytes(3).toString('hex')}`;
  return { name, directory: join(PARENT, name), bootId: randomUUID() };
}

/** Makes the directory; its owner is this process. */
export function createScratch({ directory, bootId }: Scratch): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    throw new SpawnError('private-host.unfit', `cannot make ${directory}: ${(error as Error).message}`, {
      remedy: 'the private host needs root and a writable /run',
      cause: error,
    });
  }
  writeFileSync(join(directory, 'owner'), ownerRecord(process.pid));
  writeFileSync(join(directory, 'boot-id'), `${bootId}\n`);
  mkdirSync(join(directory, 'private'));
}

/**
 * Removes what killed owners left. Directories of owners in another pid namespace are theirs to judge.
 * @param janitor path of janitor.sh
 */
export function sweepScratch(janitor: string): void {
  for (const entry of readdirSync(PARENT)) {
    if (!entry.startsWith(NAME_PREFIX)) continue;
    const directory = join(PARENT, entry);
    if (isOwned(directory)) continue;
    // Its standard input is at its end: it works at once.
    runHelper(['/bin/sh', janitor, directory]);
  }
}

function isOwned(directory: string): boolean {
  const file = join(directory, 'owner');
  const recorded = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // Not written yet, or never: the name tells who made it.
  if (recorded === '') return existsSync(`/proc/${/(\d+)-[0-9a-f]+$/.exec(directory)?.[1] ?? 0}`);
  const [machineBoot, namespace, pid] = recorded.split('\n');
  const [currentBoot, currentNamespace] = ownerRecord(process.pid).split('\n');
  if (machineBoot !== currentBoot) return false;
  if (namespace !== currentNamespace) return true;
  return ownerRecord(Number(pid)) === recorded;
}

/** Boot, pid namespace, process id and start time: together they name one process for ever; empty when it is gone. */
function ownerRecord(pid: number): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  try {
    const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22 of proc_pid_stat(5); the name before it may hold blanks and parentheses.
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return [boot, namespace, String(pid), started].join('\n');
  } catch {
    return '';
  }
}
