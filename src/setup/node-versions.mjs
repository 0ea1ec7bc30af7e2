import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { report, SetupError } from './report.mjs';

/** Versions of Node the tests that need no host run on too: the lowest we promise, and a current one. */
export const OTHER_NODES = ['20.11.1', '24.21.0'];

/**
 * A Node of another version, from the npm package that carries its binary; kept in the cache of the checkout.
 * @param {string} version
 * @returns {string} path of the program
 * @throws {SetupError} when it cannot be had
 */
export function provideNode(version) {
  const directory = inCheckout('.cache/node', version);
  const program = `${directory}/node_modules/node-linux-${process.arch}/bin/node`;
  if (existsSync(program)) return program;
  report(`fetching Node ${version} for its share of the tests`);
  const scratch = `${directory}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const wanted = `node-linux-${process.arch}@${version}`;
  const ended = spawnSync('npm', ['install', ...options, '--prefix', scratch, wanted], {
    cwd: scratch,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (ended.status !== 0) {
    rmSync(scratch, { recursive: true, force: true });
    throw new SetupError(`Node ${version} could not be fetched:\n${(ended.error?.message ?? ended.stderr).trimEnd()}`);
  }
  rmSync(directory, { recursive: true, force: true });
  renameSync(scratch, directory);
  return program;
}
