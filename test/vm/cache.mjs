import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inCheckout } from '../../src/setup/checkout.mjs';

const CACHE = resolve(process.env.AGENT_SPAWN_CACHE || inCheckout('.cache'), 'vm');
const WORK_PREFIX = 'work-';

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
