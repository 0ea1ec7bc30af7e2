import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inCheckout } from './checkout.mjs';
import { isCommand, runCommand, SetupError } from './report.mjs';

/** What the bundler is, on top of what runs. */
const BUILD_MODULE = 'esbuild';

/** Names that npm has for the systems of the flake. */
const PLATFORMS = {
  'x86_64-linux': { os: 'linux', cpu: 'x64', libc: 'glibc' },
  'aarch64-linux': { os: 'linux', cpu: 'arm64', libc: 'glibc' },
};

/** Systems that the flake has packages for. */
export const NIX_SYSTEMS = /** @type {readonly NixSystem[]} */ (Object.keys(PLATFORMS));

/** @typedef {keyof typeof PLATFORMS} NixSystem */

/**
 * @typedef {{ version?: string, integrity?: string, dev?: boolean } & Record<string, any>} LockedModule
 * @typedef {{ packages: Record<string, LockedModule> } & Record<string, any>} Lock
 */

/**
 * The manifest and the lock file of what a build needs: the modules that run, the bundler, and what those need.
 * @param {Record<string, any>} manifest package.json
 * @param {Lock} lock package-lock.json
 * @returns {{ manifest: Record<string, any>, lock: Lock }}
 */
export function buildModules(manifest, lock) {
  const { name, version, devDependencies } = manifest;
  const dependencies = { ...manifest['dependencies'], [BUILD_MODULE]: devDependencies[BUILD_MODULE] };
  /** @type {Record<string, LockedModule>} */
  const packages = { '': { name, version, dependencies } };
  const pending = Object.keys(dependencies).map((module) => ({ from: '', module }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const path = placeOf(lock, next.from, next.module);
    if (path === undefined || packages[path] !== undefined) continue;
    const { dev: _, ...found } = /** @type {LockedModule} */ (lock.packages[path]);
    packages[path] = found;
    for (const module of Object.keys({ ...found['dependencies'], ...found['optionalDependencies'] })) {
      pending.push({ from: path, module });
    }
  }
  return { manifest: { name, version, dependencies }, lock: { ...lock, packages } };
}

/**
 * Where a module finds another: in its own node_modules, or in one above.
 * @param {Lock} lock
 * @param {string} from
 * @param {string} module
 * @returns {string | undefined}
 */
function placeOf(lock, from, module) {
  for (let directory = from; ; directory = directory.slice(0, Math.max(0, directory.lastIndexOf('/node_modules/')))) {
    const path = directory === '' ? `node_modules/${module}` : `${directory}/node_modules/${module}`;
    if (lock.packages[path] !== undefined) return path;
    if (directory === '') return undefined;
  }
}

/**
 * Makes a node_modules of what a build for a system needs: the same files whatever npm and whatever machine make it, so
 * that its hash can be recorded. What npm writes down for itself and links to commands are left out.
 * @param {NixSystem} system
 * @param {string} out absolute; must not exist
 * @param {string} work absolute; a directory of the caller's, on the same file system
 * @returns {void}
 * @throws {SetupError} with what npm said
 */
export function installBuildModules(system, out, work) {
  const { manifest, lock } = buildModules(readJson('package.json'), readJson('package-lock.json'));
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(work, 'package-lock.json'), JSON.stringify(lock));
  const platform = Object.entries(PLATFORMS[system]).map(([key, value]) => `--${key}=${value}`);
  // A cache of the machine is used as it is: what comes out of it is held to the lock file's integrity too.
  const quiet = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-bin-links',
    '--prefer-offline',
    '--loglevel=error',
  ];
  const npm = process.env['npm_execpath'];
  const [command, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const ended = spawnSync(command, [...before, 'ci', ...quiet, ...platform], {
    cwd: work,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (ended.status !== 0) throw new SetupError(`npm ci failed:\n${(ended.error?.message ?? ended.stderr).trimEnd()}`);
  const modules = join(work, 'node_modules');
  rmSync(join(modules, '.package-lock.json'));
  renameSync(modules, out);
}

/**
 * @param {string} name
 * @returns {any}
 */
function readJson(name) {
  return JSON.parse(readFileSync(inCheckout(name), 'utf8'));
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    const [system = '', out, work] = process.argv.slice(2);
    if (!(system in PLATFORMS) || out === undefined || work === undefined) {
      throw new SetupError(`usage: nix-modules.mjs ${NIX_SYSTEMS.join('|')} OUT WORK`);
    }
    installBuildModules(/** @type {NixSystem} */ (system), resolve(out), resolve(work));
    return 0;
  });
}
