import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SpawnError } from '../base/errors.ts';
import { PRIVATE_HOST_BOOT_TIMEOUT_MS } from '../base/limits.ts';
import type { Programs } from './needs.ts';
import type { Scratch } from './scratch.ts';
import { loadSetns, runHelper, spawnHelper } from './spawn.ts';

/** Descriptor on which init.sh tells its process id. */
const REPORT_DESCRIPTOR = 3;

/** The process that made the namespaces and waits for PID 1 in them. */
export interface Init {
  readonly child: ChildProcess;
  /** Settles when every process of the host is gone. */
  readonly ended: Promise<unknown>;
  /** What was printed before PID 1 became systemd. */
  readonly said: Promise<string>;
}

/**
 * Starts the namespaces with init.sh as their first process. Three things end it with this process: the signal at the
 * death of a parent, for unshare and for PID 1, and the janitor. It has a session of its own, so that signals from a
 * terminal reach only the program that runs inside.
 */
export function startInit(programs: Programs, script: string, scratch: Scratch): Init {
  const namespaces = ['--mount', '--propagation', 'private', '--net', '--ipc', '--uts', '--pid', '--fork'];
  const child = spawnHelper(
    [
      ...[programs.setpriv, '--pdeathsig', 'KILL'],
      ...[programs.unshare, ...namespaces, '--kill-child=KILL'],
      ...['/bin/sh', script, 'join', scratch.directory],
    ],
    ['ignore', 'ignore', 'pipe', 'pipe'],
  );
  const ended = once(child, 'exit');
  ended.catch(() => undefined);
  return { child, ended, said: text(child.stderr as Readable) };
}

/** Waits for the host's own unit that says it is up. Returns the process id of PID 1 as the machine knows it. */
export async function waitUntilUp(init: Init, signal?: AbortSignal): Promise<number> {
  const timeout = AbortSignal.timeout(PRIVATE_HOST_BOOT_TIMEOUT_MS);
  const abort = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  const died = init.ended.then(async () => {
    const said = (await init.said).trim();
    throw new SpawnError('private-host.boot-failed', `PID 1 ended while booting: ${said || 'it said nothing'}`, {
      remedy: 'a private host needs root, overlayfs and the right to mount (for a container: --privileged)',
    });
  });
  const aborted = once(abort, 'abort').then(() => {
    if (signal?.aborted === true) throw signal.reason;
    throw new SpawnError('private-host.boot-failed', `not up after ${PRIVATE_HOST_BOOT_TIMEOUT_MS} ms`);
  });
  const up = readInitPid(init.child).then(async (pid) => {
    await readReady(pid);
    return pid;
  });
  return Promise.race([up, died, aborted]) as Promise<number>;
}

async function readInitPid(child: ChildProcess): Promise<number> {
  const report = child.stdio[REPORT_DESCRIPTOR] as Readable;
  // Loading the C library takes as long as init.sh does.
  setImmediate(loadSetns);
  // One short line, so one chunk. When init.sh fails there is none, and the end of its parent tells the reason.
  const [line] = (await once(report, 'data')) as [Buffer];
  report.destroy();
  return Number(line.toString());
}

/** Opened for writing too, or it would seem to have ended before the unit that writes has opened it. */
async function readReady(initPid: number): Promise<void> {
  const path = `/proc/${initPid}/root/run/private-host/ready`;
  const fifo = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), writable: false });
  try {
    await once(fifo, 'data');
  } finally {
    fifo.destroy();
  }
}

/**
 * Options of systemd-run that keep its hands off the command line: since version 254 it can replace `$NAME` in it, which
 * the older ones neither do nor know an option for.
 */
export function probeScopeOptions(programs: Programs): readonly string[] {
  const { stdout } = runHelper([programs['systemd-run'], '--help']);
  return stdout.includes('--expand-environment') ? ['--expand-environment=no'] : [];
}
