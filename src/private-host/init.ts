import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SpawnError } from '../base/errors.ts';
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

/** Waits until init.sh has made its mounts. Returns the process id of PID 1 as the machine knows it. */
export function waitUntilAssembled(init: Init, abort: AbortSignal): Promise<number> {
  // Loading the C library takes as long as init.sh does.
  setImmediate(loadSetns);
  return unlessEnded(init, readInitPid(init.child, abort));
}

/** Waits for the host's own unit that says it is up. */
export function waitUntilReady(init: Init, initPid: number, abort: AbortSignal): Promise<void> {
  return unlessEnded(init, readReady(initPid, abort));
}

/** When PID 1 ends, so does what is waited for: the failure tells what init.sh said. */
async function unlessEnded<T>(init: Init, awaited: Promise<T>): Promise<T> {
  const died = init.ended.then(async () => {
    const said = (await init.said).trim();
    throw new SpawnError('private-host.boot-failed', `PID 1 ended while booting: ${said || 'it said nothing'}`, {
      remedy: 'a private host needs root, overlayfs and the right to mount (for a container: --privileged)',
    });
  });
  return Promise.race([awaited, died]);
}

async function readInitPid(child: ChildProcess, abort: AbortSignal): Promise<number> {
  const report = child.stdio[REPORT_DESCRIPTOR] as Readable;
  // One short line, so one chunk. When init.sh fails there is none, and the end of its parent tells the reason.
  const [line] = (await once(report, 'data', { signal: abort })) as [Buffer];
  report.destroy();
  return Number(line.toString());
}

/** Opened for writing too, or it would seem to have ended before the unit that writes has opened it. */
async function readReady(initPid: number, abort: AbortSignal): Promise<void> {
  const path = `/proc/${initPid}/root/run/private-host/ready`;
  const fifo = new Socket({ fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK), writable: false });
  try {
    await once(fifo, 'data', { signal: abort });
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
