import assert from 'node:assert/strict';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { nixInstantiate } from '../helpers/nix.ts';
import { listProjectFiles } from '../style/source-file.ts';
import { judgeStyle } from './style.ts';

const files = listProjectFiles().filter((path) => path.endsWith('.nix'));

function read(path: string): string {
  return readFileSync(join(CHECKOUT, path), 'utf8');
}

test('Nix understands every file', () => {
  const parsed = nixInstantiate(['--parse', ...files]);
  assert.ok(parsed.trim().split('\n').length >= files.length, parsed);
});

test('Nix does not understand a file with a mistake', () => {
  assert.throws(() => nixInstantiate(['--parse', '--expr', '{ a = 1 }']), /syntax error/);
});

test('parsing leaves no store behind', () => {
  const before = lstatSync('/nix/store', { throwIfNoEntry: false })?.mtimeMs;
  nixInstantiate(['--parse', ...files]);
  assert.equal(lstatSync('/nix/store', { throwIfNoEntry: false })?.mtimeMs, before);
});

test('every file keeps the rules of style', () => {
  assert.deepEqual(
    files.flatMap((path) => judgeStyle(path, read(path))),
    [],
  );
});

test('each rule of style is broken somewhere', () => {
  const sample = `{ lib, config, ... }:
let
  inherit (config) used dead;
  kept = ''
     a text of its own
  '';
  gone = 1;
in
rec {
\ta = used ++ kept;
   b = with lib; "/usr/lib/x"; 
  # ${'word '.repeat(20)}
}

`;
  assert.deepEqual(judgeStyle('nix/sample.nix', sample), [
    'nix/sample.nix:9: rec at file level',
    'nix/sample.nix:10: a tab',
    'nix/sample.nix:11: a blank at the end',
    'nix/sample.nix:11: /usr/lib, which NixOS does not have',
    'nix/sample.nix:11: an indent that is not of steps of two',
    'nix/sample.nix:11: with lib; hides where names come from',
    'nix/sample.nix:12: a blank at the end',
    'nix/sample.nix:12: wider than 100',
    'nix/sample.nix:15: not one newline at the end',
    'nix/sample.nix: gone is not used',
    'nix/sample.nix: dead is not used',
  ]);
});
