import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inCheckout } from '../../src/setup/checkout.mjs';

const CACHE = resolve(process.env.AGENT_SPAWN_CACHE || inCheckout('.cache'), 'vm');
const WORK_PREFIX = 'work-';

/** What no run has used for so long is removed, milliseconds. */
const UNUSED_MS_MAX = 7 * 24 * 3600 * 1000;

/**
 * Where something of the cache lies; the directory above it exists afterwards.
 * @param {string} key
 * @returns {string}
 */
export function cacheDirectory(key) {
  mkdirSync(CACHE, { recursive: true });
  return join(CACHE, key);
}

/**
 * A new directory on the file system of the cache for one run of this process. Those that killed runs left are removed.
 * @returns {string}
 */
export function makeWorkDirectory() {
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE)) {
    const pid = /^work-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(CACHE, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(CACHE, `${WORK_PREFIX}${process.pid}-`));
}

/**
 * Notes that something of the cache is used, and removes what has not been for a week.
 * @param {string} directory
 * @returns {void}
 */
export function markUsed(directory) {
  const now = Date.now();
  utimesSync(directory, now / 1000, now / 1000);
  for (const name of readdirSync(CACHE)) {
    const found = statSync(join(CACHE, name), { throwIfNoEntry: false });
    if (found !== undefined && now - found.mtimeMs > UNUSED_MS_MAX) rmSync(join(CACHE, name), { recursive: true });
  }
}

/**
 * @param {number} pid
 * @returns {boolean}
 */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
