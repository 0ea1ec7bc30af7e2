import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';

/** Signals that end a command line and that its child has to hear of. */
const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

/** How often npm is looked for, in milliseconds; see `watchNpm`. */
const NPM_WATCH_MS = 500;

/** Lets the kernel end a child whose parent was killed without a chance to say so. */
const PARENT_DEATH = ['/usr/bin/setpriv', '--pdeathsig', 'TERM'];

/**
 * Runs a program in the place of this process, as far as Node can: same standard streams, signals passed on, and it
 * does not outlive us.
 * @param {readonly string[]} argv
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} its exit status, 128 + n when signal n ended it
 */
export function runInPlace(argv, { cwd, env = process.env }) {
  const guarded = existsSync(PARENT_DEATH[0] ?? '') ? [...PARENT_DEATH, ...argv] : argv;
  const [command = '', ...args] = guarded;
  const parent = process.ppid;
  return new Promise((resolve, reject) => {
    const forward = (signal) => {
      // A terminal sends Ctrl-C to all of its foreground processes; a second one would mean "at once".
      if (!(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
    };
    // Heard from before the child is there: whoever sees it at work may send a signal at once.
    for (const signal of FORWARDED) process.on(signal, forward);
    const child = spawn(command, args, { cwd, env, stdio: 'inherit' });
    const watch = watchNpm(parent, () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('close', (status, signal) => {
      clearInterval(watch);
      for (const name of FORWARDED) process.off(name, forward);
      resolve(signal === null ? (status ?? 1) : 128 + constants.signals[signal]);
    });
  });
}

/**
 * Calls back when npm, which started this, is gone: a killed npm cannot pass anything on, and nobody else would stop
 * what runs on its behalf. There is no event for the end of a parent.
 * @param {number} parent npm's process id, from before the child was there to be heard of
 * @param {() => void} onGone
 * @returns {NodeJS.Timeout | undefined}
 */
function watchNpm(parent, onGone) {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  return setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, NPM_WATCH_MS).unref();
}
