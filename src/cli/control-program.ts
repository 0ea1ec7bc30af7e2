import { Argument, Command, Option } from 'commander';
import { VERSION } from '../base/version.ts';
import { COMPLETION_SHELLS } from './completion.ts';
import { EXPORT_FORMATS } from './egress-export.ts';
import { DEFAULT_SOCKET } from './spawn-options.ts';

/** What an argument of a command is; the completion offers values by it. */
export const ID_ARGUMENT = 'id';
export const CARD_ARGUMENT = 'card';

/** Values of the options of one command line, with those of the program itself. */
export interface ControlOptions {
  readonly json?: true;
  readonly socket?: string;
  readonly all?: true;
  readonly quiet?: true;
  readonly follow?: true;
  readonly lines?: string;
  readonly denied?: true;
  readonly offline?: true;
  readonly declared?: true;
  /** One for each card. */
  readonly as?: readonly string[];
  readonly config?: string;
}

/** What each command does with its first argument, the second, '' for none, and further ones; resolves to the exit status. */
export type ControlActions = Readonly<
  Record<
    CommandName,
    (argument: string, options: ControlOptions, second: string, further: readonly string[]) => Promise<number>
  >
>;

/** Commands of `agentctl`. */
export type CommandName = (typeof COMMANDS)[number]['name'];

/** One command: the program, its help and its completion are made from this. */
interface CommandEntry {
  readonly name: string;
  readonly argument: string | null;
  /** The argument after it, as commander writes it. */
  readonly second?: string;
  /** The first argument may be followed by others of its kind. */
  readonly isRepeated?: true;
  /** How it is called, when that is more than options and arguments. */
  readonly usage?: string;
  readonly text: string;
  readonly example: string;
  /** `repeated` for one that is collected into a list. */
  readonly options?: readonly (readonly [flags: string, text: string, repeated?: 'repeated'])[];
}

const COMMANDS = [
  {
    name: 'list',
    argument: null,
    text: 'show the agents of this host',
    example: 'agentctl list --all',
    options: [
      ['-a, --all', 'also agents that ended'],
      ['-q, --quiet', 'only their ids'],
    ],
  },
  {
    name: 'status',
    argument: ID_ARGUMENT,
    text: 'show one agent and what it uses now',
    example: 'agentctl status demo',
  },
  {
    name: 'logs',
    argument: ID_ARGUMENT,
    text: 'show what an agent printed, from the journal',
    example: 'agentctl logs -f -n 100 demo',
    options: [
      ['-f, --follow', 'wait for more'],
      ['-n, --lines <number>', 'begin with the last lines, not all'],
    ],
  },
  {
    name: 'audit',
    argument: ID_ARGUMENT,
    second: '[id]',
    usage: '[options] <id> | verify <id>',
    text: 'show what became of the requests of an agent; `audit verify <id>` checks that nothing of it was changed',
    example: 'agentctl audit -f --denied demo\n  agentctl audit verify demo',
    options: [
      ['-f, --follow', 'wait for more'],
      ['-d, --denied', 'only what was refused'],
    ],
  },
  {
    name: 'allow',
    argument: ID_ARGUMENT,
    second: '<host>',
    text: 'let a running agent reach a host, until it ends',
    example: 'agentctl allow demo docs.example.com',
  },
  {
    name: 'deny',
    argument: ID_ARGUMENT,
    second: '<host>',
    text: 'refuse a host to a running agent, whatever else allows it, until it ends',
    example: "agentctl deny demo '*.example.com'",
  },
  {
    name: 'credential',
    argument: 'action',
    second: '<id>',
    usage: '[options] reload <id>',
    text: 'read the keys of an agent again, without a restart: the next request has the new ones',
    example: 'agentctl credential reload demo',
  },
  {
    name: 'export',
    argument: 'format',
    second: '<id>',
    text: 'print what an agent, or a card by its path, may reach as configuration of another proxy',
    example: 'agentctl export squid demo > /etc/squid/demo.conf',
  },
  {
    name: 'start',
    argument: ID_ARGUMENT,
    text: 'start a declared or ended agent again',
    example: 'agentctl start demo',
  },
  {
    name: 'stop',
    argument: ID_ARGUMENT,
    text: 'stop an agent and everything it started',
    example: 'agentctl stop demo',
  },
  {
    name: 'restart',
    argument: ID_ARGUMENT,
    text: 'stop an agent and start it again',
    example: 'agentctl restart demo',
  },
  {
    name: 'reload',
    argument: null,
    text: 'read the cards again and say what that came to',
    example: 'agentctl reload',
  },
  {
    name: 'inspect',
    argument: ID_ARGUMENT,
    text: 'show one agent with its card and its plan',
    example: 'agentctl inspect --json demo',
  },
  {
    name: 'wait',
    argument: ID_ARGUMENT,
    text: 'wait until an agent has ended and end with its status, as agent-spawn does',
    example: 'agentctl wait demo && echo done',
  },
  { name: 'rm', argument: ID_ARGUMENT, text: 'forget an agent that ended', example: 'agentctl rm demo' },
  {
    name: 'check',
    argument: CARD_ARGUMENT,
    isRepeated: true,
    usage: '[options] <card> | --offline [options] <card...>',
    text: 'check a card against its schema and this host, or cards without any host; `-` reads standard input',
    example: 'agentctl check card.json\n  agentctl check --offline --declared /etc/agents/*.json',
    options: [
      ['--offline', 'ask no daemon and look at no host'],
      ['--declared', 'as files of the cards directory: named after their agent_id'],
      ['--as <option>', 'name what is wrong below this option of NixOS; once for each card', 'repeated'],
      ['--config <file>', 'judge by this configuration of the daemon, not by the default one'],
    ],
  },
  {
    name: 'completion',
    argument: 'shell',
    text: 'print the completion of agentctl and agent-spawn for a shell',
    example: 'source <(agentctl completion bash)',
  },
] as const satisfies readonly CommandEntry[];

