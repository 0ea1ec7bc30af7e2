import { resolve } from 'node:path';
import { SpawnError } from '../base/errors.ts';

/** What `--help` prints. */
export const USAGE = `Usage: npm run -s host -- [options] [--] CMD [ARG]...
Boots a private host: a systemd of its own in namespaces of its own, with agent-spawn installed in it, and runs CMD there
in the current directory. Nothing of it is left when CMD has ended. The exit status is that of CMD, 128 + n when signal n
ended it, 125 when the private host itself failed.

  --bare                 without agent-spawn
  --keep-journal FILE    write the journal of the private host to FILE at the end
  -h, --help             print this

/tmp, /var/tmp, /home, /root, /mnt, /srv, this checkout and the current directory are the machine's own. Changes to /etc,
/usr, /opt and /var, and everything in /run, end with the private host. Its network is a loopback interface.

Example: npm run -s host -- agentctl list
`;

/** A command to run. */
export interface CommandRequest {
  readonly kind: 'command';
  readonly argv: readonly string[];
  readonly isBare: boolean;
  /** Absolute path, or null for no journal. */
  readonly journalFile: string | null;
}

/** What the command line asks for. */
export type Request = CommandRequest | { readonly kind: 'help' };

/**
 * Understands the command line. Options end at the first word that is none. Fails with `cli.usage`.
 * @param cwd where relative paths start
 */
export function parseCommandLine(words: readonly string[], cwd: string): Request {
  let isBare = false;
  let journalFile: string | null = null;
  let index = 0;
  for (; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (word === '--' || !word.startsWith('-')) break;
    const [option, value] = splitOption(word);
    if (option === '-h' || option === '--help') return { kind: 'help' };
    if (option === '--bare' && value === null) {
      isBare = true;
    } else if (option === '--keep-journal') {
      if (value === null) index += 1;
      const file = value ?? words[index] ?? '';
      if (file === '') throw usageError('--keep-journal needs a file');
      journalFile = resolve(cwd, file);
    } else {
      throw usageError(`unknown option ${word}`);
    }
  }
  const argv = words.slice(words[index] === '--' ? index + 1 : index);
  if (argv.length === 0) throw usageError('no command to run');
  return { kind: 'command', argv, isBare, journalFile };
}

function splitOption(word: string): readonly [option: string, value: string | null] {
  const equals = word.indexOf('=');
  return equals === -1 ? [word, null] : [word.slice(0, equals), word.slice(equals + 1)];
}

function usageError(message: string): SpawnError {
  return new SpawnError('cli.usage', message, { remedy: 'npm run -s host -- --help' });
}
