import type { Command } from 'commander';
import type { CompletedCommand, CompletedOption } from './completed-command.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { zshCompletion } from './completion-zsh.ts';
import { SPAWN_OPTIONS } from './spawn-options.ts';

/** Shells that a completion can be printed for. */
export const COMPLETION_SHELLS = ['bash', 'zsh', 'fish'] as const;

/** The completion of both programs for a shell, made from what the programs themselves are made of. */
export function completionScript(shell: string, program: Command): string {
  const control = describeProgram(program, []);
  const spawn = describeSpawn();
  switch (shell) {
    case 'zsh':
      return zshCompletion(control, spawn);
    case 'fish':
      return fishCompletion(control, spawn);
    default:
      return bashCompletion(control, spawn);
  }
}

function describeProgram(command: Command, inherited: readonly CompletedOption[]): CompletedCommand {
  const visible = command.createHelp().visibleOptions(command);
  const own = visible.map(({ long, short, required, description }) => ({
    long: long ?? '',
    short: short ?? null,
    value: required ? valueKind(long ?? '') : ('none' as const),
    text: description.replace(/ \(default: .*\)$/, ''),
  }));
  // The version belongs to the program alone.
  const passedOn = own.filter(({ long }) => long === '--json' || long === '--socket');
  return {
    name: command.name(),
    text: command.description(),
    options: [...own, ...inherited],
    argument: argumentKind(command),
    commands: command.commands.map((inner) => describeProgram(inner, passedOn)),
  };
}

function describeSpawn(): CompletedCommand {
  const options = SPAWN_OPTIONS.map(({ name, short, value, text }) => ({
    long: `--${name}`,
    short: short === undefined ? null : `-${short}`,
    value: value === undefined ? ('none' as const) : valueKind(`--${name}`),
    text: text.replace(/ \(default: .*\)$/, ''),
  }));
  return { name: 'agent-spawn', text: 'start a confined agent', options, argument: 'card', commands: [] };
}

function valueKind(long: string): 'path' | 'other' {
  return long === '--socket' || long === '--config' ? 'path' : 'other';
}

function argumentKind(command: Command): CompletedCommand['argument'] {
  const [argument] = command.registeredArguments;
  if (argument === undefined) return 'none';
  if (argument.name() === 'card') return argument.variadic ? 'cards' : 'card';
  return argument.argChoices ?? 'id';
}
