import { isWithin } from '../base/paths.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { blockingAncestor, type Identity, mayRead } from './access.ts';
import type { ProgramBind } from './command.ts';
import type { PathFacts } from './facts.ts';
import type { ReadOnlyBind } from './mounts.ts';

/** A bind that PID 1 makes as root, for a source the agent's uid cannot reach by itself. */
export interface UnitBind {
  readonly source: string;
  readonly destination: string;
}

/** All extra read-only binds of a plan. */
export interface BindsPlan {
  readonly binds: readonly ReadOnlyBind[];
  readonly unitBinds: readonly UnitBind[];
}

/** Inputs of {@link planBinds}. */
export interface BindsInput {
  /** Facts of the card's `filesystem.read_only`, in order. */
  readonly requested: readonly PathFacts[];
  readonly program: readonly ProgramBind[];
  readonly who: Identity;
  readonly workspace: string;
  readonly runDirectory: string;
}

/** Host paths that are never shown, whatever a card says: they hold sockets, devices or everybody's files. */
const NEVER_SHOWN = ['/dev', '/nix/var', '/proc', '/run', '/sys', '/tmp', '/var/run'];

/** Settles the extra binds; every refusal is reported. */
export function planBinds(input: BindsInput): Result<BindsPlan> {
  const problems = input.requested.flatMap((facts, index) => bindProblems(facts, index, input.workspace));
  if (problems.length > 0) return refused(problems);
  const wanted = [
    ...input.program,
    ...input.requested.map((facts) => ({ path: facts.path, reachable: isReachable(facts, input.who) })),
  ];
  const unitBinds: UnitBind[] = [];
  const binds = wanted.map(({ path, reachable }): ReadOnlyBind => {
    if (reachable) return { source: path, destination: path };
    const carried = `${input.runDirectory}/bind-${unitBinds.length}`;
    unitBinds.push({ source: path, destination: carried });
    return { source: carried, destination: path };
  });
  return ok({ binds, unitBinds });
}

function isReachable(facts: PathFacts, who: Identity): boolean {
  return blockingAncestor(facts.ancestors, who) === null && facts.node !== null && mayRead(facts.node, who);
}

function bindProblems(facts: PathFacts, index: number, workspace: string): readonly Problem[] {
  const reason = bindRefusal(facts, workspace);
  if (reason === null) return [];
  return [{ code: 'plan.bind-refused', pointer: `/filesystem/read_only/${index}`, message: reason }];
}

/** What no host shows is refused by the path alone, before anybody looks what lies there. */
function bindRefusal(facts: PathFacts, workspace: string): string | null {
  const { path } = facts;
  if (path === '/' || path === '/etc')
    return `The path ${path} would show the whole of ${path === '/' ? 'the host' : 'its configuration'}.`;
  if (path === '/nix') return 'The path /nix would show the socket of the Nix daemon; its store is shown anyway.';
  const hidden = NEVER_SHOWN.find((area) => isWithin(path, area));
  if (hidden !== undefined) return `The path ${path} lies in ${hidden}, which is never shown.`;
  if (isWithin(path, workspace) || isWithin(workspace, path))
    return `The path ${path} overlaps the workspace ${workspace}.`;
  if (facts.symlinkAt !== null)
    return `The path ${path} passes through the symlink ${facts.symlinkAt}; write ${facts.realPath ?? 'the real path'} instead.`;
  if (facts.kind === 'absent') return `The path ${path} does not exist.`;
  if (facts.kind !== 'directory' && facts.kind !== 'file')
    return `The path ${path} is neither a directory nor a regular file.`;
  return null;
}
