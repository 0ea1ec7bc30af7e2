import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { exitStatus, type PrivateHost } from './private-host.ts';

/** Signals that mean the command, not the private host. */
const RELAYED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const;
/** Signals that a key of the terminal sends to every process in its foreground, the command among them. */
const KEY_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** A signal that came before there was a command to give it to. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** 128 + n, as a shell tells it. */
  readonly status: number;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.status = 128 + constants.signals[signal];
  }
}

/** One command in the foreground of this process, from before the boot until after the stop. */
export class Session {
  readonly #interruption = new AbortController();
  readonly #isForeground = isTerminalForeground(readFileSync('/proc/self/stat', 'utf8'));
  #child: ChildProcess | undefined;

  /** From here on no signal ends this process: it goes to the command, or interrupts the boot. */
  constructor() {
    for (const signal of RELAYED_SIGNALS) process.on(signal, (name) => this.#relay(name));
  }

  /** Aborts with `Interrupted` when a signal comes before the command runs. */
  get interruption(): AbortSignal {
    return this.#interruption.signal;
  }

  /**
   * Runs the command with this process's own standard input, output and error, which it gets as they are. Returns its
   * exit status, 128 + n for signal n.
   */
  async run(host: PrivateHost, argv: readonly string[]): Promise<number> {
    this.interruption.throwIfAborted();
    this.#child = host.spawn(argv, { stdio: 'inherit', hasOwnSession: !this.#isForeground });
    await once(this.#child, 'exit');
    return exitStatus(this.#child);
  }

  #relay(signal: NodeJS.Signals): void {
    if (this.#child === undefined) {
      this.#interruption.abort(new Interrupted(signal));
    } else if (isRelayed(signal, this.#isForeground)) {
      // Has no effect on a command that has ended.
      this.#child.kill(signal);
    }
  }
}

/** Whether the command gets a signal from this process; in the foreground it got those of keys from the terminal. */
export function isRelayed(signal: NodeJS.Signals, isForeground: boolean): boolean {
  return !isForeground || !KEY_SIGNALS.includes(signal);
}

/** Whether a process (the text of its /proc/<pid>/stat, proc_pid_stat(5)) is in the foreground of a terminal. */
export function isTerminalForeground(stat: string): boolean {
  // After the name: state, ppid, pgrp, session, tty_nr, tpgid.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[4] !== '0' && fields[2] === fields[5];
}
