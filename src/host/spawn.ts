import { execa } from 'execa';
import { assert } from '../base/assert.ts';
import { SpawnError } from '../base/errors.ts';
import { PROBE_OUTPUT_BYTES_MAX, PROBE_TIMEOUT_MS, UNSEAL_TIMEOUT_MS } from '../base/limits.ts';

/** How a probed command ended. */
export interface ProbeResult {
  /** Exit status, or null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Search path of probed commands after the tools, for programs that start others. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/**
 * Runs a command and waits for it: absolute path, nothing of our environment,
 * no input, bounded time and output. No other file of the
 * daemon starts a process. Throws `host.call-failed` when it could not be started,
 * took longer than PROBE_TIMEOUT_MS or wrote more than PROBE_OUTPUT_BYTES_MAX.
 */
export async function probeCommand(
  path: string,
  words: readonly string[],
  tools: readonly string[] = [],
): Promise<ProbeResult> {
  assert(path.startsWith('/'), 'a probed command has an absolute path');
  const result = await execa(path, words, {
    cwd: '/',
    env: environment(tools),
    extendEnv: false,
    stdin: 'ignore',
    timeout: PROBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: PROBE_OUTPUT_BYTES_MAX,
    stripFinalNewline: false,
    reject: false,
  });
  const reason = failure(result);
  if (reason !== null) {
    throw new SpawnError('host.call-failed', `running ${path} failed: ${reason}`, { cause: result });
  }
  return { status: result.exitCode ?? null, stdout: result.stdout, stderr: result.stderr };
}

function environment(tools: readonly string[]): Readonly<Record<string, string>> {
  return { PATH: [...tools, PATH].join(':'), LANG: 'C.UTF-8' };
}

/** What a command that opens something sealed is given. */
export interface UnsealOptions {
  readonly input: Uint8Array;
  /** Most that it may write. */
  readonly bytesMax: number;
  /** Directories in front of the search path. */
  readonly tools: readonly string[];
}

/** What a command that opens something sealed answered. */
export interface Unsealed {
  /** Exit status, or null when a signal ended it. */
  readonly status: number | null;
  /** What it wrote to its standard output. */
  readonly bytes: Uint8Array;
}

/**
 * Runs a command that is given something sealed and writes what is in it. What
 * it complains about is not read: it is the operator's to see by running it.
 * Null when it could not be started, took longer than UNSEAL_TIMEOUT_MS or
 * wrote more than `bytesMax`.
 */
export async function unsealCommand(
  path: string,
  words: readonly string[],
  { input, bytesMax, tools }: UnsealOptions,
): Promise<Unsealed | null> {
  assert(path.startsWith('/'), 'a command has an absolute path');
  const result = await execa(path, words, {
    cwd: '/',
    env: environment(tools),
    extendEnv: false,
    input,
    stderr: 'ignore',
    encoding: 'buffer',
    timeout: UNSEAL_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: bytesMax,
    stripFinalNewline: false,
    reject: false,
  });
  return failure(result) === null ? { status: result.exitCode ?? null, bytes: result.stdout } : null;
}

/** Why a run says nothing about the command itself, or null. */
function failure(result: {
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
}): string | null {
  if (result.timedOut) return `it took longer than ${PROBE_TIMEOUT_MS} ms`;
  if (result.isMaxBuffer) return `it wrote more than ${PROBE_OUTPUT_BYTES_MAX} bytes`;
  if (result.exitCode === undefined && result.signal === undefined) return result.code ?? 'it could not be started';
  return null;
}
