import { parseArgs } from 'node:util';
import { SpawnError } from '../base/errors.ts';
import { DEFAULT_SOCKET, SPAWN_OPTIONS, SPAWN_USAGE } from './spawn-options.ts';

/** A command line of `agent-spawn`. */
export interface SpawnArguments {
  readonly mode: 'foreground' | 'detached' | 'dry-run' | 'help' | 'version';
  /** Path of the card, `-` for standard input; '' for help and version. */
  readonly card: string;
  /** For the agent's command. */
  readonly agentArguments: readonly string[];
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly wantsSummary: boolean;
  readonly socketPath: string;
}

/** Names the socket where the option does not. */
export const SOCKET_VARIABLE = 'AGENT_SPAWN_SOCKET';

/** Understands a command line. Throws `cli.usage`. */
export function parseSpawnArguments(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): SpawnArguments {
  const { values, positionals, tokens } = parse(words);
  const terminator = tokens.find((token) => token.kind === 'option-terminator')?.index ?? words.length;
  const own = tokens.filter((token) => token.kind === 'positional' && token.index < terminator).length;
  const mode = modeOf(values);
  const isAnswer = mode === 'help' || mode === 'version';
  if (!isAnswer && own === 0) throw usage('A card is missing.');
  if (!isAnswer && own > 1) throw usage(`What is "${positionals[1]}"? Arguments of the agent come after --.`);
  if (values['socket'] === '') throw usage('--socket needs a path.');
  return {
    mode,
    card: positionals[0] ?? '',
    agentArguments: positionals.slice(own),
    isJson: values['json'] === true,
    isQuiet: values['quiet'] === true,
    wantsSummary: values['summary'] === true,
    socketPath: String(values['socket'] ?? environment[SOCKET_VARIABLE] ?? DEFAULT_SOCKET),
  };
}

/** What `parseArgs` gives for options that are known only at run time. */
interface Parsed {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
  readonly tokens: readonly { readonly kind: string; readonly index: number }[];
}

function parse(words: readonly string[]): Parsed {
  const options = SPAWN_OPTIONS.map(({ name, short, value }) => [
    name,
    {
      type: value === undefined ? ('boolean' as const) : ('string' as const),
      ...(short === undefined ? {} : { short }),
    },
  ]);
  try {
    return parseArgs({
      args: [...words],
      options: Object.fromEntries(options),
      allowPositionals: true,
      tokens: true,
    }) as Parsed;
  } catch (error) {
    // The first sentence names what is wrong; the others advise about a form that is no help here.
    throw usage(`${(error as Error).message.split('. ')[0]}.`.replace(/\.\.$/, '.'));
  }
}

function modeOf(values: Parsed['values']): SpawnArguments['mode'] {
  if (values['help'] === true) return 'help';
  if (values['version'] === true) return 'version';
  if (values['dry-run'] === true) return 'dry-run';
  return values['detach'] === true ? 'detached' : 'foreground';
}

function usage(message: string): SpawnError {
  return new SpawnError('cli.usage', message, { remedy: SPAWN_USAGE });
}
