import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { expandPattern, probeProgram } from '../../../src/host/program-facts.ts';
import type { ProgramFacts } from '../../../src/plan/facts.ts';
import { makeScratch } from '../../helpers/scratch.ts';

function plant(path: string, content: string, mode = 0o755): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

/** The paths of a program and its interpreters, from the program on. */
function chain(facts: ProgramFacts | null): readonly string[] {
  return facts === null ? [] : [facts.realPath, ...chain(facts.interpreter)];
}

test('a program is found in the first directory that has it', async () => {
  await using place = await makeScratch();
  const directories = ['empty', 'one', 'two'].map((name) => join(place.path, name));
  plant(join(place.path, 'one/tool'), '\x7fELF', 0o644);
  plant(join(place.path, 'two/tool'), '\x7fELF');
  const facts = await probeProgram({ name: 'tool', directories });
  assert.deepEqual(chain(facts), [join(place.path, 'two/tool')]);
  assert.deepEqual(facts?.ancestors.map((ancestor) => ancestor.path).slice(-2), [place.path, join(place.path, 'two')]);
});

test('a program that is a symlink is the file behind it', async () => {
  await using place = await makeScratch();
  plant(join(place.path, 'real/tool.js'), '\x7fELF');
  mkdirSync(join(place.path, 'bin'));
  symlinkSync('../real/tool.js', join(place.path, 'bin/tool'));
  symlinkSync('nowhere', join(place.path, 'bin/dangling'));
  const facts = await probeProgram({ name: 'tool', directories: [join(place.path, 'bin')] });
  assert.deepEqual([facts?.path, facts?.realPath], [join(place.path, 'bin/tool'), join(place.path, 'real/tool.js')]);
  assert.equal(await probeProgram({ name: 'dangling', directories: [join(place.path, 'bin')] }), null);
});

test('interpreters are followed, in the same directories', async () => {
  await using place = await makeScratch();
  const bin = join(place.path, 'bin');
  plant(join(bin, 'script'), '#!/usr/bin/env -S runner --fast\n');
  plant(join(bin, 'runner'), `#!${bin}/machine\n`);
  plant(join(bin, 'machine'), '\x7fELF');
  const facts = await probeProgram({ name: 'script', directories: [bin] });
  assert.deepEqual(
    chain(facts),
    ['script', 'runner', 'machine'].map((name) => join(bin, name)),
  );
});

test('a script whose interpreter is missing or itself is no program', async () => {
  await using place = await makeScratch();
  plant(join(place.path, 'orphan'), '#!/usr/bin/env surely-not-installed\n');
  plant(join(place.path, 'circle'), `#!${place.path}/circle\n`);
  for (const name of ['orphan', 'circle']) assert.equal(await probeProgram({ name, directories: [place.path] }), null);
});

test('neither the current directory nor a relative path is searched', async () => {
  for (const name of ['', '.', '..', 'a/b', './node', 'node\0']) {
    assert.equal(await probeProgram({ name, directories: [dirname(process.execPath)] }), null, name);
  }
});

test('a star stands for one component, newest version first, hidden names excepted', async () => {
  await using place = await makeScratch();
  for (const name of ['v9.0.0', 'v20.1.0', 'v18.2.0', '.cache']) mkdirSync(join(place.path, name));
  assert.deepEqual(
    await expandPattern(`${place.path}/*/bin`),
    ['v20.1.0', 'v18.2.0', 'v9.0.0'].map((name) => join(place.path, name, 'bin')),
  );
  assert.deepEqual(await expandPattern(`${place.path}/absent/*`), []);
});

test('the package of a program is the one in node_modules around it', async () => {
  await using place = await makeScratch();
  const directory = join(place.path, 'lib/node_modules/@scope/agent');
  plant(join(directory, 'dist/cli.js'), '\x7fELF');
  plant(join(directory, 'dist/package.json'), '{"type":"module"}');
  plant(join(directory, 'package.json'), '{}');
  const facts = await probeProgram({ name: join(directory, 'dist/cli.js'), directories: [] });
  assert.equal(facts?.packageDirectory, directory);
});

test('the package of a program is one that names it, and never just a directory with a package.json', async () => {
  await using place = await makeScratch();
  const home = join(place.path, 'home');
  plant(join(home, 'bin/agent'), '\x7fELF');
  plant(join(home, 'package.json'), '{"name":"somebody","bin":{"other":"./other.js"}}');
  const find = (): Promise<ProgramFacts | null> => probeProgram({ name: join(home, 'bin/agent'), directories: [] });
  assert.equal((await find())?.packageDirectory, null);
  plant(join(home, 'package.json'), '{"name":"agent","bin":{"agent":"./bin/agent"}}');
  assert.equal((await find())?.packageDirectory, home);
  plant(join(home, 'package.json'), '{"bin":');
  assert.equal((await find())?.packageDirectory, null);
});
