import assert from 'node:assert/strict';
import test from 'node:test';
import { isRegistryReachable } from '../../src/setup/agent-clis.mjs';
import { computeHashes, recordedHashes } from '../../src/setup/nix-hash.mjs';

const UNREACHABLE = "The hashes of the flake's modules are not recomputed, because npm's registry is out of reach.";

test('the recorded hashes are those of what npm installs for each system', (context) => {
  let computed;
  try {
    computed = computeHashes();
  } catch (error) {
    if (process.env['CI'] || isRegistryReachable(process.env)) throw error;
    context.skip(UNREACHABLE);
    return;
  }
  assert.deepEqual(
    recordedHashes(),
    computed,
    `nix/node-modules-hashes.json is stale: run \`npm run nix:hash\`, which records ${JSON.stringify(computed)}`,
  );
});
