import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { evaluateWithNixpkgs, nixInstantiate, skipWithoutNixpkgs } from '../helpers/nix.ts';
import { acceptCards } from './cards.ts';

/** What was evaluated of a machine with one example. */
interface Example {
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  readonly cards: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: readonly string[];
  readonly system: string;
}

const EXAMPLES = readdirSync(join(CHECKOUT, 'nix/examples')).sort();

/** The pieces of Nix in a document, in their order. */
function snippets(path: string): readonly string[] {
  const text = readFileSync(join(CHECKOUT, path), 'utf8');
  return [...text.matchAll(/^```nix\n([\s\S]*?)^```$/gm)].map(([, body = '']) => body);
}

/** Those of the readme that are modules: the first one is a flake. */
const [FLAKE = '', ...MODULES] = snippets('nix/README.md');

/** Evaluates examples, and files with these texts, each as a machine of its own. */
function evaluate(texts: readonly string[] = []): Readonly<Record<string, Example>> {
  const directory = mkdtempSync(join(tmpdir(), 'nix-examples-'));
  try {
    for (const [index, text] of texts.entries()) writeFileSync(join(directory, `${index}.nix`), text);
    const more = texts.length === 0 ? {} : { directory };
    return evaluateWithNixpkgs('test/nix/examples.nix', more) as Readonly<Record<string, Example>>;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the readme shows a flake and modules that Nix understands', () => {
  assert.ok(MODULES.length >= 3, String(MODULES.length));
  for (const text of [FLAKE, ...MODULES]) nixInstantiate(['--parse', '--expr', text]);
  assert.match(FLAKE, /outputs =/);
  for (const text of MODULES) assert.match(text, /services\.agent-spawn/);
});

test('with nixpkgs, every example is a machine with cards that are taken', async (context) => {
  if (await skipWithoutNixpkgs(context)) return;
  const examples = evaluate();
  assert.deepEqual(Object.keys(examples).sort(), EXAMPLES);
  for (const [name, { refusals, warnings, cards, settings, system }] of Object.entries(examples)) {
    assert.deepEqual(refusals, [], name);
    assert.equal(warnings.length, name === 'old-names.nix' ? 4 : 0, name);
    assert.ok(Object.keys(cards).length > 0, name);
    acceptCards(cards, settings);
    assert.match(system, /^\/nix\/store\/[a-z0-9]{32}-nixos-system-.*\.drv$/);
  }
  const keys = (name: string): unknown =>
    Object.values(examples[name]?.cards ?? {}).map(({ api_key_file: key }) => key ?? null);
  assert.deepEqual(keys('sops-nix.nix'), ['credential:openai-key', '/run/secrets/anthropic-key']);
  assert.deepEqual(keys('agenix.nix'), ['credential:openai-key', null]);
  assert.deepEqual(examples['sops-nix.nix']?.credentials, ['openai-key:/run/secrets/openai-key']);
  assert.deepEqual(examples['agenix.nix']?.credentials, ['openai-key:/run/agenix/openai-key']);
  assert.equal(examples['upstream-proxy.nix']?.settings['proxy'], 'http://10.100.1.1:3128');
});

test('with nixpkgs, every module of the readme is a machine with cards that are taken', async (context) => {
  if (await skipWithoutNixpkgs(context)) return;
  const machines = evaluate(MODULES);
  assert.equal(Object.keys(machines).length, MODULES.length);
  for (const [name, { refusals, warnings, cards, settings }] of Object.entries(machines)) {
    assert.deepEqual([refusals, warnings], [[], []], name);
    acceptCards(cards, settings);
  }
});
