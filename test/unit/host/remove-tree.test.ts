import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { removeTree } from '../../../src/host/remove-tree.ts';

test('directories of files and of directories, ours alone or anybody’s, are removed', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'remove-tree-'));
  context.after(() => rmSync(place, { recursive: true, force: true }));
  for (const [name, mode] of [
    ['own', 0o700],
    ['open', 0o777],
    ['nested', 0o700],
  ] as const) {
    const tree = join(place, name);
    mkdirSync(tree);
    for (const file of ['a', '.b', 'c d']) writeFileSync(join(tree, file), '');
    symlinkSync(place, join(tree, 'link'));
    if (name === 'nested') mkdirSync(join(tree, 'below'));
    chmodSync(tree, mode);
    await removeTree(tree);
    assert.equal(existsSync(tree), false, name);
  }
  assert.deepEqual(readdirSync(place), []);
});

test('a symlink to a directory of files is removed, and the files stay', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'remove-tree-'));
  context.after(() => rmSync(place, { recursive: true, force: true }));
  mkdirSync(join(place, 'kept'), { mode: 0o700 });
  writeFileSync(join(place, 'kept', 'file'), '');
  symlinkSync(join(place, 'kept'), join(place, 'link'));
  await removeTree(join(place, 'link'));
  assert.deepEqual(readdirSync(place), ['kept']);
  assert.deepEqual(readdirSync(join(place, 'kept')), ['file']);
});

test('a file whose name is not UTF-8 is removed too', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'remove-tree-'));
  context.after(() => rmSync(place, { recursive: true, force: true }));
  const tree = join(place, 'tree');
  mkdirSync(tree, { mode: 0o700 });
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), '');
  await removeTree(tree);
  assert.deepEqual(readdirSync(place), []);
});
