import { spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { report, SetupError } from './report.mjs';

/** @typedef {import('./needs.mjs').Need} Need */
/** @typedef {import('./needs.mjs').Distribution} Distribution */

const LOG = '.cache/apt.log';
const TAIL_LINES = 15;

/** Where commands of root are, which a user's PATH may lack. */
const SYSTEM_PATH = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** How each family installs, and the command that tells it apart. */
const INSTALLERS = {
  debian: { manager: 'apt-get', command: 'apt-get update && apt-get install' },
  fedora: { manager: 'dnf', command: 'dnf install' },
  arch: { manager: 'pacman', command: 'pacman -S' },
};

/**
 * The needs that this machine does not meet.
 * @param {readonly Need[]} needs
 * @param {(path: string) => boolean} [isPresent]
 * @returns {Need[]}
 */
export function missingNeeds(needs, isPresent = isOnMachine) {
  return needs.filter((need) => !need.anyOf.some(isPresent));
}

/**
 * @param {string} path absolute, with `*` for a whole directory name, or the name of a command
 * @returns {boolean}
 */
function isOnMachine(path) {
  if (path.startsWith('/')) return expand(path).some((candidate) => existsSync(candidate));
  const directories = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM_PATH];
  return directories.some((directory) => isExecutable(join(directory, path)));
}

/**
 * @param {string} path with at most one `*`
 * @returns {string[]}
 */
function expand(path) {
  const [before, after] = path.split('*');
  if (before === undefined || after === undefined) return [path];
  return existsSync(before) ? readdirSync(before).map((name) => before + name + after) : [];
}

/**
 * @param {string} path
 * @returns {boolean}
 */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {(path: string) => boolean} isPresent
 * @returns {Distribution | undefined}
 */
export function detectDistribution(isPresent) {
  const names = /** @type {Distribution[]} */ (Object.keys(INSTALLERS));
  return names.find((name) => isPresent(INSTALLERS[name].manager));
}

/**
 * What a user who must install by hand is told.
 * @param {readonly Need[]} missing
 * @param {Distribution | undefined} distribution
 * @returns {string} several lines
 */
export function describeMissing(missing, distribution) {
  const lines = ['this machine lacks:'];
  for (const need of missing) lines.push(`  ${need.package[distribution ?? 'debian']} (${need.why})`);
  lines.push('Install it as root, then try again:');
  const names = /** @type {Distribution[]} */ (distribution === undefined ? Object.keys(INSTALLERS) : [distribution]);
  for (const name of names) {
    lines.push(`  ${INSTALLERS[name].command} ${[...new Set(missing.map((need) => need.package[name]))].join(' ')}`);
  }
  return lines.join('\n');
}

/**
 * Installs what is missing with apt-get, or says exactly what to install where that is not possible.
 * @param {readonly Need[]} needs
 * @returns {void}
 * @throws {SetupError} when something is still missing
 */
export function installPackages(needs) {
  const missing = missingNeeds(needs);
  if (missing.length === 0) return;
  const distribution = detectDistribution(isOnMachine);
  if (distribution !== 'debian' || process.getuid?.() !== 0) {
    throw new SetupError(describeMissing(missing, distribution));
  }
  for (const need of missing) report(`installing ${need.package.debian}: ${need.why}`);
  const packages = missing.map((need) => need.package.debian);
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  if (!hasPackageLists() || !aptGet(install)) {
    report('fetching the package lists');
    if (!aptGet(['update'])) throw aptFailed('apt-get update');
    if (!aptGet(install)) throw aptFailed(`apt-get ${install.join(' ')}`);
  }
  const still = missingNeeds(needs);
  if (still.length > 0) throw new SetupError(describeMissing(still, distribution));
}

/** @returns {boolean} whether package lists were ever fetched; images of containers come without */
function hasPackageLists() {
  const lists = '/var/lib/apt/lists';
  return (
    existsSync(lists) && readdirSync(lists).some((name) => name.endsWith('Packages') || name.includes('_Packages.'))
  );
}

/**
 * @param {readonly string[]} args
 * @returns {boolean} whether it succeeded; what it printed goes to the log
 */
function aptGet(args) {
  const path = inCheckout(LOG);
  mkdirSync(dirname(path), { recursive: true });
  const log = openSync(path, 'a');
  try {
    const options = ['-q', '-o', 'Dpkg::Options::=--force-confold', '-o', 'DPkg::Lock::Timeout=300'];
    const ended = spawnSync('apt-get', [...options, ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    });
    return ended.status === 0;
  } finally {
    closeSync(log);
  }
}

/**
 * @param {string} command
 * @returns {SetupError}
 */
function aptFailed(command) {
  const tail = readFileSync(inCheckout(LOG), 'utf8').trimEnd().split('\n').slice(-TAIL_LINES);
  return new SetupError([`${command} failed; the end of ${LOG}:`, ...tail.map((line) => `  ${line}`)].join('\n'));
}
