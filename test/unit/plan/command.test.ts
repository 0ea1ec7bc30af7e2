import assert from 'node:assert/strict';
import test from 'node:test';
import { planCommand, programQuery } from '../../../src/plan/command.ts';
import type { ProgramFacts, SystemFacts } from '../../../src/plan/facts.ts';
import { binary, DEBIAN } from '../../helpers/facts.ts';

const STORE = '/nix/store';
const HOME = '/home/ada';
const PROFILE = `${STORE}/p-system-path`;

/** A Debian with Nix on it. */
const WITH_NIX: SystemFacts = { ...DEBIAN, roots: [...DEBIAN.roots, { kind: 'directory', path: STORE }] };

const NIXOS: SystemFacts = {
  ...WITH_NIX,
  roots: ['/usr', '/bin', STORE].map((path) => ({ kind: 'directory', path })),
  profile: { directory: PROFILE, localeArchive: null },
};

/** What is called inside, and the directories added to the search path there. */
function called(word: string, program: ProgramFacts, system: SystemFacts): readonly [string, readonly string[]] {
  const input = { words: [word, 'x'], readsInput: true, preset: null };
  const result = planCommand(input, program, { uid: 1000, gid: 1000 }, system);
  assert.ok(result.ok);
  assert.deepEqual([result.value.binds, result.value.notices], [[], []], 'the store is shown as a whole');
  assert.deepEqual(result.value.command.slice(1), ['x']);
  return [result.value.command[0] ?? '', result.value.directories];
}

/** A link in the store, found by a path outside it. */
function linked(path: string, namedPath: string, changes: Partial<ProgramFacts> = {}): ProgramFacts {
  return binary(path, { namedPath, realPath: `${STORE}/r-real/bin/many-in-one`, ...changes });
}

test('a program of the profile of a NixOS is called by its name, since the search path leads there', () => {
  const program = linked('/run/current-system/sw/bin/ls', `${PROFILE}/bin/ls`);
  assert.deepEqual(called('ls', program, NIXOS), ['ls', []]);
});

test('a path through a link that is not shown becomes one of the store, with the name that a program goes by', () => {
  const program = linked('/run/current-system/sw/bin/ls', `${PROFILE}/bin/ls`);
  assert.deepEqual(called('/run/current-system/sw/bin/ls', program, NIXOS), [`${PROFILE}/bin/ls`, []]);
  const own = linked('/etc/profiles/per-user/ada/bin/ls', `${STORE}/u-user-environment/bin/ls`);
  assert.deepEqual(called('ls', own, NIXOS), [`${STORE}/u-user-environment/bin/ls`, []]);
  const unshown = linked('/opt/tool/bin/ls', '/opt/tool/bin/ls');
  assert.deepEqual(called('ls', unshown, WITH_NIX), [`${STORE}/r-real/bin/many-in-one`, []]);
});

test('a path that is shown stays as it is written', () => {
  assert.deepEqual(called('/bin/sh', linked('/bin/sh', '/bin/sh'), NIXOS), ['/bin/sh', []]);
  assert.deepEqual(called('/bin/sh', binary('/bin/sh', { realPath: '/usr/bin/dash' }), DEBIAN), ['/bin/sh', []]);
  assert.deepEqual(called('sh', linked('/bin/sh', '/bin/sh'), NIXOS), ['sh', []]);
});

test('an interpreter that the search path does not lead to is added to it', () => {
  const node = linked(`${HOME}/.nix-profile/bin/node`, `${STORE}/n-profile/bin/node`);
  const script = linked(`${HOME}/.nix-profile/bin/agent`, `${STORE}/n-profile/bin/agent`, { interpreter: node });
  assert.deepEqual(called('agent', script, WITH_NIX), [`${STORE}/n-profile/bin/agent`, [`${STORE}/n-profile/bin`]]);
  for (const interpreter of [
    linked('/run/current-system/sw/bin/node', `${PROFILE}/bin/node`),
    binary(`${STORE}/n-nodejs/bin/node`),
  ]) {
    assert.deepEqual(called('agent', { ...script, interpreter }, NIXOS), [`${STORE}/n-profile/bin/agent`, []]);
  }
});

test('profiles of Nix are looked through, of users only those of the owner of the home and of root', () => {
  const places = programQuery('agent', `${HOME}/project`)?.directories ?? [];
  assert.deepEqual(
    places.filter((path) => /nix|profile|current-system/.test(path)),
    [
      '/run/current-system/sw/bin',
      `${HOME}/.nix-profile/bin`,
      `${HOME}/.local/state/nix/profile/bin`,
      '/etc/profiles/per-user/ada/bin',
      '/nix/var/nix/profiles/default/bin',
      '/root/.nix-profile/bin',
      '/root/.local/state/nix/profile/bin',
      '/etc/profiles/per-user/root/bin',
    ],
  );
});
