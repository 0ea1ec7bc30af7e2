import { type CompletedCommand, type CompletedOption, LIST_IDS } from './completed-command.ts';

/** Completion for bash, needing nothing but bash. */
export function bashCompletion(control: CompletedCommand, spawn: CompletedCommand): string {
  const names = control.commands.map(({ name }) => name).join(' ');
  const offers = [...new Set(control.commands.map(offer))];
  const cases = offers.map((offered) => {
    const alike = control.commands.filter((command) => offer(command) === offered).map((command) => command.name);
    return `    ${alike.join('|')})\n${indent(offered, 6)}\n      ;;`;
  });
  return `# bash completion for agentctl and agent-spawn

_agentctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= index
  COMPREPLY=()
${indent(values([control, ...control.commands]), 2)}
  for ((index = 1; index < COMP_CWORD; index++)); do
    case \${COMP_WORDS[index]} in
      ${valueFlags(control.options).join('|')}) ((index++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[index]}; break ;;
    esac
  done
  case $command in
    '')
      if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '${flags(control.options)}' -- "$cur")
      else mapfile -t COMPREPLY < <(compgen -W '${names}' -- "$cur"); fi
      ;;
${cases.join('\n')}
  esac
}

_agent_spawn() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
${indent(values([spawn]), 2)}
${indent(offer(spawn), 2)}
}

complete -F _agentctl agentctl
complete -F _agent_spawn agent-spawn
`;
}

/** What may stand where no option's value does. */
function offer({ options, argument }: CompletedCommand): string {
  const offered = `if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W '${flags(options)}' -- "$cur")`;
  return argument === 'none' ? `${offered}; fi` : `${offered}\nelse ${offerArgument(argument)}; fi`;
}

function offerArgument(argument: Exclude<CompletedCommand['argument'], 'none'>): string {
  if (argument === 'card' || argument === 'cards')
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
  if (argument === 'id') return `mapfile -t COMPREPLY < <(compgen -W "$(${LIST_IDS})" -- "$cur")`;
  return `mapfile -t COMPREPLY < <(compgen -W '${argument.join(' ')}' -- "$cur")`;
}

/** The value of an option comes before everything else. */
function values(commands: readonly CompletedCommand[]): string {
  const options = commands.flatMap((command) => command.options);
  const paths = valueFlags(options.filter(({ value }) => value === 'path'));
  const others = valueFlags(options.filter(({ value }) => value === 'other'));
  const lines = [
    `    ${paths.join('|')}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;`,
  ];
  if (others.length > 0) lines.push(`    ${others.join('|')}) return ;;`);
  return `case $prev in\n${lines.map((line) => line.slice(2)).join('\n')}\nesac`;
}

function valueFlags(options: readonly CompletedOption[]): readonly string[] {
  const flagged = options.filter(({ value }) => value !== 'none');
  return [...new Set(flagged.flatMap(({ long, short }) => (short === null ? [long] : [short, long])))];
}

function flags(options: readonly CompletedOption[]): string {
  return options.flatMap(({ long, short }) => (short === null ? [long] : [short, long])).join(' ');
}

function indent(text: string, by: number): string {
  return text
    .split('\n')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');
}
