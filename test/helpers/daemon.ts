import { succeed } from './agents.ts';
import { runCommand } from './commands.ts';
import { showProperty } from './units.ts';

const SERVICE = 'agent-spawnd.service';
const SOCKET = 'agent-spawnd.socket';

/** Process id of the daemon; 0 while none runs. */
export async function daemonPid(): Promise<number> {
  return Number(await showProperty(SERVICE, 'MainPID'));
}

/** Stops the daemon and its socket, so that nobody starts it. */
export async function stopDaemon(): Promise<void> {
  await succeed(runCommand(['systemctl', 'stop', SOCKET, SERVICE]));
}

/** Starts the daemon; it answers when this resolves. Earlier kills do not count against its start limit. */
export async function startDaemon(): Promise<void> {
  await runCommand(['systemctl', 'reset-failed', SERVICE]);
  await succeed(runCommand(['systemctl', 'start', SOCKET, SERVICE]));
}

/** Kills the daemon without warning. It comes back by itself. */
export async function killDaemon(): Promise<void> {
  await runCommand(['systemctl', 'kill', '--signal=KILL', '--kill-who=main', SERVICE]);
}

/** Waits until the daemon that comes back answers. */
export async function awaitDaemon(): Promise<void> {
  await startDaemon();
}
