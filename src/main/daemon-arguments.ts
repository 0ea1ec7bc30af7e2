import { parseArgs } from 'node:util';
import { SpawnError } from '../base/errors.ts';

/** What `--help` prints. */
export const USAGE = `Usage: agent-spawnd
       agent-spawnd --check FILE [--as PREFIX]
Without options, what agent-spawnd.service runs: the daemon, with the sockets that PID 1 passes to it.

  --check FILE     judge a configuration file and touch nothing else
  --as PREFIX      name what is wrong as options, PREFIX.key, not as places in the file
  -h, --help       print this

Exit status of --check: 0, 2 wrong usage, 3 refused, with a line on standard error for each problem.
`;

/** What the command line asks for. */
export type DaemonRequest =
  | { readonly kind: 'serve' }
  | { readonly kind: 'help' }
  | {
      readonly kind: 'check';
      readonly file: string;
      /** What names of options start with; null for JSON pointers. */
      readonly prefix: string | null;
    };

/** Understands the command line. Fails with `cli.usage`. */
export function parseDaemonArguments(words: readonly string[]): DaemonRequest {
  const { help, check, as } = options(words);
  if (help === true) return { kind: 'help' };
  if (check === undefined && as !== undefined) throw usageError('--as goes with --check');
  if (check === undefined) return { kind: 'serve' };
  if (check === '' || as === '') throw usageError('--check needs a file, and --as a name');
  return { kind: 'check', file: check, prefix: as ?? null };
}

function options(words: readonly string[]): {
  readonly help?: boolean;
  readonly check?: string;
  readonly as?: string;
} {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: { help: { type: 'boolean', short: 'h' }, check: { type: 'string' }, as: { type: 'string' } },
    });
    return values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

function usageError(message: string): SpawnError {
  return new SpawnError('cli.usage', message, { remedy: 'agent-spawnd --help shows how it is called.' });
}
