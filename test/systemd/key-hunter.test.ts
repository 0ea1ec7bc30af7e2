import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Bench, succeed } from '../helpers/agents.ts';
import { RunningCommand, runCommand } from '../helpers/commands.ts';
import { addUser, asUser, type HostUser, makeDirectoryOf, removeUser } from '../helpers/host-users.ts';
import { type Canary, findIn, huntDuring, huntInside, huntOnHost, makeCanary, spellings } from '../helpers/key-hunt.ts';
import { Puppet } from '../helpers/puppet.ts';

// The hunter of keys finds what was put in its way: otherwise what it does not find would prove nothing.

const [USER, GROUP] = ['hunter-control', 'hunter-controls'];

let bench: Bench;
let user: HostUser;
before(async () => {
  bench = await Bench.open();
  user = await addUser(USER, GROUP);
});
after(async () => {
  await removeUser(USER, GROUP);
  await bench?.close();
});

/** A directory that everybody may read, with each canary in a file of its own, in another spelling each. */
function plant(canaries: readonly Canary[]): string {
  const directory = join(bench.directory, 'planted');
  mkdirSync(directory);
  chmodSync(directory, 0o755);
  canaries.forEach((canary, index) => {
    writeFileSync(join(directory, canary.name), `before ${spellings(canary)[index]} after`, { mode: 0o644 });
  });
  return directory;
}

test('every spelling is found in files, and names, links, arguments and environments are looked at as well', async () => {
  const count = spellings(makeCanary('any')).length;
  const canaries = Array.from({ length: count }, (_, index) => makeCanary(`spelling-${index}`));
  const directory = plant(canaries);
  const [name, link, word, variable] = ['name', 'link', 'argument', 'variable'].map(makeCanary) as [
    Canary,
    Canary,
    Canary,
    Canary,
  ];
  writeFileSync(join(directory, encodeURIComponent(name.value)), '');
  symlinkSync(`/nowhere/${link.value}`, join(directory, 'link'));
  const argv = asUser(
    user,
    '/usr/bin/python3',
    '-c',
    'import os, time; os.write(1, b"ready\\n"); time.sleep(100)',
    word.value,
  );
  const held = new RunningCommand(argv, { env: { HELD: variable.value } });
  await held.line();
  const { found } = await huntOnHost([...canaries, name, link, word, variable], { user, skip: [] });
  await held.stop();
  rmSync(directory, { recursive: true });
  assert.deepEqual(
    found,
    [
      'argument in /proc/<python3>/cmdline',
      'argument in /proc/<python3>/mem',
      `link in a name or a link in ${directory}`,
      `name in a name or a link in ${directory}`,
      ...canaries.map((canary) => `${canary.name} in ${join(directory, canary.name)}`),
      'variable in /proc/<python3>/environ',
      'variable in /proc/<python3>/mem',
    ].sort(),
  );
});

test('what only root may read is found by root and by nobody else', async () => {
  const canary = makeCanary('secret');
  const path = join(bench.directory, 'secret');
  writeFileSync(path, canary.value, { mode: 0o600 });
  const asRoot = await huntOnHost([canary], { user: null, skip: [] });
  const asOther = await huntOnHost([canary], { user, skip: [] });
  rmSync(path);
  assert.deepEqual([asRoot.found, asOther.found], [[`secret in ${path}`], []]);
});

test('a line of the journal is found', async () => {
  const canary = makeCanary('journal');
  await succeed(runCommand(['systemd-cat', 'echo', canary.value]));
  await succeed(runCommand(['journalctl', '--sync']));
  const { stdout } = await succeed(runCommand(['journalctl', '--all', '--output=export']));
  assert.deepEqual(findIn(stdout, [canary]), ['journal']);
});

test('an argument that is there for a moment is found', async () => {
  const canary = makeCanary('moment');
  const { found } = await huntDuring([canary], () =>
    runCommand(['/usr/bin/python3', '-c', 'import time; time.sleep(0.5)', canary.value]),
  );
  assert.deepEqual(found, ['moment in /proc/<python3>/cmdline']);
});

test('inside a sandbox a file, a variable and the arguments that set it are found', async () => {
  const [file, variable] = [makeCanary('file'), makeCanary('variable')];
  const card = bench.card({ environment: { VARIABLE: variable.value } });
  makeDirectoryOf(user, card.workspace);
  writeFileSync(join(card.workspace, 'notes'), Buffer.from(file.value).toString('base64'));
  const puppet = await Puppet.start(bench, card, { deadlineMs: 120_000 });
  const { found, looked } = await huntInside(puppet, [file, variable]);
  await puppet.end();
  assert.deepEqual(found, [
    'file in /workspace/notes',
    'variable in /proc/<bwrap>/cmdline',
    'variable in /proc/<bwrap>/mem',
    'variable in /proc/<python3>/environ',
    'variable in /proc/<python3>/mem',
  ]);
  assert.ok(looked > 100, `${looked} files`);
});
