import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inCheckout } from './checkout.mjs';
import { installBuildModules, NIX_SYSTEMS } from './nix-modules.mjs';
import { placeFile } from './place.mjs';
import { isCommand, report, runCommand, SetupError } from './report.mjs';

const HASHES = 'nix/node-modules-hashes.json';

const USAGE = `Usage: npm run -s nix:hash [-- --check]
Recomputes what the flake's dependencies hash to, for every system, and records it in ${HASHES}.
Needed after each change of package-lock.json. Needs npm's registry, and nix-hash (Debian: nix-bin).
  --check         write nothing; exit status 1 when a recorded hash is stale`;

/**
 * The hash of a directory as Nix writes it: of names, contents, and who may be executed; of nothing else.
 * @param {string} directory absolute
 * @returns {string} `sha256-…`
 */
export function hashOf(directory) {
  // In base 16, the default: the flag for base 64 is newer than Nix 2.8.
  const ended = spawnSync('nix-hash', ['--type', 'sha256', directory], { encoding: 'utf8' });
  const hex = /^[0-9a-f]{64}$/.exec(ended.stdout?.trim() ?? '')?.[0];
  if (hex !== undefined) return `sha256-${Buffer.from(hex, 'hex').toString('base64')}`;
  throw new SetupError(`nix-hash failed (Debian: nix-bin): ${(ended.error?.message ?? ended.stderr).trim()}`);
}

/**
 * The hashes of what a build for each system needs, computed now.
 * @returns {Record<string, string>}
 */
export function computeHashes() {
  mkdirSync(inCheckout('.cache'), { recursive: true });
  const scratch = mkdtempSync(inCheckout('.cache/nix-hash-'));
  try {
    const hashed = NIX_SYSTEMS.map((system) => {
      const out = join(scratch, system);
      installBuildModules(system, out, join(scratch, `${system}.work`));
      return [system, hashOf(out)];
    });
    return Object.fromEntries(hashed);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @returns {Record<string, string>} by system
 */
export function recordedHashes() {
  return JSON.parse(readFileSync(inCheckout(HASHES), 'utf8'));
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    const { values } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const text = `${JSON.stringify(computeHashes(), null, 2)}\n`;
    if (readFileSync(inCheckout(HASHES), 'utf8') === text) {
      report(`${HASHES} is up to date`);
      return 0;
    }
    if (values.check) throw new SetupError(`${HASHES} is stale: run \`npm run nix:hash\` and commit it`);
    placeFile(inCheckout(HASHES), text);
    report(`${HASHES} is written anew`);
    return 0;
  });
}
