import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable, type Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CHECKOUT } from './checkout.ts';

/** How a command ended. */
export interface Ended {
  readonly argv: readonly string[];
  /** Exit status, 128 + n for signal n. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** How to start a command. */
export interface CommandOptions {
  /** Default: empty. */
  readonly stdin?: string | Uint8Array;
  /** Added to this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Ends the command with SIGKILL and the test with a failure, milliseconds. */
  readonly deadlineMs?: number;
}

/** How many times as long everything takes here: a machine that is emulated is several times as slow as a real one. */
export const SLOWNESS: number = process.env['AGENT_SPAWN_HOST'] === 'vm' ? 6 : 1;

/** A command that takes longer hangs, milliseconds. */
const DEADLINE_MS = 30_000 * SLOWNESS;

/** Runs a command to its end. Rejects when it cannot be started or does not end in time. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const startedAt = performance.now();
  const child = start(argv, options);
  const ended = once(child, 'close');
  const stdin = child.stdin as Writable;
  // A command that does not read its input is not a failure.
  stdin.on('error', () => undefined);
  stdin.end(options.stdin ?? '');
  const all = Promise.all([buffer(child.stdout as Readable), buffer(child.stderr as Readable), ended]);
  const [stdout, stderr] = await inTime(all, argv.join(' '), options.deadlineMs, () => child.kill('SIGKILL'));
  const seconds = (performance.now() - startedAt) / 1000;
  return { argv, status: statusOf(child), stdout: stdout.toString(), stderr: stderr.toString(), seconds };
}

/** Commands that run while the test goes on, and have not ended. */
const running = new Set<ChildProcess>();

/** Ends the commands that a failed test left behind: they would keep the suite from ending. */
export function killLeftovers(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** How to start a command that runs while the test goes on. */
export interface RunningOptions extends CommandOptions {
  /** The test reads the standard output of the child itself; there are no lines then. */
  readonly rawOutput?: boolean;
}

/** A command that runs while the test goes on. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly #argv: readonly string[];
  readonly #deadlineMs: number | undefined;
  readonly #startedAt = performance.now();
  readonly #iterator: AsyncIterator<string>;
  readonly #stderr: Promise<Buffer>;
  readonly #closed: Promise<unknown>;

  constructor(argv: readonly string[], options: RunningOptions = {}) {
    this.#argv = argv;
    this.#deadlineMs = options.deadlineMs;
    this.child = start(argv, options);
    this.#closed = once(this.child, 'close');
    this.#closed.catch(() => undefined);
    running.add(this.child);
    this.child.once('exit', () => running.delete(this.child));
    this.child.stdin?.on('error', () => undefined);
    const lines = options.rawOutput === true ? Readable.from([]) : (this.child.stdout as Readable);
    this.#iterator = createInterface({ input: lines })[Symbol.asyncIterator]();
    this.#stderr = buffer(this.child.stderr as Readable);
  }

  /** Writes to standard input. */
  write(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Writes to standard input, for the last time. */
  end(text = ''): void {
    this.child.stdin?.end(text);
  }

  /** The next line of standard output. Rejects when there is none. */
  async line(): Promise<string> {
    const next = await inTime(this.#iterator.next(), `a line of ${this.#argv.join(' ')}`, this.#deadlineMs);
    if (next.done !== true) return next.value;
    const stderr = await inTime(this.#stderr, `the end of ${this.#argv.join(' ')}`);
    throw new Error(`${this.#argv.join(' ')} printed no further line\n${stderr}`);
  }

  /** Reads up to the first line that matches. */
  async lineLike(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = await this.line();
      if (pattern.test(line)) return line;
    }
  }

  /** Ends it where it is and waits until it is gone. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.ended();
  }

  /** Waits for the end; the lines not read yet are `stdout` then. */
  async ended(): Promise<Ended> {
    const rest: string[] = [];
    const read = async (): Promise<void> => {
      for (let next = await this.#iterator.next(); next.done !== true; next = await this.#iterator.next()) {
        rest.push(`${next.value}\n`);
      }
      await this.#closed;
    };
    await inTime(read(), this.#argv.join(' '), this.#deadlineMs, () => this.child.kill('SIGKILL'));
    const stderr = (await this.#stderr).toString();
    const seconds = (performance.now() - this.#startedAt) / 1000;
    return { argv: this.#argv, status: statusOf(this.child), stdout: rest.join(''), stderr, seconds };
  }
}

/**
 * Resolves with the content of a file as soon as it exists and `isReady` says yes to it. The directory it is in must
 * exist.
 */
export async function awaitFile(
  path: string,
  isReady: (content: string) => boolean = () => true,
  deadlineMs?: number,
): Promise<string> {
  const watcher = watch(dirname(path));
  try {
    const found = new Promise<string>((resolve, reject) => {
      const look = (): void => {
        const content = existsSync(path) ? readFileSync(path, 'utf8') : null;
        if (content !== null && isReady(content)) resolve(content);
      };
      watcher.on('change', (_event, name) => {
        if (name === null || String(name) === basename(path)) look();
      });
      watcher.on('error', reject);
      look();
    });
    return await inTime(found, `${path} to become ready`, deadlineMs);
  } finally {
    watcher.close();
  }
}

/** A program of test/agents as the words that run it, its text among them: nothing of the checkout is shown inside. */
export function agentProgram(name: string, ...args: readonly string[]): readonly string[] {
  const text = readFileSync(join(CHECKOUT, 'test/agents', name), 'utf8');
  if (name.endsWith('.py')) return ['/usr/bin/python3', '-c', text, ...args];
  return name.endsWith('.mjs')
    ? ['node', '--input-type=module', '-e', text, ...args]
    : ['bash', '-c', text, name, ...args];
}

/** A promise that must settle in time. */
export async function inTime<T>(
  promise: Promise<T>,
  what: string,
  deadlineMs = DEADLINE_MS,
  late?: () => void,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      late?.();
      reject(new Error(`waited ${deadlineMs} ms for ${what}`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}

function start(argv: readonly string[], options: CommandOptions): ChildProcess {
  const [program = '', ...args] = argv;
  return spawn(program, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: 'pipe' });
}

function statusOf(child: ChildProcess): number {
  if (child.signalCode !== null) return 128 + constants.signals[child.signalCode];
  return child.exitCode ?? -1;
}
