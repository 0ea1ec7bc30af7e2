import { existsSync } from 'node:fs';
import { callerDirectory, inCheckout } from './checkout.mjs';
import { runInPlace } from './child.mjs';
import { runInPrivateHost } from './host.mjs';
import { prepare } from './prepare.mjs';
import { isCommand, report, runCommand } from './report.mjs';

/** What runs when no card is named. */
const DEMO_CARD = inCheckout('schema/examples/demo.toml');

/** The API socket of an installed daemon. */
const API_SOCKET = '/run/agent-spawn/api.sock';

/**
 * Runs a card on this machine when it has a systemd with the daemon installed, otherwise in a private host.
 * @returns {Promise<number>} the exit status of the agent
 */
async function main() {
  const args = process.argv.slice(2);
  prepare({ forTests: false });
  const isInstalled = existsSync('/run/systemd/system') && existsSync(API_SOCKET);
  const words = ['--summary', ...(args.length > 0 ? args : [DEMO_CARD])];
  const options = { cwd: callerDirectory() };
  if (!isInstalled) report('PID 1 is not a systemd with agent-spawn installed: using a private host');
  const status = await (isInstalled
    ? runInPlace([process.execPath, inCheckout('dist/agent-spawn.cjs'), ...words], options)
    : runInPrivateHost(['agent-spawn', ...words], options));
  if (args.length === 0) report(`that was ${DEMO_CARD}; what the agent made is in its workspace, /mnt/agents/demo`);
  return status;
}

if (isCommand(import.meta.url)) await runCommand(main);
