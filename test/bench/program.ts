import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Times } from './contestant.ts';

/** A program as the benchmark starts it. */
export interface Program {
  readonly argv: readonly string[];
  readonly cwd?: string;
  /** On top of {@link ENVIRONMENT}. */
  readonly env?: Readonly<Record<string, string>>;
  /** Uid and gid it runs as; default: ours. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

/**
 * The whole environment of every contestant. Not ours: variables such as NODE_EXTRA_CA_CERTS, which makes Node 20 read
 * and parse a certificate bundle at each start, would be measured too.
 */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/root',
  LANG: 'C.UTF-8',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

/** A program that has not ended by then hangs, milliseconds. */
const TIMEOUT_MS = 30_000;

/** Runs a program to its end with its output read. Throws when its status is not 0. */
export async function timeProgram({ argv, cwd = '/', env = {}, user }: Program): Promise<Times> {
  const [file = '', ...args] = argv;
  let firstByteMs: number | undefined;
  let complaint = '';
  const startedAt = performance.now();
  const child = spawn(file, args, {
    cwd,
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...user,
  });
  child.stdout.on('data', () => {
    firstByteMs ??= performance.now() - startedAt;
  });
  child.stderr.on('data', (piece: Buffer) => {
    complaint += piece.toString();
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  const exitMs = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${file} ended with ${signal ?? status}: ${complaint.trim()}`);
  return { firstByteMs, exitMs };
}

/** Runs a program to its end and returns what it printed. Throws when its status is not 0. */
export async function readProgram(argv: readonly string[]): Promise<string> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, {
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
  });
  const pieces: Buffer[] = [];
  let complaint = '';
  child.stdout.on('data', (piece: Buffer) => void pieces.push(piece));
  child.stderr.on('data', (piece: Buffer) => {
    complaint += piece.toString();
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (status !== 0) throw new Error(`${file} ended with ${signal ?? status}: ${complaint.trim()}`);
  return Buffer.concat(pieces).toString();
}
