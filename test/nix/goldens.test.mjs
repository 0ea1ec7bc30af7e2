import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { inCheckout } from '../../src/setup/checkout.mjs';
import { recordOfInputs } from '../../src/setup/nix-evaluation.mjs';

test('what is recorded of NixOS belongs to the files that are here', () => {
  const { path, text } = recordOfInputs();
  const recorded = readFileSync(inCheckout(path), 'utf8').split('\n');
  const present = text.split('\n');
  const differing = [...recorded, ...present].filter((line) => !recorded.includes(line) || !present.includes(line));
  const files = [...new Set(differing.map((line) => line.slice(line.indexOf('  ') + 2)))];
  assert.deepEqual(files, [], 'goldens stale: run npm run golden:nix with NIXPKGS, the path of a tree of nixpkgs');
});
