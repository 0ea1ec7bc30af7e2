import { assert } from '../base/assert.ts';
import { SpawnError } from '../base/errors.ts';
import type { WorkspaceChange, WorkspaceOrder } from './host.ts';
import { OpenDirectory } from './open-directory.ts';
import { type TreeVisitor, walkTree } from './tree-walk.ts';

const PARENT_MODE = 0o755;
const WORKSPACE_MODE = 0o700;

/**
 * Makes or re-owns a workspace. Every component is opened by name in the
 * directory opened before it, without following symlinks, and everything after
 * that happens to open descriptors: whoever turns a name meanwhile turns
 * nothing of ours. Throws `plan.workspace-refused`.
 */
export async function prepareWorkspace(order: WorkspaceOrder): Promise<WorkspaceChange> {
  const made: string[] = [];
  try {
    await using directory = await openWorkspace(order, made);
    if (made.includes(order.path)) {
      await directory.chown(order.uid, order.gid);
      return { made, reowned: 0 };
    }
    const reowned = order.replaceUid === null ? 0 : await reown(directory, order, order.replaceUid);
    const { uid } = await directory.stat();
    if (Number(uid) !== order.uid) throw refused(`${order.path} belongs to uid ${uid} instead of uid ${order.uid}`);
    return { made, reowned };
  } catch (error) {
    await revertWorkspace({ made, reowned: 0 }).catch(() => undefined);
    throw error;
  }
}

/** Removes directories that {@link prepareWorkspace} made, deepest first, those that are still empty. */
export async function revertWorkspace(change: WorkspaceChange): Promise<void> {
  for (const path of [...change.made].reverse()) {
    const names = components(path);
    const last = names.pop();
    if (last === undefined) continue;
    await using parent = await openExisting(names);
    if (parent === null || !(await parent.removeDirectory(last))) return;
  }
}

async function openWorkspace(order: WorkspaceOrder, made: string[]): Promise<OpenDirectory> {
  let directory = await OpenDirectory.root();
  let path = '';
  for (const name of components(order.path)) {
    path += `/${name}`;
    await using above = directory;
    const present = await above.directory(name);
    directory = present ?? (await makeComponent(above, { name, path, order, made }));
  }
  return directory;
}

interface Component {
  readonly name: string;
  readonly path: string;
  readonly order: WorkspaceOrder;
  readonly made: string[];
}

/** Makes a component that is absent, or says what stands in its place. */
async function makeComponent(above: OpenDirectory, component: Component): Promise<OpenDirectory> {
  const { name, path, order, made } = component;
  const stat = await above.statEntry(name);
  if (stat?.isSymbolicLink() === true) throw refused(`${path} is a symlink`);
  if (stat !== null) throw refused(`${path} is not a directory`);
  if (!order.create) throw refused(`${path} does not exist`);
  const mode = path === order.path ? WORKSPACE_MODE : PARENT_MODE;
  if (!(await above.makeDirectory(name, mode))) throw refused(`${path} was made by somebody else meanwhile`);
  made.push(path);
  const directory = await above.directory(name);
  const owner = directory === null ? null : Number((await directory.stat()).uid);
  if (directory === null || owner !== process.geteuid?.()) {
    await directory?.[Symbol.asyncDispose]();
    throw refused(`${path} was replaced by somebody else meanwhile`);
  }
  // The umask took bits away from what mkdir(2) was asked for.
  await directory.chmod(mode);
  return directory;
}

/**
 * Gives every entry of the former owner to the new one, each directory after
 * its content and the root last: a walk that was interrupted finds the root
 * with its former owner and is done again. Root's own files are never given
 * away: of a directory of root's only an empty one changes hands.
 */
async function reown(root: OpenDirectory, order: WorkspaceOrder, replaceUid: number): Promise<number> {
  let reowned = 0;
  const take = async (entry: { stat: OpenDirectory['stat']; chown: OpenDirectory['chown'] }): Promise<void> => {
    const { uid, gid } = await entry.stat();
    if (Number(uid) !== replaceUid) return;
    // A group of its own has the uid's number; any other was chosen by somebody and stays.
    await entry.chown(order.uid, Number(gid) === replaceUid ? order.gid : Number(gid));
    reowned += 1;
  };
  if (replaceUid === 0) {
    for await (const _name of root.names()) throw refused(`${order.path} belongs to root and is not empty`);
  } else {
    const visitor: TreeVisitor = { leaf: take, directory: take };
    await walkTree(root, visitor);
  }
  await take(root);
  return reowned;
}

async function openExisting(names: readonly string[]): Promise<OpenDirectory | null> {
  let directory = await OpenDirectory.root();
  for (const name of names) {
    await using above = directory;
    const next = await above.directory(name);
    if (next === null) return null;
    directory = next;
  }
  return directory;
}

function components(path: string): string[] {
  const names = path.split('/').slice(1);
  assert(path.startsWith('/') && names.every((name) => !['', '.', '..'].includes(name)), 'a workspace path is normal');
  return names;
}

function refused(reason: string): SpawnError {
  return new SpawnError('plan.workspace-refused', `The workspace cannot be used: ${reason}.`);
}
