import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** Compilers of V8 whose threads process.exit() may wait for in vain, as `src/main/main-thread-compiler.ts` tells. */
const CONCURRENT_COMPILERS = ['--no-maglev', '--no-concurrent-sparkplug'];

/**
 * Prints one line of progress. Set-up speaks on stderr only: stdout belongs to the command that was asked for.
 * @param {string} line
 * @returns {void}
 */
export function report(line) {
  process.stderr.write(`agent-spawn: ${line}\n`);
}

/**
 * A refusal that the user can act on: printed without a stack, exit status 1.
 */
export class SetupError extends Error {
  name = 'SetupError';
}

/**
 * @param {string} url `import.meta.url` of the asking module
 * @returns {boolean} whether that module is the command being run, not imported by another
 */
export function isCommand(url) {
  return process.argv[1] !== undefined && pathToFileURL(process.argv[1]).href === url;
}

/**
 * Runs the body of a set-up command and ends the process with the status it returns;
 * a `SetupError` becomes its message and status 1, a wrong option its message and status 2.
 * @param {() => Promise<number>} body
 * @returns {Promise<never>}
 */
export async function runCommand(body) {
  for (const flag of CONCURRENT_COMPILERS) setFlagsFromString(flag);
  try {
    process.exit(await body());
  } catch (error) {
    const isUsage = error.code?.startsWith('ERR_PARSE_ARGS_') === true;
    if (!isUsage && !(error instanceof SetupError)) throw error;
    if (error.message !== '') report(error.message);
    process.exit(isUsage ? 2 : 1);
  }
}
