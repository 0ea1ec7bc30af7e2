import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { SpawnError } from '../base/errors.ts';
import { unitName } from '../base/ids.ts';
import { signalNumber } from '../base/signals.ts';
import { writeText } from './descriptor-writer.ts';
import { neutraliseOutput } from './escape.ts';
import { Interrupts } from './interrupts.ts';

/** Where systemd has it on Debian and its kin, and on NixOS. Never found by PATH: the caller is root. */
const DIRECTORIES = ['/usr/bin', '/run/current-system/sw/bin', '/bin'];

/** Where journald keeps the files of each machine (systemd-journald.service(8), "FILES"). */
const JOURNALS = ['/run/log/journal', '/var/log/journal'];

/** A longer line is shown in parts, characters. */
const LINE_MAX = 64 * 1024;

/** What to show. */
export interface JournalOptions {
  readonly follow?: true;
  /** Number of lines to begin with, or null for all. */
  readonly lines: number | null;
  readonly json?: true;
  /** Directories to look for journalctl in before the usual ones. */
  readonly tools: readonly string[];
  /** The usual ones; tests have one of their own. */
  readonly usual?: readonly string[];
}

/**
 * Shows what an agent printed. On a terminal, what is not text is shown, not
 * obeyed: an agent could otherwise steer the terminal of whoever reads its log.
 * Anywhere else the bytes are as the journal has them.
 * Resolves to the status of journalctl. Throws `cli.no-journal`.
 */
export async function showJournal(id: string, options: JournalOptions): Promise<number> {
  const paths = [...options.tools, ...(options.usual ?? DIRECTORIES)].map((directory) => `${directory}/journalctl`);
  const program = paths.find((path) => existsSync(path));
  if (program === undefined) {
    throw new SpawnError('cli.no-journal', `journalctl is not at ${paths.join(' nor ')}.`, {
      remedy: 'The journal belongs to systemd; this command works where that runs.',
    });
  }
  if (isClosed()) {
    throw new SpawnError('cli.no-journal', 'This user may not read the journal, where the output of agents is.', {
      remedy: 'Run the command as root, or as a member of the group "systemd-journal".',
    });
  }
  const words = ['--no-pager', '--unit', unitName(id), '--output', options.json === true ? 'json' : 'cat'];
  if (options.follow === true) words.push('--follow');
  if (options.lines !== null) words.push('--lines', String(options.lines));
  else if (options.follow === true) words.push('--lines', 'all');
  const isTerminal = process.stdout.isTTY === true;
  const child = spawn(program, words, { stdio: ['ignore', isTerminal ? 'pipe' : 'inherit', 'inherit'] });
  // A signal to us alone would leave journalctl behind, following for ever.
  using _interrupts = new Interrupts({ first: (signal) => child.kill(signal), last: () => child.kill('SIGKILL') });
  const ended = whenEnded(child);
  if (child.stdout !== null) await showNeutralised(child.stdout);
  return await ended;
}

/** journalctl shows a user who may not read the journal an empty one, and says why in words only. */
function isClosed(): boolean {
  if (process.geteuid?.() === 0) return false;
  const codes = JOURNALS.map((directory) => accessFault(`${directory}/${machineId()}/system.journal`));
  return codes.includes('EACCES') && !codes.includes(null);
}

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Why a file cannot be read, or null. */
function accessFault(path: string): string | null {
  try {
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  }
}

function whenEnded(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new SpawnError('cli.no-journal', `journalctl did not run: ${cause.message}.`, { cause }));
    });
    child.once('close', (code, signal) => resolve(code ?? 128 + (signalNumber(signal ?? '') ?? 0)));
  });
}

/** Whole lines at a time, since a sequence that is cut in two would not be recognised. */
async function showNeutralised(output: AsyncIterable<Buffer>): Promise<void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for await (const piece of output) {
    rest += decoder.decode(piece, { stream: true });
    const end = rest.length > LINE_MAX ? rest.length : rest.lastIndexOf('\n') + 1;
    if (end > 0) await writeText(1, neutraliseOutput(rest.slice(0, end)));
    rest = rest.slice(end);
  }
  if (rest !== '') await writeText(1, neutraliseOutput(rest));
}
