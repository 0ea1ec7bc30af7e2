import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { evaluateNix } from '../helpers/nix.ts';

interface Lock {
  readonly version: number;
  readonly root: string;
  readonly nodes: Readonly<Record<string, LockedNode>>;
}

interface LockedNode {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly locked?: Readonly<Record<string, string | number>>;
  readonly original?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(join(CHECKOUT, 'flake.lock'), 'utf8')) as Lock;

test('the lock of the flake has one input and nothing else', () => {
  assert.deepEqual(lock.version, 7);
  assert.deepEqual(Object.keys(lock.nodes).sort(), ['nixpkgs', 'root']);
  assert.deepEqual(lock.nodes[lock.root], { inputs: { nixpkgs: 'nixpkgs' } });
});

test('the flake asks for the input that is locked', () => {
  const inputs = evaluateNix('(import ./flake.nix).inputs') as Readonly<Record<string, { readonly url: string }>>;
  const { type, owner, repo, ref } = lock.nodes['nixpkgs']?.original ?? {};
  assert.deepEqual(inputs, { nixpkgs: { url: `${type}:${owner}/${repo}/${ref}` } });
});

test('what is locked is one commit of that input, with its hash', () => {
  const { original, locked = {} } = lock.nodes['nixpkgs'] ?? {};
  const { rev, narHash, lastModified, ...source } = locked;
  const { ref: _, ...wanted } = original ?? {};
  assert.deepEqual(source, wanted);
  assert.match(String(rev), /^[0-9a-f]{40}$/);
  assert.match(String(narHash), /^sha256-[A-Za-z0-9+/]{43}=$/);
  assert.equal(typeof lastModified, 'number');
});
