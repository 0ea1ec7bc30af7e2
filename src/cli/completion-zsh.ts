import { type CompletedCommand, type CompletedOption, LIST_IDS } from './completed-command.ts';

/** Completion for zsh, as a function file of its completion system. */
export function zshCompletion(control: CompletedCommand, spawn: CompletedCommand): string {
  const commands = control.commands.map(({ name, text }) => `    ${quoted(`${name}:${text}`)}`).join('\n');
  const cases = control.commands.map((command) => `        ${command.name}) _arguments ${specs(command, 10)} ;;`);
  return `#compdef agentctl agent-spawn

_agentctl_ids() {
  local -a ids
  ids=(\${(f)"$(${LIST_IDS})"})
  compadd -a ids
}

_agentctl() {
  local -a commands line
  local state
  commands=(
${commands}
  )
  _arguments -C ${control.options.map(optionSpec).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}

_agent_spawn() {
  _arguments ${specs(spawn, 4)} '*:argument:_default'
}

case $service in
  agent-spawn) _agent_spawn "$@" ;;
  *) _agentctl "$@" ;;
esac
`;
}

function specs({ options, argument }: CompletedCommand, by: number): string {
  const all = options.map(optionSpec);
  if (argument !== 'none') all.push(argumentSpec(argument));
  return all.join(` \\\n${' '.repeat(by)}`);
}

function optionSpec({ long, short, value, text }: CompletedOption): string {
  const meaning = `[${text.replace(/[[\]:]/g, '\\$&')}]`;
  const follows = value === 'none' ? '' : value === 'path' ? ':path:_files' : ':value:';
  if (short === null) return quoted(`${long}${meaning}${follows}`);
  return `'(${short} ${long})'{${short},${long}}${quoted(`${meaning}${follows}`)}`;
}

function argumentSpec(argument: Exclude<CompletedCommand['argument'], 'none'>): string {
  if (argument === 'card') return "'1:card:_files'";
  if (argument === 'cards') return "'*:card:_files'";
  if (argument === 'id') return "'1:agent:_agentctl_ids'";
  return `'1:shell:(${argument.join(' ')})'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
