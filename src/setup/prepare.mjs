import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { areBundlesStale, buildBundles } from './build.mjs';
import { inCheckout } from './checkout.mjs';
import { areModulesStale, checkNode, installModules } from './modules.mjs';
import { RUN_NEEDS, TEST_NEEDS } from './needs.mjs';
import { installPackages, missingNeeds } from './packages.mjs';
import { isCommand, runCommand, SetupError } from './report.mjs';

const LOCK = '.cache/setup.lock';

/**
 * Makes a fresh clone ready to run: packages, modules, bundles, each only when something is missing or out of date.
 * The work is done by a process of its own under a file lock, so that two commands in one checkout do not do it at
 * once; the second finds it done.
 * @param {{ forTests: boolean }} options
 * @returns {void}
 * @throws {SetupError} when it failed; without a message, because the reason was printed
 */
export function prepare({ forTests }) {
  checkNode(process.versions.node);
  if (missingNeeds(needs(forTests)).length === 0 && !areModulesStale() && !areBundlesStale()) return;
  mkdirSync(inCheckout('.cache'), { recursive: true });
  const work = [process.execPath, fileURLToPath(import.meta.url), ...(forTests ? ['--for-tests'] : [])];
  const locked = existsSync('/usr/bin/flock') ? ['/usr/bin/flock', '--no-fork', inCheckout(LOCK), ...work] : work;
  const [command = '', ...args] = locked;
  const ended = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (ended.status !== 0) throw new SetupError('');
}

/**
 * @param {boolean} forTests
 * @returns {import('./needs.mjs').Need[]}
 */
function needs(forTests) {
  return forTests ? [...RUN_NEEDS, ...TEST_NEEDS] : [...RUN_NEEDS];
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    installPackages(needs(process.argv.includes('--for-tests')));
    installModules();
    await buildBundles();
    return 0;
  });
}
