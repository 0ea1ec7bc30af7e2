import { execa } from 'execa';
import { assert } from '../base/assert.ts';
import { SpawnError } from '../base/errors.ts';
import { PROBE_OUTPUT_BYTES_MAX, PROBE_TIMEOUT_MS } from '../base/limits.ts';

/** How a probed command ended. */
export interface ProbeResult {
  /** Exit status, or null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Search path of probed commands, for programs that start others. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/**
 * Runs a command and waits for it: absolute path, nothing of our environment,
 * no input, bounded time and output. The only place of the daemon that starts
 * a process of its own. Throws `host.call-failed` when it could not be started,
 * took longer than PROBE_TIMEOUT_MS or wrote more than PROBE_OUTPUT_BYTES_MAX.
 */
export async function probeCommand(path: string, words: readonly string[]): Promise<ProbeResult> {
  assert(path.startsWith('/'), 'a probed command has an absolute path');
  const result = await execa(path, words, {
    cwd: '/',
    env: { PATH, LANG: 'C.UTF-8' },
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
