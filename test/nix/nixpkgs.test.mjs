import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { inCheckout } from '../../src/setup/checkout.mjs';
import {
  call,
  evaluate,
  GOLDENS,
  goldens,
  inputs,
  PATHS_ONLY,
  whyNotEvaluated,
} from '../../src/setup/nix-evaluation.mjs';
import { listFiles } from '../../src/setup/stamp.mjs';
import { goodCards } from './good-cards.mjs';

const skip = whyNotEvaluated(process.env) ?? false;

/** @param {string} path of a card, relative to the checkout */
function readCard(path) {
  const { $schema: _, ...card } = JSON.parse(readFileSync(inCheckout(path), 'utf8'));
  return card;
}

/** @returns {Promise<string>} what Nix has against the flake */
async function checkFlake() {
  const { NIXPKGS: nixpkgs = '', NIX: program = 'nix' } = process.env;
  const words = ['--extra-experimental-features', 'nix-command flakes', 'flake', 'check', '--no-build'];
  const input = ['--override-input', 'nixpkgs', `path:${nixpkgs}`, '--no-write-lock-file'];
  const options = { cwd: inCheckout(), maxBuffer: 64 * 1024 * 1024 };
  return promisify(execFile)(program, [...words, ...input], options).then(
    () => '',
    (error) => error.stderr,
  );
}

// One test, so that one skip says that all of it did not run.
test('NixOS is evaluated', { skip }, async (t) => {
  // The two take seconds each and know nothing of each other.
  const flake = checkFlake();
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
      evaluation.read.filter((path) => !inputs().includes(path) && !PATHS_ONLY.includes(path)),
      [],
    );
    assert.ok(evaluation.read.includes('nix/module/options.nix'), evaluation.read.join('\n'));
  });

  await t.test('with options that take every good card and leave it as it is', () => {
    const schema = JSON.parse(readFileSync(inCheckout('schema/agent-card.schema.json'), 'utf8'));
    const written = ['test/cards', 'schema/examples'].flatMap(listFiles).filter((path) => path.endsWith('.json'));
    const cards = [...written.map(readCard), ...goodCards(schema, 200)];
    const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-cards-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'cards.json');
    writeFileSync(file, JSON.stringify(cards));
    assert.deepEqual(call('test/nix/round-trip.nix', `{ cards = ${file}; }`, process.env).value, []);
    writeFileSync(file, JSON.stringify([{ ...cards[0], ttl_seconds: -1 }]));
    assert.equal(call('test/nix/round-trip.nix', `{ cards = ${file}; }`, process.env).value.length, 1);
  });

  await t.test('as a flake, with all its outputs', async () => {
    assert.equal(await flake, '');
  });
});
