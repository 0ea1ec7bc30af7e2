import { ApiServer } from '../api/server.ts';
import { ERRORS, SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import { VERSION } from '../base/version.ts';
import type { Config } from '../config/config.ts';
import { DaemonOperations } from '../control/daemon-operations.ts';
import { FitnessGate } from '../control/fitness-gate.ts';
import { probeFitness } from '../host/fitness.ts';
import { openLinuxHost } from '../host/linux.ts';
import { openNotifier } from '../host/notify.ts';
import { openPeerReader, passedSockets } from '../host/unix-socket.ts';
import { Engine } from '../sandbox/engine.ts';
import { configProblemLines, readConfig } from './config-file.ts';
import { type DaemonRequest, parseDaemonArguments, USAGE } from './daemon-arguments.ts';
import { readInstallation, searchPath } from './installation.ts';
import { logEvent, openLog } from './log.ts';
import { enginePaths, PROGRAMS } from './paths.ts';

const CONFIG_FILE = '/etc/agent-spawn/config.json';

/** Exit status of a checked file that is refused, as of a refused card. */
const CHECK_REFUSED = 3;

async function serve(config: Config): Promise<void> {
  const log = openLog('agent-spawnd', config.logLevel);
  const { env, pid } = process;
  const sockets = passedSockets({ LISTEN_PID: env['LISTEN_PID'], LISTEN_FDS: env['LISTEN_FDS'] }, pid);
  const notifier = openNotifier(env['NOTIFY_SOCKET'] ?? null);
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name];
  const { directory, tools } = readInstallation();
  env['PATH'] = searchPath(tools, env['PATH']);
  const host = await openLinuxHost({
    programsDirectory: PROGRAMS,
    tools,
    agentUids: config.uidRange,
    allowReadableKeys: config.allowReadableKeys,
    credentialsDirectory: env['CREDENTIALS_DIRECTORY'] ?? null,
  });
  await host.files.symlink(directory, PROGRAMS);
  const report = logEvent.bind(null, log);
  const paths = enginePaths(config);
  const engine = await Engine.open({
    host,
    paths,
    uidRange: config.uidRange,
    publishAddresses: config.publishAddresses,
    allowHostNetwork: config.allowHostNetwork,
    proxy: config.proxy,
    vethRange: config.vethRange,
    restartChanged: config.restartChanged,
    report,
  });
  const peer = await openPeerReader();
  const trial = { userdbDirectory: paths.userdbDirectory, uid: config.uidRange.first + config.uidRange.count };
  const check = (): Promise<readonly Problem[]> => probeFitness(host, trial);
  const api = await ApiServer.listen(sockets, {
    operations: new DaemonOperations({ engine, host, fitness: new FitnessGate(check), version: VERSION }),
    peerUid: (socket) => peer(socket).uid,
    onError: (error) => log.error({ err: error }, 'a request failed unexpectedly'),
  });
  await notifier.ready(`${engine.registry.all().filter((agent) => agent.isLive).length} agents run`);
  log.info({ version: VERSION }, 'ready');
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await notifier.stopping();
  await api[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
}

/** Status of the process. An absent file means the defaults; an invalid one stops the daemon. */
async function run(request: DaemonRequest): Promise<number> {
  if (request.kind === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  const [file, prefix] = request.kind === 'check' ? [request.file, request.prefix] : [CONFIG_FILE, null];
  const config = readConfig(file, request.kind === 'check');
  if (!config.ok) {
    const mark = request.kind === 'check' ? '' : '<3>agent-spawnd: ';
    process.stderr.write(
      configProblemLines(file, config.problems, prefix)
        .map((line) => `${mark}${line}\n`)
        .join(''),
    );
    return request.kind === 'check' ? CHECK_REFUSED : ERRORS['config.invalid'].exit;
  }
  if (request.kind === 'serve') await serve(config.value);
  return 0;
}

async function main(): Promise<number> {
  try {
    return await run(parseDaemonArguments(process.argv.slice(2)));
  } catch (error) {
    if (!(error instanceof SpawnError) || error.code !== 'cli.usage') throw error;
    process.stderr.write(`agent-spawnd: ${error.message}; ${error.remedy ?? ''}\n`);
    return ERRORS['cli.usage'].exit;
  }
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`<3>agent-spawnd: ${text}\n`);
    process.exitCode = 1;
  },
);
