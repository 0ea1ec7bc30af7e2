import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CHECKOUT } from '../helpers/checkout.ts';

/** The program behind `npm run host`. */
export const PROGRAM: string = join(CHECKOUT, 'build/src/main/private-host.js');

/** How a run of the program ended. */
export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** How to start the program. */
export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
}

/** Starts the program with pipes. */
export function startProgram(args: readonly string[], options: ProgramOptions = {}): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], {
    cwd: options.cwd ?? CHECKOUT,
    env: { ...(options.env ?? process.env) },
    stdio: 'pipe',
  });
}

/** Collects what a started program prints until it ends. */
export async function finishProgram(child: ChildProcess, input: string | Uint8Array = ''): Promise<ProgramResult> {
  const closed = once(child, 'close');
  (child.stdin as Writable).end(input);
  const [stdout, stderr] = await Promise.all([
    buffer(child.stdout as Readable),
    buffer(child.stderr as Readable),
    closed,
  ]);
  return { status: child.exitCode, stdout, stderr: stderr.toString() };
}

/** Runs the program to its end. */
export async function runProgram(args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> {
  return finishProgram(startProgram(args, options), options.input);
}

/** What private hosts of one process are called on the machine: a pattern for leak checks. */
export function namesOf(pid: number | undefined): RegExp {
  return new RegExp(`agent-spawn-host-${pid}-`);
}
