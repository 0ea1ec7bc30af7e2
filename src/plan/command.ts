import { isWithin, parentOf } from '../base/paths.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { blockingAncestor, type Identity } from './access.ts';
import type { ProgramFacts, ProgramQuery, SystemFacts } from './facts.ts';
import { WORKSPACE } from './mount.ts';
import { PRESETS, type PresetName } from './presets.ts';

/** A path of the host that the program needs inside, and whether the agent's uid reaches it. */
export interface ProgramBind {
  readonly path: string;
  readonly reachable: boolean;
}

/** The agent's command and what it takes to have it inside. */
export interface CommandPlan {
  readonly command: readonly string[];
  readonly binds: readonly ProgramBind[];
  /** Directories to add to the search path, for interpreters outside the ordinary ones. */
  readonly directories: readonly string[];
  readonly notices: readonly string[];
}

/** The command a card and a caller ask for. */
export interface CommandInput {
  readonly words: readonly string[];
  /** False for an empty standard input. */
  readonly readsInput: boolean;
  /** The agent of the list whose command it is, or null for the card's own. */
  readonly preset: PresetName | null;
}

/** Directories every sandbox's search path has, where programs are looked up first. */
const ORDINARY = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Places outside them where agents get installed, for everybody. */
const INSTALLED = ['/opt/*/bin', '/opt/*'];

/**
 * The same below a home directory: the installers of Claude Code (now, and in the past) and of opencode, bun, and npm
 * with a prefix of the user's own or under nvm, fnm and mise. Of homes only root's and that of the workspace's owner
 * are looked at, so that no other user can plant a program.
 */
const INSTALLED_AT_HOME = [
  '.local/bin',
  '.claude/local/node_modules/.bin',
  '.opencode/bin',
  '.bun/bin',
  '.npm-global/bin',
  '.nvm/versions/node/*/bin',
  '.local/share/fnm/node-versions/*/installation/bin',
  '.local/share/mise/installs/node/*/bin',
];

/**
 * What to look up for a program: null when it lies in the workspace
 * (`./run.sh`, `/workspace/run.sh`), where only the agent can tell.
 */
export function programQuery(name: string, workspace: string): ProgramQuery | null {
  if (isWithin(name, WORKSPACE)) return null;
  if (name.includes('/') && !name.startsWith('/')) return null;
  const home = /^\/home\/[^/]+/.exec(workspace)?.[0];
  const below = (directory: string): readonly string[] => INSTALLED_AT_HOME.map((path) => `${directory}/${path}`);
  const own = home === undefined ? [] : below(home);
  return { name, directories: [...ORDINARY, ...own, ...INSTALLED, ...below('/root')] };
}

/** Settles the command on what the host answered. */
export function planCommand(
  input: CommandInput,
  program: ProgramFacts | null,
  who: Identity,
  system: SystemFacts,
): Result<CommandPlan> {
  const { words } = input;
  const query = programQuery(words[0] ?? '', '/');
  if (query === null) return ok({ command: withInput(words, input), binds: [], directories: [], notices: [] });
  if (program === null) return refused([notFound(input, query.name)]);
  const parts = [program, ...(program.interpreter === null ? [] : [program.interpreter])];
  const hidden = parts.filter((part) => !isVisible(part.realPath, system));
  const binds = hidden.map((part): ProgramBind => {
    const path = part.packageDirectory ?? part.realPath;
    return { path, reachable: blockingAncestor(part.ancestors, who) === null };
  });
  const interpreterDirectories = hidden
    .filter((part) => part === program.interpreter)
    .map((part) => parentOf(part.realPath));
  const first = hidden.includes(program) ? program.realPath : (words[0] ?? '');
  return ok({
    command: withInput([first, ...words.slice(1)], input),
    binds,
    directories: interpreterDirectories,
    notices: binds.map(({ path }) => `The agent's program lies outside the allowlist, so ${path} is shown read-only.`),
  });
}

/** A shell gives way to the program at once; nothing else could close what is open already. */
function withInput(command: readonly string[], { readsInput }: CommandInput): readonly string[] {
  return readsInput ? command : ['/bin/sh', '-c', 'exec "$@" < /dev/null', 'sh', ...command];
}

/** Whether the sandbox shows a path without any extra bind. */
export function isVisible(path: string, system: SystemFacts): boolean {
  return system.roots.some((root) => root.kind === 'directory' && isWithin(path, root.path));
}

function notFound(input: CommandInput, name: string): Problem {
  if (input.preset === null) {
    return {
      code: 'plan.command-not-found',
      pointer: '/command/0',
      message: `The program "${name}" was not found on this host.`,
      suggestion: 'Install it, or give its absolute path.',
    };
  }
  return {
    code: 'plan.command-not-found',
    pointer: '/agent',
    message: `The program "${name}" of the agent "${input.preset}" was not found on this host.`,
    suggestion: `Install it (${PRESETS[input.preset].install}), choose another "agent", or give a "command".`,
  };
}
