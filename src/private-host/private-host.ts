import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { callerEnvironment } from './caller.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import type { Init } from './init.ts';
import type { Janitor } from './janitor.ts';
import type { Programs } from './needs.ts';
import { type Birthplace, spawnAt } from './spawn.ts';

/** How to start a program inside. */
export interface SpawnInsideOptions {
  /** Default: the directory given to the boot. */
  readonly cwd?: string;
  /** The whole environment; default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: pipes. */
  readonly stdio?: StdioOptions;
  /** In a session of its own, out of reach of the terminal's signals; default: yes. */
  readonly hasOwnSession?: boolean;
  /** In a scope unit of its own; default: yes. Without, it runs beside PID 1, which need not answer then. */
  readonly hasScope?: boolean;
}

/** How to run a program inside to its end. */
export interface RunInsideOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: empty. */
  readonly stdin?: string | Uint8Array;
  readonly hasScope?: boolean;
  /** Kills the program afterwards, milliseconds; default: 60 s. */
  readonly timeoutMs?: number;
}

/** A program that has not ended by then hangs, milliseconds. */
const RUN_TIMEOUT_MS = 60_000;

/** How a program inside ended. */
export interface RunInsideResult {
  /** Exit status, 128 + n for signal n. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** `stdout` as it came. */
  readonly stdoutBytes: Buffer;
}

/** What a booted host is made of. */
export interface PrivateHostParts {
  readonly layout: CgroupLayout;
  readonly birthplace: Birthplace;
  readonly bootId: string;
  readonly name: string;
  readonly cwd: string;
  readonly init: Init;
  readonly janitor: Janitor;
  readonly programs: Programs;
  /** Options that the machine's systemd-run needs besides. */
  readonly scopeOptions: readonly string[];
}

/** A running private host. Whoever booted it stops it. */
export class PrivateHost {
  readonly layout: CgroupLayout;
  /** Process id of its PID 1 as the machine knows it. */
  readonly initPid: number;
  readonly bootId: string;
  /** Name of its cgroups and of its directory in /run. */
  readonly name: string;
  readonly #parts: PrivateHostParts;
  #hasEnded = false;

  constructor(parts: PrivateHostParts) {
    this.layout = parts.layout;
    this.initPid = parts.birthplace.initPid;
    this.bootId = parts.bootId;
    this.name = parts.name;
    this.#parts = parts;
    parts.init.child.once('exit', () => {
      this.#hasEnded = true;
    });
  }

  /**
   * Starts a program inside, as a child of this process and in a scope unit of its own, so that the host's own tools
   * know it. Its exit status is 127 when it does not exist there, 126 when it cannot be executed.
   */
  spawn(argv: readonly string[], options: SpawnInsideOptions = {}): ChildProcess {
    const { nsenter, env, nice, 'systemd-run': systemdRun } = this.#parts.programs;
    const environment = options.env ?? callerEnvironment();
    const enter = [nsenter, `--target=${this.initPid}`, '--mount', '--net', '--ipc', '--uts', '--cgroup', '--'];
    const { scopeOptions, cwd } = this.#parts;
    const scope = [systemdRun, '--scope', '--quiet', '--collect', ...scopeOptions, '--'];
    // systemd-run sets INVOCATION_ID: the caller's own, or none, is put back.
    const invocation = environment['INVOCATION_ID'];
    const restore = [
      env,
      '--unset=INVOCATION_ID',
      `--chdir=${options.cwd ?? cwd}`,
      ...(invocation === undefined ? [] : [`INVOCATION_ID=${invocation}`]),
    ];
    // env(1) takes a program whose name holds "=" for an assignment.
    const verbatim = argv[0]?.includes('=') === true ? [nice, '-n', '0'] : [];
    return spawnAt(
      this.#parts.birthplace,
      [...enter, ...(options.hasScope === false ? [] : scope), ...restore, ...verbatim, ...argv],
      {
        cwd: '/',
        detached: options.hasOwnSession ?? true,
        env: { ...environment },
        stdio: options.stdio ?? 'pipe',
      },
    );
  }

  /** Runs a program inside until it has ended and nobody holds its output any more, or until the time is over. */
  async run(argv: readonly string[], options: RunInsideOptions = {}): Promise<RunInsideResult> {
    const child = this.spawn(argv, options);
    const stdin = child.stdin as Writable;
    // A program that does not read its input is not a failure.
    stdin.on('error', () => undefined);
    stdin.end(options.stdin ?? '');
    const stdout = collect(child.stdout as Readable);
    const stderr = collect(child.stderr as Readable);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      // What it started may hold them for longer.
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    }, options.timeoutMs ?? RUN_TIMEOUT_MS);
    await once(child, 'close');
    clearTimeout(timer);
    const stdoutBytes = Buffer.concat(stdout);
    return {
      status: exitStatus(child),
      stdout: stdoutBytes.toString(),
      stderr: Buffer.concat(stderr).toString(),
      stdoutBytes,
    };
  }

  /** Ends every process inside at once, as a power cut would, and removes what is left. May be called again. */
  async stop(): Promise<void> {
    if (!this.#hasEnded) killIfAlive(this.initPid);
    await this.#parts.init.ended;
    await this.#parts.janitor.finish();
  }
}

/** PID 1 may have ended without that being known here yet. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Gathers what comes from now on. */
function collect(stream: Readable): Buffer[] {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}

/** Exit status of an ended program as a shell would tell it. */
export function exitStatus(child: ChildProcess): number {
  if (child.signalCode !== null) return 128 + constants.signals[child.signalCode];
  return child.exitCode ?? 125;
}
