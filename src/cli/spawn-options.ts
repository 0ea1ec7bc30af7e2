/** One option of `agent-spawn`: its parser, its help and its completion are made from this. */
export interface SpawnOption {
  readonly name: string;
  readonly short?: string;
  /** Name of its value; none for a switch. */
  readonly value?: string;
  readonly text: string;
}

/** Options of `agent-spawn`, in the order of the help. */
export const SPAWN_OPTIONS: readonly SpawnOption[] = [
  { name: 'detach', short: 'd', text: 'print the id and return once the agent runs' },
  { name: 'dry-run', text: 'print the plan: unit, sandbox, network, environment; touch nothing' },
  { name: 'json', text: 'print JSON: the plan, the detached agent, or on stderr how a foreground one ended' },
  { name: 'quiet', short: 'q', text: 'print neither notes nor the summary' },
  { name: 'summary', text: 'print the summary on stderr also when that is no terminal' },
  {
    name: 'socket',
    value: 'PATH',
    text: 'API socket of the daemon (default: $AGENT_SPAWN_SOCKET or /run/agent-spawn/api.sock)',
  },
  { name: 'help', short: 'h', text: 'print this' },
  { name: 'version', short: 'V', text: 'print the version' },
];

/** Where the daemon of this host listens. */
export const DEFAULT_SOCKET = '/run/agent-spawn/api.sock';

const USAGE = 'Usage: agent-spawn [options] <card.json|card.toml|-> [-- args...]';

const ABOUT = `Starts a confined agent by its card and stays until it ends: standard input, output and error are the
agent's own, Ctrl-C stops it, and it does not outlive this command. \`-\` reads the card from standard input.`;

const STATUSES = `Exit status:
  0..255  the agent's own; 128+n when signal n ended it (137 also when it ran out of memory)
  124     its time limit (ttl_seconds) was reached
  125     agent-spawn itself failed, and the agent did not run or nobody knows how it ended
  143     it was stopped by someone else; 130, 129, 131, 141 when by Ctrl-C, hang-up, quit, or a closed output
  With --dry-run: 0, 1 failure, 2 wrong usage, 3 card refused, 4 denied, 5 host not fit`;

const EXAMPLE = `Examples:
  agent-spawn card.json                      run it here
  agent-spawn card.toml -- --model small     with more arguments for the agent's command
  agent-spawn --dry-run card.json            see what it would be allowed
  id=$(agent-spawn -d card.json) && agentctl logs -f "$id"`;

/** One line for a command line that cannot be understood. */
export const SPAWN_USAGE: string = `${USAGE}\nTry 'agent-spawn --help'.`;

/** The whole help of `agent-spawn`. */
export function spawnHelp(): string {
  const width = Math.max(...SPAWN_OPTIONS.map((option) => flags(option).length));
  const options = SPAWN_OPTIONS.map((option) => `  ${flags(option).padEnd(width)}  ${option.text}`).join('\n');
  return [USAGE, ABOUT, `Options:\n${options}`, STATUSES, EXAMPLE].join('\n\n').concat('\n');
}

function flags({ name, short, value }: SpawnOption): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}
