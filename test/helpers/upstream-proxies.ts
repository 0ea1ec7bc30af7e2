import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { inTime, RunningCommand, runCommand } from './commands.ts';
import { type Internet, WORLD_ADDRESS } from './internet.ts';

/** The proxies of others that agents are chained to. */
export const UPSTREAM_KINDS = ['squid', 'tinyproxy'] as const;
/** One of them. */
export type UpstreamKind = (typeof UPSTREAM_KINDS)[number];

/** How to run one. */
export interface UpstreamOptions {
  /** `user:password` that it asks for; default: it asks nobody. */
  readonly credentials?: string;
  /** What `agentctl export` wrote, in place of letting everything through. */
  readonly rules?: string;
}

/** Ports that tunnels may go to where no rules say so: those of the pretend internet. */
const TUNNEL_PORTS = [80, 443, 8000, 8080];

/** A real proxy that runs in the pretend internet until it is stopped. */
export class UpstreamProxy {
  readonly port: number;
  readonly #command: RunningCommand;

  private constructor(port: number, command: RunningCommand) {
    this.port = port;
    this.#command = command;
  }

  /** Its URL, for a card. */
  get url(): string {
    return `http://${WORLD_ADDRESS}:${this.port}`;
  }

  /** Starts one; it takes connections when this resolves. */
  static async start(internet: Internet, kind: UpstreamKind, options: UpstreamOptions = {}): Promise<UpstreamProxy> {
    const port = kind === 'squid' ? 3129 : 8888;
    const directory = join(internet.directory, kind);
    mkdirSync(directory, { recursive: true });
    // Squid gives root up.
    chmodSync(directory, 0o777);
    const path = join(directory, `${kind}.conf`);
    const lines = await (kind === 'squid' ? squidLines : tinyproxyLines)(directory, port, options);
    writeFileSync(path, `${lines.join('\n')}\n`);
    const words = kind === 'squid' ? ['squid', '-N', '-f', path] : ['tinyproxy', '-d', '-c', path];
    const command = new RunningCommand(internet.inside(...words));
    const proxy = new UpstreamProxy(port, command);
    await inTime(listening(port), `${kind} to take connections`);
    return proxy;
  }

  /** Stops it and waits until it is gone. */
  async stop(): Promise<void> {
    await this.#command.stop();
  }
}

async function squidLines(directory: string, port: number, options: UpstreamOptions): Promise<readonly string[]> {
  const common = [
    `http_port ${WORLD_ADDRESS}:${port}`,
    ...[`cache_log ${directory}/cache.log`, 'access_log none', 'pid_filename none', `coredump_dir ${directory}`],
    ...['cache deny all', 'cache_mem 8 MB', 'shutdown_lifetime 0 seconds', 'pinger_enable off', 'netdb_filename none'],
    ...[
      `dns_nameservers ${WORLD_ADDRESS}`,
      'positive_dns_ttl 1 seconds',
      'negative_dns_ttl 1 seconds',
      'hosts_file none',
    ],
    'visible_hostname upstream.example.com',
  ];
  if (options.rules !== undefined) {
    const path = join(directory, 'rules.conf');
    writeFileSync(path, options.rules);
    return [...common, `include ${path}`];
  }
  if (options.credentials === undefined) return [...common, 'http_access allow all'];
  const [user = '', password = ''] = options.credentials.split(':');
  const { stdout } = await succeed(runCommand(['openssl', 'passwd', '-apr1', password]));
  const path = join(directory, 'passwords');
  writeFileSync(path, `${user}:${stdout.trim()}\n`);
  return [
    ...common,
    `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${path}`,
    'auth_param basic realm test',
    'acl known proxy_auth REQUIRED',
    'http_access allow known',
    'http_access deny all',
  ];
}

async function tinyproxyLines(directory: string, port: number, options: UpstreamOptions): Promise<readonly string[]> {
  const common = [
    ...[`Port ${port}`, `Listen ${WORLD_ADDRESS}`, 'Timeout 60', `LogFile "${directory}/log"`, 'LogLevel Warning'],
    ...['MaxClients 100', 'ViaProxyName "upstream.example.com"'],
  ];
  if (options.rules !== undefined) {
    const [configuration = '', filter = ''] = options.rules.split(/^# \/etc\/tinyproxy\/agent-spawn\.filter:$/m);
    const path = join(directory, 'filter');
    writeFileSync(path, filter.trimStart());
    return [...common, configuration.replace('/etc/tinyproxy/agent-spawn.filter"\n', `${path}"\n`)];
  }
  const ports = TUNNEL_PORTS.map((open) => `ConnectPort ${open}`);
  const asked = options.credentials?.replace(':', ' ');
  return [...common, ...ports, ...(asked === undefined ? [] : [`BasicAuth ${asked}`])];
}

async function listening(port: number): Promise<void> {
  const isOpen = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, WORLD_ADDRESS);
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  while (!(await isOpen()));
}
