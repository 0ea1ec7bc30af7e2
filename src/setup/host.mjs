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
export async function runInPrivateHost(command, options) {
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      'a private host makes namespaces, mounts and cgroups: run this as root, for example with sudo',
    );
  }
  return runInPlace([process.execPath, PRIVATE_HOST, '--', ...command], options);
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const command = process.argv.slice(2);
  if (command.length === 0) throw new SetupError('usage: npm run -s host -- COMMAND [ARGS…]');
  prepare({ forTests: false });
  return runInPrivateHost(command, { cwd: callerDirectory() });
}

if (isCommand(import.meta.url)) await runCommand(main);
