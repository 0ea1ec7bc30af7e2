import { callerDirectory, inCheckout } from './checkout.mjs';
import { runInPlace } from './child.mjs';
import { prepare } from './prepare.mjs';
import { isCommand, runCommand, SetupError } from './report.mjs';

/** The bundle that boots a systemd of its own and runs one command under it. */
const PRIVATE_HOST = inCheckout('dist/private-host.cjs');

/**
 * Runs a command in a private host; the checkout must be prepared.
 * @param {readonly string[]} command
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>} the command's exit status
 * @throws {SetupError} when this is not root
 */
export function runInPrivateHost(command, options) {
  return bootPrivateHost(['--', ...command], options);
}

/**
 * @param {readonly string[]} words of the private host's command line
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>}
 */
async function bootPrivateHost(words, options) {
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      'a private host makes namespaces, mounts and cgroups: run this as root, for example with sudo',
    );
  }
  return runInPlace([process.execPath, PRIVATE_HOST, ...words], options);
}

/** @returns {Promise<number>} the exit status */
async function main() {
  prepare({ forTests: false });
  return bootPrivateHost(process.argv.slice(2), { cwd: callerDirectory() });
}

if (isCommand(import.meta.url)) await runCommand(main);