/** What can be done to credentials. */
const CREDENTIAL_ACTIONS = ['reload'];

const STATUSES = `
Exit status: 0, 1 failure, 2 wrong usage, 3 card refused, 4 denied, 5 host not fit.
\`agentctl wait\` ends as agent-spawn does: the agent's own status, 124 time limit, 125 failure.`;

/** The program `agentctl`. Without `actions` it only describes itself, for help and completion. */
export function controlProgram(actions: ControlActions | null, done: (status: number) => void): Command {
  const program = new Command('agentctl')
    .description('Shows and steers the confined agents of this host.')
    .version(`agentctl ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .option('--json', 'print JSON')
    .option('--socket <path>', `API socket of the daemon (default: $AGENT_SPAWN_SOCKET or ${DEFAULT_SOCKET})`)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', STATUSES);
  for (const entry of COMMANDS as readonly CommandEntry[]) {
    const command = describe(program.command(entry.name), entry);
    command.action(async (...words: readonly unknown[]) => {
      const [argument = '', ...further] = entry.argument === null ? [] : [words[0]].flat().map(String);
      const action = actions?.[entry.name as CommandName];
      const second = entry.second === undefined ? '' : String(words[1] ?? '');
      done((await action?.(argument, command.optsWithGlobals<ControlOptions>(), second, further)) ?? 0);
    });
  }
  return program;
}

function describe(command: Command, entry: CommandEntry): Command {
  const { argument, second, isRepeated, usage, text, example, options = [] } = entry;
  command.description(text).helpOption('-h, --help', 'print this').addHelpText('after', `\nExample:\n  ${example}`);
  if (argument === 'shell') command.addArgument(new Argument('<shell>').choices(COMPLETION_SHELLS));
  else if (argument === 'format') command.addArgument(new Argument('<format>').choices(EXPORT_FORMATS));
  else if (argument === 'action') command.addArgument(new Argument('<action>').choices(CREDENTIAL_ACTIONS));
  else if (argument !== null) command.argument(`<${argument}${isRepeated === true ? '...' : ''}>`);
  if (second !== undefined) command.argument(second);
  if (usage !== undefined) command.usage(usage);
  for (const [flags, meaning, repeated] of options) {
    const option = new Option(flags, meaning);
    command.addOption(repeated === undefined ? option : option.argParser(collect));
  }
  return command;
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
