import { SpawnError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { openNotifier } from '../host/notify.ts';
import { passedSockets } from '../host/unix-socket.ts';
import { Agents } from '../proxy/agents.ts';
import { Control } from '../proxy/control.ts';
import { thisMachine } from '../proxy/machine.ts';
import { readInstallation, searchPath } from './installation.ts';
import { openLog } from './log.ts';

/** RuntimeDirectory= and LogsDirectory= of units/agent-egressd.service. */
const PLACES = { socketsDirectory: '/run/agent-egress', auditsDirectory: '/var/log/agent-egress' };

async function main(): Promise<void> {
  const log = openLog('agent-egressd', 'info');
  const { env, pid } = process;
  const [socket] = passedSockets({ LISTEN_PID: env['LISTEN_PID'], LISTEN_FDS: env['LISTEN_FDS'] }, pid);
  if (socket === undefined) {
    throw new SpawnError('host.call-failed', 'There is no control socket: start agent-egressd.socket.');
  }
  const notifier = openNotifier(env['NOTIFY_SOCKET'] ?? null);
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  env['PATH'] = searchPath(readInstallation().tools, env['PATH']);
  const onError = (error: unknown): void => log.error({ err: error }, 'something failed unexpectedly');
  const onOutage = (error: Error): void => log.error(`${error.message}; until it can, its agent is refused everything`);
  const agents = new Agents(PLACES, thisMachine({ onBug: onError, onOutage }, env['SSL_CERT_FILE'] ?? null));
  const control = await Control.listen({ fd: socket.fd }, { agents, onError });
  await notifier.ready('agents have their rules from agent-spawnd');
  log.info({ version: VERSION }, 'ready');
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await notifier.stopping();
  await control[Symbol.asyncDispose]();
  await agents.suspend();
}

main().catch((error: unknown) => {
  process.stderr.write(
    `<3>agent-egressd: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
