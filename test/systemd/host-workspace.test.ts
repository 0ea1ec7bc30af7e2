import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { linuxFiles } from '../../src/host/files.ts';
import type { WorkspaceOrder } from '../../src/host/host.ts';
import { OpenDirectory } from '../../src/host/open-directory.ts';
import { walkTree } from '../../src/host/tree-walk.ts';
import { makeScratch } from '../helpers/scratch.ts';

const files = linuxFiles();
const FORMER = 1_900_000_001;
const OWNER = 1_900_000_002;
const REFUSED = { name: 'SpawnError', code: 'plan.workspace-refused' };

function reownOrder(path: string): WorkspaceOrder {
  return { path, create: false, uid: OWNER, gid: OWNER, replaceUid: FORMER };
}

function giveToFormer(path: string): void {
  execFileSync('chown', ['-h', `${FORMER}:${FORMER}`, path]);
}

/** A workspace of the former owner with an outside directory of root's beside it. */
async function openPlace(): Promise<{ workspace: string; outside: string } & AsyncDisposable> {
  const scratch = await makeScratch();
  const [workspace, outside] = [join(scratch.path, 'workspace'), join(scratch.path, 'outside')];
  for (const path of [workspace, outside]) mkdirSync(path);
  writeFileSync(join(outside, 'victim'), 'x');
  giveToFormer(workspace);
  return { workspace, outside, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() };
}

/** What the launcher must not do: walk by path names and follow what they lead to. */
function reownByPath(path: string, before: (path: string) => void = () => undefined): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    before(child);
    if (entry.isDirectory()) reownByPath(child, before);
    chownSync(child, OWNER, OWNER);
  }
}

test('every kind of entry changes hands, and symlinks themselves do', async () => {
  await using place = await openPlace();
  const { workspace } = place;
  mkdirSync(join(workspace, 'directory'));
  writeFileSync(join(workspace, 'directory/file'), 'x');
  execFileSync('mkfifo', [join(workspace, 'fifo')]);
  symlinkSync('/nonexistent', join(workspace, 'link'));
  const paths = ['directory/file', 'directory', 'fifo', 'link'].map((name) => join(workspace, name));
  for (const path of paths) giveToFormer(path);
  assert.deepEqual(await files.prepareWorkspace(reownOrder(workspace)), { made: [], reowned: 5 });
  for (const path of [...paths, workspace]) assert.equal(lstatSync(path).uid, OWNER, path);
});

test('a symlink to a file or directory outside leads nowhere', async () => {
  await using place = await openPlace();
  const { workspace, outside } = place;
  for (const [name, target] of [
    ['to-file', join(outside, 'victim')],
    ['to-directory', outside],
  ] as const) {
    symlinkSync(target, join(workspace, name));
    giveToFormer(join(workspace, name));
  }
  // Positive control: a chown that follows symlinks reaches both.
  reownByPath(workspace);
  assert.deepEqual([statSync(outside).uid, statSync(join(outside, 'victim')).uid], [OWNER, OWNER]);
  for (const path of [outside, join(outside, 'victim')]) giveToFormer(path);
  await files.prepareWorkspace(reownOrder(workspace));
  // They belong to the former owner, so only their being outside protects them.
  assert.deepEqual([statSync(outside).uid, statSync(join(outside, 'victim')).uid], [FORMER, FORMER]);
});

test('a hard link to a file of somebody else keeps its owner', async () => {
  await using place = await openPlace();
  const { workspace, outside } = place;
  linkSync(join(outside, 'victim'), join(workspace, 'hard'));
  // Positive control: a chown of everything in the tree reaches the file outside.
  reownByPath(workspace);
  assert.equal(statSync(join(outside, 'victim')).uid, OWNER);
  chownSync(join(outside, 'victim'), 0, 0);
  await files.prepareWorkspace(reownOrder(workspace));
  assert.equal(statSync(join(outside, 'victim')).uid, 0);
});

test('a directory that is exchanged for a symlink during the walk leads nowhere', async () => {
  await using place = await openPlace();
  const { workspace, outside } = place;
  const trap = join(workspace, 'trap');
  const exchange = (): void => {
    renameSync(trap, join(workspace, 'was-trap'));
    symlinkSync(outside, trap);
  };
  const plant = (): void => {
    rmSync(workspace, { recursive: true });
    mkdirSync(trap, { recursive: true });
    writeFileSync(join(trap, 'bait'), 'x');
    writeFileSync(join(workspace, 'first'), 'x');
  };
  // Positive control: the same exchange, between the look and the step, takes a walk by names outside.
  plant();
  reownByPath(workspace, (path) => {
    if (path === trap) exchange();
  });
  assert.equal(statSync(join(outside, 'victim')).uid, OWNER);

  chownSync(join(outside, 'victim'), 0, 0);
  plant();
  const seen: string[] = [];
  await using root = await OpenDirectory.trusted(workspace);
  await walkTree(root, {
    leaf: async (_entry, _directory, name) => {
      seen.push(name.toString());
      if (name.toString() === 'first') exchange();
    },
    directory: async (_entry, _above, name) => void seen.push(name.toString()),
  });
  assert.deepEqual(seen, ['first']);
});

