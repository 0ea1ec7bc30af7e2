import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { inCheckout } from '../../src/setup/checkout.mjs';
import { evaluate, GOLDENS, goldens, inputs, whyNotEvaluated } from '../../src/setup/nix-evaluation.mjs';
import { listFiles } from '../../src/setup/stamp.mjs';

const skip = whyNotEvaluated(process.env) ?? false;

// One test, so that one skip says that all of it did not run.
test('NixOS is evaluated', { skip }, async (t) => {
  const evaluation = evaluate(process.env);

  await t.test('to what is recorded', () => {
    const recorded = listFiles(GOLDENS).map((path) => [path, readFileSync(inCheckout(path), 'utf8')]);
    const present = goldens(evaluation).map(({ path, text }) => [path, text]);
    assert.deepEqual(Object.fromEntries(present), Object.fromEntries(recorded), 'run npm run golden:nix');
  });

  await t.test('with every sentence about it true', () => {
    const wrong = Object.entries(evaluation.checks).filter(([, value]) => value !== true);
    assert.deepEqual(wrong, []);
    assert.ok(Object.keys(evaluation.checks).length > 0);
  });

  await t.test('from no other files than those that goldens are held against', () => {
    assert.deepEqual(
      evaluation.read.filter((path) => !inputs().includes(path)),
      [],
    );
    assert.ok(evaluation.read.includes('nix/module/options.nix'), evaluation.read.join('\n'));
  });

  await t.test('as a flake, with all its outputs', () => {
    const { NIXPKGS: nixpkgs = '', NIX: program = 'nix' } = process.env;
    const words = ['--extra-experimental-features', 'nix-command flakes', 'flake', 'check', '--no-build'];
    const input = ['--override-input', 'nixpkgs', `path:${nixpkgs}`, '--no-write-lock-file'];
    const ended = spawnSync(program, [...words, ...input], { cwd: inCheckout(), encoding: 'utf8' });
    assert.equal(ended.status, 0, ended.stderr);
  });
});
