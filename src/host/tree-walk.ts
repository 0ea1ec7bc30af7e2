import { SpawnError } from '../base/errors.ts';
import { WORKSPACE_PENDING_MAX } from '../base/limits.ts';
import type { OpenDirectory, OpenInode } from './open-directory.ts';

/** What is done to a tree, content before the directory that holds it. */
export interface TreeVisitor {
  /** An entry that is no directory, held open. */
  leaf(entry: OpenInode, directory: OpenDirectory, name: Buffer): Promise<void>;
  /** A directory below the root whose content was visited, held open. */
  directory(entry: OpenDirectory, parent: OpenDirectory, name: Buffer): Promise<void>;
}

/** A directory on the way down. */
interface Level {
  readonly name: Buffer;
  readonly dev: bigint;
  readonly ino: bigint;
  /** Null while so much is open below it that it was closed. */
  open: OpenDirectory | null;
  /** Subdirectories still to be visited. */
  readonly pending: Buffer[];
}

/** Directories that stay open on the way down; above them, they are opened again by `..` and recognised by their inode. */
const OPEN_LEVELS_MAX = 64;
/** Entries looked at side by side. */
const BATCH = 32;

/**
 * Visits everything below an open directory, on its own file system only,
 * without following a symlink. Depth costs neither stack nor descriptors; the
 * names of directories that wait are the only thing that grows, up to
 * `pendingMax`, beyond which it throws `plan.workspace-refused`.
 */
export async function walkTree(
  root: OpenDirectory,
  visitor: TreeVisitor,
  pendingMax: number = WORKSPACE_PENDING_MAX,
): Promise<void> {
  const stack: Level[] = [await levelOf(root, Buffer.alloc(0))];
  try {
    await descend(stack, visitor, pendingMax);
  } finally {
    for (const level of stack.slice(1)) await level.open?.[Symbol.asyncDispose]();
  }
}

async function descend(stack: Level[], visitor: TreeVisitor, pendingMax: number): Promise<void> {
  let pendingCount = await scan(stack[0], visitor, pendingMax);
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const name = level.pending.pop();
    if (name === undefined) {
      if (stack.length === 1) return;
      await leave(stack, visitor);
      continue;
    }
    pendingCount -= 1;
    const child = (await level.open?.directory(name)) ?? null;
    if (child === null) continue;
    const below = await levelOf(child, name);
    stack.push(below);
    if (below.dev === level.dev) pendingCount += await scan(below, visitor, pendingMax - pendingCount);
    await closeFarAbove(stack);
  }
}

/** Visits the entries of a directory and notes its subdirectories; returns how many there are. */
async function scan(level: Level | undefined, visitor: TreeVisitor, pendingMax: number): Promise<number> {
  const directory = level?.open;
  if (level === undefined || directory === null || directory === undefined) return 0;
  const visit = async (name: Buffer): Promise<void> => {
    await using entry = await directory.entry(name);
    if (entry === null) return;
    const stat = await entry.stat();
    if (stat.isDirectory()) level.pending.push(name);
    else if (stat.dev === level.dev) await visitor.leaf(entry, directory, name);
    if (level.pending.length > pendingMax) throw tooWide();
  };
  let batch: Buffer[] = [];
  for await (const name of directory.names()) {
    batch.push(name);
    if (batch.length < BATCH) continue;
    await Promise.all(batch.map(visit));
    batch = [];
  }
  await Promise.all(batch.map(visit));
  return level.pending.length;
}

/** Goes back up; the directory that was left is visited on the way. A mount point is left as it is. */
async function leave(stack: Level[], visitor: TreeVisitor): Promise<void> {
  const level = stack.at(-1);
  const above = stack.at(-2);
  if (level === undefined || above === undefined || level.open === null) return;
  above.open ??= await reopen(level.open, above);
  if (level.dev === above.dev) await visitor.directory(level.open, above.open, level.name);
  await level.open[Symbol.asyncDispose]();
  stack.pop();
}

async function reopen(below: OpenDirectory, level: Level): Promise<OpenDirectory> {
  const directory = await below.parent();
  const stat = await directory.stat();
  if (stat.dev === level.dev && stat.ino === level.ino) return directory;
  await directory[Symbol.asyncDispose]();
  throw new SpawnError('plan.workspace-refused', 'A directory of the workspace was moved while its tree was walked.', {
    remedy: 'Stop what changes the workspace, then try again.',
  });
}

/** The root stays open, since it is not ours to close. */
async function closeFarAbove(stack: readonly Level[]): Promise<void> {
  const index = stack.length - 1 - OPEN_LEVELS_MAX;
  const level = stack[index];
  if (index <= 0 || level === undefined || level.open === null) return;
  const { open } = level;
  level.open = null;
  await open[Symbol.asyncDispose]();
}

async function levelOf(open: OpenDirectory, name: Buffer): Promise<Level> {
  const { dev, ino } = await open.stat();
  return { name, dev, ino, open, pending: [] };
}

function tooWide(): SpawnError {
  return new SpawnError(
    'plan.workspace-refused',
    `The workspace holds more than ${WORKSPACE_PENDING_MAX} directories side by side.`,
    { remedy: 'Remove what the agent piled up there, or use another workspace.' },
  );
}
