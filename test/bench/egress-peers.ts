import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROUTES, type Route } from './egress-route.ts';
import { ENVIRONMENT } from './program.ts';

/** Time a proxy has to come up, milliseconds. */
const START_TIMEOUT_MS = 15_000;
const LOOK_AGAIN_MS = 50;

/** More than any number of tunnels measured. */
const CLIENTS_MAX = 4000;

/** Starts a command with as many descriptors as it may have; a shell's default is 1,024. */
const WITH_DESCRIPTORS = ['sh', '-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh'];

/** A proxy of Debian, with what its configuration is made of. */
interface Peer {
  readonly name: string;
  readonly description: string;
  readonly files: (directory: string, port: number) => Readonly<Record<string, string>>;
  readonly keepsAlive: boolean;
  readonly argv: (directory: string) => readonly string[];
}

/** Both allow this one host, log each request and keep no copy of what they pass on: what agent-egressd does. */
const PEERS: readonly Peer[] = [
  {
    name: ROUTES.tinyproxy,
    description: 'tinyproxy with a filter and a log; it ends the connection after each request',
    files: (directory, port) => ({
      filter: '^127\\.0\\.0\\.1$\n',
      'tinyproxy.conf': [
        `Port ${port}`,
        'Listen 127.0.0.1',
        'Timeout 600',
        `LogFile "${join(directory, 'access.log')}"`,
        'LogLevel Connect',
        `MaxClients ${CLIENTS_MAX}`,
        'Allow 127.0.0.1',
        `Filter "${join(directory, 'filter')}"`,
        'FilterDefaultDeny Yes',
        '',
      ].join('\n'),
    }),
    keepsAlive: false,
    argv: (directory) => ['tinyproxy', '-d', '-c', join(directory, 'tinyproxy.conf')],
  },
  {
    name: ROUTES.squid,
    description: 'squid with an access list and a log, without its cache',
    files: (directory, port) => ({
      'squid.conf': [
        `http_port 127.0.0.1:${port}`,
        'acl origin dst 127.0.0.1/32',
        'http_access allow origin',
        'http_access deny all',
        'cache deny all',
        `access_log stdio:${join(directory, 'access.log')}`,
        `cache_log ${join(directory, 'cache.log')}`,
        `coredump_dir ${directory}`,
        'pid_filename none',
        'shutdown_lifetime 0 seconds',
        '',
      ].join('\n'),
    }),
    keepsAlive: true,
    argv: (directory) => ['squid', '-N', '-f', join(directory, 'squid.conf')],
  },
];

/** Starts the proxies of others; one that does not start is left out with the reason. */
export async function startPeers(
  directory: string,
): Promise<{ readonly routes: readonly Route[]; readonly missing: readonly string[] }> {
  const routes: Route[] = [];
  const missing: string[] = [];
  for (const peer of PEERS) {
    try {
      routes.push(await startPeer(peer, join(directory, peer.name)));
    } catch (error) {
      missing.push(`${peer.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { routes, missing };
}

async function startPeer(peer: Peer, directory: string): Promise<Route> {
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  // Squid writes its logs as a user of its own.
  chmodSync(directory, 0o777);
  for (const [name, text] of Object.entries(peer.files(directory, port))) writeFileSync(join(directory, name), text);
  const [file = '', ...args] = [...WITH_DESCRIPTORS, ...peer.argv(directory)];
  const child = spawn(file, args, {
    cwd: directory,
    env: ENVIRONMENT,
    stdio: 'ignore',
  });
  child.on('error', () => undefined);
  await listening(child, port);
  const { pid } = child;
  return {
    name: peer.name,
    description: peer.description,
    vias: [{ port }],
    wrap: (argv) => argv,
    pids: () => Promise.resolve(pid === undefined ? [] : [pid]),
    keepsAlive: peer.keepsAlive,
    takesMany: true,
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Waits until somebody listens at a port. Throws when the process ends before. */
async function listening(child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`it ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isOpen) return;
    await sleep(LOOK_AGAIN_MS);
  }
  child.kill('SIGKILL');
  throw new Error('nobody listened in time');
}
