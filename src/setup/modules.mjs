import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { report, SetupError } from './report.mjs';

/** The newest Node that any runtime package asks for in its `engines`, and what we promise. */
export const NODE_FLOOR = [20, 11];

/**
 * The lock file of a checkout, or the record npm keeps of what it installed: same form.
 * @typedef {{ version?: string, integrity?: string, optional?: boolean }} Module
 * @typedef {{ packages?: Record<string, Module> }} Lock
 */

/**
 * Modules that the lock file names and node_modules does not hold in that version. Optional ones are those of other
 * platforms: npm leaves them out.
 * @param {Lock} wanted
 * @param {Lock} installed
 * @returns {string[]}
 */
export function missingModules(wanted, installed) {
  const have = installed.packages ?? {};
  /** @param {[string, Module]} entry */
  const isWrong = ([path, { integrity, optional }]) => {
    if (path === '') return false;
    const found = have[path];
    return found === undefined ? optional !== true : found.integrity !== integrity;
  };
  return Object.entries(wanted.packages ?? {})
    .filter(isWrong)
    .map(([path]) => path);
}

/**
 * @returns {boolean} whether node_modules is not what package-lock.json says
 */
export function areModulesStale() {
  const installed = readLock('node_modules/.package-lock.json');
  return installed === undefined || missingModules(readLock('package-lock.json') ?? {}, installed).length > 0;
}

/**
 * @param {string} path relative to the checkout
 * @returns {Lock | undefined}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(inCheckout(path), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Installs the pinned modules when they are not there, without running scripts of theirs.
 * @returns {void}
 */
export function installModules() {
  if (!areModulesStale()) return;
  report('installing the pinned node modules (npm ci)');
  const npm = process.env['npm_execpath'];
  const [command, ...args] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const ended = spawnSync(command, [...args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: inCheckout(),
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (ended.status !== 0) throw new SetupError(`npm ci failed:\n${(ended.error?.message ?? ended.stderr).trimEnd()}`);
}

/**
 * @param {string} version of Node, like `20.11.1`
 * @returns {void}
 * @throws {SetupError} when it is too old
 */
export function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [floorMajor = 0, floorMinor = 0] = NODE_FLOOR;
  if (major > floorMajor || (major === floorMajor && minor >= floorMinor)) return;
  throw new SetupError(`Node ${NODE_FLOOR.join('.')} or newer is needed; this is ${version} (Debian 13 has 20.19)`);
}
