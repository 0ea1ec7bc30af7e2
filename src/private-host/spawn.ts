import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import koffi from 'koffi';
import { SpawnError } from '../base/errors.ts';

/** What the host's own helpers see; they are told everything else by argument. */
const HELPER_ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

/** clone(2), CLONE_NEWPID. */
const CLONE_NEWPID = 0x20000000;

type Setns = (descriptor: number, namespaceType: number) => number;

let setns: Setns | undefined;

/** Where a new process begins its life. */
export interface Birthplace {
  /** Process whose pid namespace it is born in, as this process knows it. */
  readonly initPid: number;
  /** Pairs of cgroup files: one that takes this process in for a moment, and the one that takes it back. */
  readonly cgroups: readonly { readonly visit: string; readonly home: string }[];
}

/** How a program ended that was waited for. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a helper in a session of its own, where no signal from a terminal reaches it. */
export function spawnHelper(argv: readonly string[], stdio: NonNullable<SpawnOptions['stdio']>): ChildProcess {
  const [program = '', ...args] = argv;
  return spawn(program, args, { cwd: '/', detached: true, env: HELPER_ENVIRONMENT, stdio });
}

/** Runs a helper to its end. */
export function runHelper(argv: readonly string[]): Ended {
  const [program = '', ...args] = argv;
  const ended = spawnSync(program, args, {
    encoding: 'utf8',
    env: HELPER_ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { status: ended.status, stdout: ended.stdout, stderr: ended.error?.message ?? ended.stderr };
}

/**
 * Starts a program as a direct child of this process but in another pid namespace and other cgroups. There is no process
 * in between that a signal from the terminal could end first, and the exit status comes from the kernel.
 *
 * Both are inherited from this process, which changes its own for the moment of the fork. The namespace for children
 * belongs to the calling thread, which cannot start threads meanwhile: all of this is one synchronous step. The cgroups
 * cannot be left to PID 1 inside: where cgroup namespaces delegate (`nsdelegate`), it may not fetch what is outside.
 */
export function spawnAt(birthplace: Birthplace, argv: readonly string[], options: SpawnOptions): ChildProcess {
  const [program = '', ...args] = argv;
  const inside = openSync(`/proc/${birthplace.initPid}/ns/pid`, 'r');
  const outside = openSync('/proc/self/ns/pid', 'r');
  try {
    for (const { visit } of birthplace.cgroups) writeFileSync(visit, String(process.pid));
    enterForChildren(inside);
    return spawn(program, args, options);
  } finally {
    enterForChildren(outside);
    for (const { home } of birthplace.cgroups) writeFileSync(home, String(process.pid));
    closeSync(inside);
    closeSync(outside);
  }
}

/** Loads the C library, some ten milliseconds; whoever waits for something else anyway calls it then. */
export function loadSetns(): Setns {
  if (setns === undefined) {
    // No file name: what this process is linked with, whichever C library that is.
    setns = koffi.load(null).func('int setns(int descriptor, int namespaceType)') as unknown as Setns;
  }
  return setns;
}

function enterForChildren(descriptor: number): void {
  if (loadSetns()(descriptor, CLONE_NEWPID) === 0) return;
  throw new SpawnError('private-host.boot-failed', `cannot enter a pid namespace: errno ${koffi.errno()}`);
}
