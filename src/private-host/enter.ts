import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { SpawnError } from '../base/errors.ts';

/** clone(2), CLONE_NEWPID. */
const CLONE_NEWPID = 0x20000000;

type Setns = (descriptor: number, namespaceType: number) => number;

let setns: Setns | undefined;

/**
 * Starts a program as a direct child of this process but inside the pid namespace of `initPid`: there is no process in
 * between that a signal from the terminal could end first, and the exit status comes from the kernel. nsenter(1), which
 * the program itself must be, enters the other namespaces.
 *
 * The namespace for children is a property of the calling thread, and a thread cannot start another one while it is
 * set: both calls and the fork between them are one synchronous step.
 */
export function spawnInPidNamespace(initPid: number, argv: readonly string[], options: SpawnOptions): ChildProcess {
  const [program = '', ...args] = argv;
  const inside = openSync(`/proc/${initPid}/ns/pid`, 'r');
  const outside = openSync('/proc/self/ns/pid', 'r');
  try {
    enterForChildren(inside);
    try {
      return spawn(program, args, options);
    } finally {
      enterForChildren(outside);
    }
  } finally {
    closeSync(inside);
    closeSync(outside);
  }
}

/** Loads the C library, some ten milliseconds; whoever waits for something else anyway calls it then. */
export function loadSetns(): Setns {
  if (setns === undefined) {
    // No file name: the functions that this process is linked with, whatever C library that is.
    setns = koffi.load(null).func('int setns(int descriptor, int namespaceType)') as unknown as Setns;
  }
  return setns;
}

function enterForChildren(descriptor: number): void {
  if (loadSetns()(descriptor, CLONE_NEWPID) === 0) return;
  throw new SpawnError('private-host.boot-failed', `cannot enter the pid namespace: errno ${koffi.errno()}`);
}
