import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { CHECKOUT } from '../../helpers/checkout.ts';

/** How a program of the project ended. */
export interface Finished {
  /** Exit status, or the name of the signal that ended it. */
  readonly status: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program to start. */
export interface ProgramOptions {
  readonly program: 'agent-spawn' | 'agentctl';
  readonly words: readonly string[];
  readonly socketPath: string;
  /** Standard input; none means an empty one. */
  readonly input?: string | Uint8Array;
  /** The test itself writes and ends the standard input. */
  readonly keepsInput?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A running program with what it printed so far. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly finished: Promise<Finished>;
}

/** Starts a compiled program as a process of its own. */
export function startProgram(options: ProgramOptions): Running {
  const { program, words, socketPath, input, environment } = options;
  const child = spawn(process.execPath, [join(CHECKOUT, `build/src/main/${program}.js`), ...words], {
    env: { PATH: process.env['PATH'], AGENT_SPAWN_SOCKET: socketPath, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (piece: Buffer) => printed.stdout.push(piece));
  child.stderr.on('data', (piece: Buffer) => printed.stderr.push(piece));
  child.stdin.on('error', () => undefined);
  if (options.keepsInput !== true) child.stdin.end(input ?? '');
  const stdout = (): string => Buffer.concat(printed.stdout).toString();
  const stderr = (): string => Buffer.concat(printed.stderr).toString();
  const finished = once(child, 'close').then(([code, signal]) => ({
    status: (code ?? signal) as number | string,
    stdout: stdout(),
    stderr: stderr(),
  }));
  return { child, stdout, stderr, finished };
}

/** Runs a compiled program to its end. */
export function runProgram(options: ProgramOptions): Promise<Finished> {
  return startProgram(options).finished;
}
