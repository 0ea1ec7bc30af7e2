import { HOME_BYTES_PER_INODE, HOME_INODES_MIN } from '../base/limits.ts';
import { isWithin } from '../base/paths.ts';
import { ok, type Result, refused } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import type { Identity } from './access.ts';
import { HOME, WORKSPACE } from './mount.ts';
import type { ReadOnlyBind } from './mounts.ts';
import type { Step } from './step.ts';
import type { UnitProperty } from './unit-property.ts';

/** Where an agent's home directory is and what makes it. */
export interface HomePlan {
  /** Where the agent sees it. */
  readonly path: string;
  /** Its directory on the host; null when it is the workspace or gone with each run. */
  readonly directory: string | null;
  /** What the agent's unit has because of it. */
  readonly properties: readonly UnitProperty[];
  readonly steps: readonly Step[];
}

/** What {@link planHome} decides on. */
export interface HomeInput {
  readonly card: ResolvedCard;
  readonly identity: Identity;
  readonly binds: readonly Pick<ReadOnlyBind, 'destination'>[];
  /** Directory that holds one directory per agent with a home on the host. */
  readonly homesDirectory: string;
}

/** Start of the name of every unit that mounts a home below `/run/agent-spawn/homes`. */
const HOME_PREFIX = 'run-agent\\x2dspawn-homes-';

/**
 * Decides about the home directory. One that outlives a run is a file system
 * of its own, which the agent's unit requires: PID 1 mounts it at the first
 * start and leaves it alone at the end. The directory is named after the uid
 * as well, so that a unit PID 1 has loaded never shows one user's files to another.
 */
export function planHome(input: HomeInput): Result<HomePlan> {
  const rest = { directory: null, properties: [], steps: [] };
  switch (input.card.filesystem.home) {
    case 'workspace':
      return ok({ path: WORKSPACE, ...rest });
    case 'temporary':
      return ok({ path: HOME, ...rest });
    case 'private':
      return planPrivateHome(input);
  }
}

function planPrivateHome({ card, identity, binds, homesDirectory }: HomeInput): Result<HomePlan> {
  const overlap = binds.find(({ destination }) => isWithin(destination, HOME) || isWithin(HOME, destination));
  if (overlap !== undefined) {
    return refused([
      {
        code: 'plan.home-refused',
        pointer: '/filesystem/home',
        message: `${overlap.destination} is shown to the agent and overlaps ${HOME}, where a home of its own would be.`,
        suggestion: 'Write "home": "temporary" or "workspace", or move what is to be shown.',
      },
    ]);
  }
  const directory = `${homesDirectory}/${card.agentId}/${identity.uid}`;
  const unit = { name: mountUnitName(directory), text: unitText(card, identity, directory) };
  return ok({
    path: HOME,
    directory,
    properties: ['Requires', 'After'].map((name) => ({ name, signature: 'as', value: [unit.name] })),
    steps: [{ kind: 'home.prepare', arguments: { directory, unit, bytes: card.limits.tmpBytes } }],
  });
}

/** The unit that mounts something at a path (systemd.unit(5), "String Escaping for Inclusion in Unit Names"). */
export function mountUnitName(path: string): string {
  const words = path.split('/').filter((word) => word !== '');
  const escaped = words.map((word) => word.replaceAll(/[^A-Za-z0-9_.]/g, escapeByte));
  return `${escaped.join('-')}.mount`;
}

/** The agent and the uid that a unit of a home is for, or null for any other unit. */
export function homeOfUnit(unit: string): { readonly id: string; readonly uid: number } | null {
  if (!unit.startsWith(HOME_PREFIX)) return null;
  const match = /^([a-z0-9]|[a-z0-9](?:[a-z0-9]|\\x2d)*)-([0-9]+)\.mount$/.exec(unit.slice(HOME_PREFIX.length));
  const [, id, uid] = match ?? [];
  return id === undefined ? null : { id: id.replaceAll('\\x2d', '-'), uid: Number(uid) };
}

/**
 * In memory, bounded in bytes and in files, closed to everybody else. What ends
 * it detaches it at once: a file that somebody of the host holds open keeps
 * only that file. No default dependencies, since it is no part of a boot.
 */
function unitText({ agentId, limits }: ResolvedCard, { uid, gid }: Identity, directory: string): string {
  const inodes = Math.max(HOME_INODES_MIN, Math.ceil(limits.tmpBytes / HOME_BYTES_PER_INODE));
  return `[Unit]
Description=Home directory of agent ${agentId}
DefaultDependencies=no
Conflicts=umount.target
Before=umount.target
StartLimitIntervalSec=0

[Mount]
What=tmpfs
Type=tmpfs
Where=${directory}
Options=size=${limits.tmpBytes},nr_inodes=${inodes},mode=0700,uid=${uid},gid=${gid},nosuid,nodev
DirectoryMode=0711
LazyUnmount=yes
`;
}

function escapeByte(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
