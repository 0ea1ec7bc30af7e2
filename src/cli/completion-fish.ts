import { type CompletedCommand, type CompletedOption, LIST_IDS } from './completed-command.ts';

/** Completion for fish. */
export function fishCompletion(control: CompletedCommand, spawn: CompletedCommand): string {
  const names = control.commands.map(({ name }) => name).join(' ');
  const none = `not __fish_seen_subcommand_from ${names}`;
  const lines = [
    '# fish completion for agentctl and agent-spawn',
    'complete -c agentctl -f',
    ...control.options.map((option) => optionLine('agentctl', none, option)),
    ...control.commands.map(({ name, text }) => `complete -c agentctl -n '${none}' -a ${name} -d ${quoted(text)}`),
    ...control.commands.flatMap(commandLines),
    'complete -c agent-spawn -F',
    ...spawn.options.map((option) => optionLine('agent-spawn', null, option)),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines({ name, options, argument }: CompletedCommand): readonly string[] {
  const condition = `__fish_seen_subcommand_from ${name}`;
  const lines = options.map((option) => optionLine('agentctl', condition, option));
  if (argument === 'card' || argument === 'cards') lines.push(`complete -c agentctl -n '${condition}' -F`);
  else if (argument === 'id') lines.push(`complete -c agentctl -n '${condition}' -a '(${LIST_IDS})'`);
  else if (argument !== 'none') lines.push(`complete -c agentctl -n '${condition}' -a '${argument.join(' ')}'`);
  return lines;
}

function optionLine(program: string, condition: string | null, { long, short, value, text }: CompletedOption): string {
  const when = condition === null ? '' : ` -n '${condition}'`;
  const flags = `${short === null ? '' : ` -s ${short.slice(1)}`} -l ${long.slice(2)}`;
  const follows = value === 'none' ? '' : value === 'path' ? ' -r -F' : ' -x';
  return `complete -c ${program}${when}${flags}${follows} -d ${quoted(text)}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
