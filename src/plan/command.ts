import { isWithin, parentOf } from '../base/paths.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { blockingAncestor, type Identity } from './access.ts';
import type { ProgramFacts, ProgramQuery, SystemFacts } from './facts.ts';
import { WORKSPACE } from './mount.ts';
import { PRESETS, type PresetName } from './presets.ts';
import { ORDINARY_DIRECTORIES, PROFILE_PROGRAMS } from './search-path.ts';

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

/** What stands for the search path inside, where programs are looked up first. */
const SEARCHED = [...ORDINARY_DIRECTORIES, PROFILE_PROGRAMS];

/** Places outside it where agents get installed, for everybody; the last one is root's profile of Nix. */
const INSTALLED = ['/opt/*/bin', '/opt/*', '/nix/var/nix/profiles/default/bin'];

/**
 * The same below a home directory: the installers of Claude Code (now, and in the past) and of opencode, bun, npm with
 * a prefix of the user's own or under nvm, fnm and mise, and profiles of Nix. Of homes only root's and that of the
 * workspace's owner are looked at, so that no other user can plant a program.
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
  '.nix-profile/bin',
  '.local/state/nix/profile/bin',
];

/**
 * What to look up for a program: null when it lies in the workspace
 * (`./run.sh`, `/workspace/run.sh`), where only the agent can tell.
 */
export function programQuery(name: string, workspace: string): ProgramQuery | null {
  if (isWithin(name, WORKSPACE)) return null;
  if (name.includes('/') && !name.startsWith('/')) return null;
  const user = /^\/home\/([^/]+)/.exec(workspace)?.[1];
  const own = user === undefined ? [] : ofUser(user, `/home/${user}`);
  return { name, directories: [...SEARCHED, ...own, ...INSTALLED, ...ofUser('root', '/root')] };
}

/** What a NixOS's root installs for one user is in a directory of root's, named after the user. */
function ofUser(name: string, home: string): readonly string[] {
  return [...INSTALLED_AT_HOME.map((path) => `${home}/${path}`), `/etc/profiles/per-user/${name}/bin`];
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
  const directories = parts
    .filter((part) => part !== program && !(isShown(part, system) || isSearched(part, system)))
    .map((part) => parentOf(pathInside(part, system)));
  const isSame = query.name.startsWith('/') ? isShown(program, system) : isSearched(program, system);
  const first = isSame ? query.name : pathInside(program, system);
  return ok({
    command: withInput([first, ...words.slice(1)], input),
    binds,
    directories,
    notices: binds.map(({ path }) => `The agent's program lies outside the allowlist, so ${path} is shown read-only.`),
  });
}

/** Where a program is inside that its own path does not lead to there. One of many names for a file keeps its name. */
function pathInside({ namedPath, realPath }: ProgramFacts, system: SystemFacts): string {
  return [namedPath, realPath].every((path) => isVisible(path, system)) ? namedPath : realPath;
}

/** Whether the path that a program was found at leads to it inside, too. */
function isShown({ path, realPath }: ProgramFacts, system: SystemFacts): boolean {
  return isVisible(realPath, system) && system.roots.some((root) => isWithin(path, root.path));
}

/** Whether the search path inside leads to a program by its name. */
function isSearched({ path, realPath }: ProgramFacts, system: SystemFacts): boolean {
  const directory = parentOf(path);
  const isThere = directory === PROFILE_PROGRAMS ? system.profile !== null : ORDINARY_DIRECTORIES.includes(directory);
  return isThere && isVisible(realPath, system);
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