test('a directory that is moved away far below stops the walk', async () => {
  await using place = await openPlace();
  const { workspace, outside } = place;
  const deep = join(workspace, ...Array.from({ length: 100 }, () => 'd'));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'bottom'), 'x');
  await using root = await OpenDirectory.trusted(workspace);
  const half = join(workspace, ...Array.from({ length: 20 }, () => 'd'));
  const walk = walkTree(root, {
    leaf: async () => renameSync(half, join(outside, 'moved')),
    directory: async () => undefined,
  });
  await assert.rejects(walk, REFUSED);
});

test('names that are no text, and trees deeper than any path, are walked with few descriptors', async () => {
  await using place = await openPlace();
  const { workspace } = place;
  const depth = 600;
  const script = [
    'import os, sys',
    'os.chdir(sys.argv[1])',
    `for level in range(${depth}):`,
    '  name = b"\\xff\\xfe-" + b"n" * 20',
    '  os.mkdir(name); os.chdir(name)',
    `  os.chown(".", ${FORMER}, ${FORMER})`,
  ].join('\n');
  execFileSync('python3', ['-c', script, workspace]);
  let descriptors = 0;
  let visited = 0;
  await using root = await OpenDirectory.trusted(workspace);
  const count = async (entry: OpenDirectory): Promise<void> => {
    visited += Number((await entry.stat()).uid) === FORMER ? 1 : 0;
    descriptors = Math.max(descriptors, readdirSync('/proc/self/fd').length);
  };
  await walkTree(root, { leaf: async () => undefined, directory: count });
  assert.equal(visited, depth);
  assert.ok(descriptors < 150, `${descriptors} descriptors were open`);
  assert.equal((await files.prepareWorkspace(reownOrder(workspace))).reowned, depth + 1);
  await files.removeTree(workspace);
  assert.deepEqual(await files.list(workspace), []);
});

test('another file system in the workspace is left alone', async () => {
  await using place = await openPlace();
  const mountPoint = join(place.workspace, 'mount');
  mkdirSync(mountPoint);
  giveToFormer(mountPoint);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mountPoint]);
  try {
    writeFileSync(join(mountPoint, 'inside'), 'x');
    for (const path of [mountPoint, join(mountPoint, 'inside')]) giveToFormer(path);
    assert.equal((await files.prepareWorkspace(reownOrder(place.workspace))).reowned, 1);
    assert.deepEqual([statSync(mountPoint).uid, statSync(join(mountPoint, 'inside')).uid], [FORMER, FORMER]);
    await assert.rejects(files.removeTree(place.workspace), { code: 'host.call-failed' });
    assert.deepEqual(readdirSync(mountPoint), ['inside']);
  } finally {
    execFileSync('umount', [mountPoint]);
  }
});

test('a walk of more directories than may wait gives up', async () => {
  await using place = await openPlace();
  const visitor = { leaf: async () => undefined, directory: async () => undefined };
  for (let index = 0; index < 8; index += 1) mkdirSync(join(place.workspace, `d${index}`));
  await using root = await OpenDirectory.trusted(place.workspace);
  await walkTree(root, visitor, 8);
  mkdirSync(join(place.workspace, 'one-more'));
  await assert.rejects(walkTree(root, visitor, 8), REFUSED);
});

test('a change of owner that fails on the way leaves the root to the former owner, so that the next one begins again', async () => {
  await using place = await openPlace();
  const sealed = join(place.workspace, 'sealed');
  mkdirSync(sealed);
  writeFileSync(join(sealed, 'file'), 'x');
  for (const path of [sealed, join(sealed, 'file')]) giveToFormer(path);
  // The same file system mounted again, so that the walk goes in, but read-only, so that it fails there.
  execFileSync('mount', ['--bind', sealed, sealed]);
  try {
    execFileSync('mount', ['-o', 'remount,bind,ro', sealed]);
    await assert.rejects(files.prepareWorkspace(reownOrder(place.workspace)), { code: 'host.call-failed' });
  } finally {
    execFileSync('umount', [sealed]);
  }
  assert.equal(statSync(place.workspace).uid, FORMER);
  assert.equal((await files.prepareWorkspace(reownOrder(place.workspace))).reowned, 3);
});

test('a group that somebody chose stays', async () => {
  await using place = await openPlace();
  const file = join(place.workspace, 'shared');
  writeFileSync(file, 'x');
  chownSync(file, FORMER, 4242);
  await files.prepareWorkspace(reownOrder(place.workspace));
  assert.deepEqual([statSync(file).uid, statSync(file).gid], [OWNER, 4242]);
  assert.equal(statSync(place.workspace).gid, OWNER);
});

test('modes of a made workspace do not depend on the umask', async () => {
  await using place = await openPlace();
  const path = join(place.outside, 'a/b');
  const umask = process.umask(0o077);
  try {
    await files.prepareWorkspace({ path, create: true, uid: OWNER, gid: OWNER, replaceUid: null });
  } finally {
    process.umask(umask);
  }
  const modes = [path, join(place.outside, 'a')].map((made) => statSync(made).mode & 0o7777);
  assert.deepEqual(modes, [0o700, 0o755]);
});

test('what was made is unmade when a later component is refused', async () => {
  await using place = await openPlace();
  const order = { create: true, uid: OWNER, gid: OWNER, replaceUid: null };
  const long = 'x'.repeat(300);
  await assert.rejects(files.prepareWorkspace({ ...order, path: join(place.outside, 'a', 'b', long) }), {
    code: 'host.call-failed',
  });
  assert.deepEqual(readdirSync(place.outside), ['victim']);
});
