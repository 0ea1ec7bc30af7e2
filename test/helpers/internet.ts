import { createSocket } from 'node:dgram';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { CHECKOUT } from './checkout.ts';
import { type CommandOptions, type Ended, inTime, RunningCommand, runCommand } from './commands.ts';
import type { Arrival, ArrivalOf, WorldAnswer, WorldOrder } from './internet-arrival.ts';
import { type Certificates, makeCertificates } from './internet-certificates.ts';
import type { ModelCall, ModelServerOptions } from './model-server.ts';

/** Addresses of the host on its way out: its own, as anybody in the pretend internet sees it. */
export const HOST_ADDRESSES: readonly string[] = ['11.0.0.1', '2a00::1'];
/** The pretend internet's end of the wire: the name server, and where commands that run there have their services. */
export const WORLD_ADDRESS = '11.0.0.2';

const RESOLVER = '/etc/resolv.conf';
const [NEAR, FAR] = ['world', 'sky'];
const [NEAR_MAC, FAR_MAC] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
/** Ports that take anything and answer `heard`, or what {@link Internet.say} says. */
const RAW_PORTS = [22, 25, 3128, 6379, 8000];
/** RFC 863: nobody listens there. */
const DISCARD_PORT = 9;

/**
 * A pretend internet around this host, which must be a private one: a wire whose far end owns every address there is,
 * with spies that keep all that arrives. Ports 80 and 8080 speak HTTP, 443 and 8443 HTTPS with HTTP/2, 9443 HTTPS with
 * TLS of before 2008 only, 53 is the name server that this host asks, and some more take anything. It is gone with its process, whatever becomes of the test.
 */
export class Internet {
  /** Directory for files that agents may see. */
  readonly directory: string;
  /** Path of the certificate of the authority that signed what the web servers show. */
  readonly authority: string;
  readonly #world: RunningCommand;
  readonly #resolver: string;
  #last: Promise<unknown> = Promise.resolve();
  #fences = 0;

  private constructor(directory: string, authority: string, world: RunningCommand) {
    this.directory = directory;
    this.authority = authority;
    this.#world = world;
    this.#resolver = readFileSync(RESOLVER, 'utf8');
  }

  /** Makes it, and points this host's resolver at it. */
  static async open(): Promise<Internet> {
    const directory = mkdtempSync('/var/tmp/as-internet-');
    chmodSync(directory, 0o755);
    const certificates = await makeCertificates(directory);
    const program = join(import.meta.dirname, 'internet-world.js');
    const wire = join(CHECKOUT, 'test/helpers/internet-wire.py');
    const world = new RunningCommand(['unshare', '--net', process.execPath, program, wire, FAR], {
      deadlineMs: 60_000,
    });
    const internet = new Internet(directory, certificates.authority, world);
    try {
      await internet.#connect(certificates);
    } catch (error) {
      await internet.close();
      throw error;
    }
    return internet;
  }

  /** What has arrived so far, or that of one kind. Everything sent before this call counts. */
  async arrivals(): Promise<readonly Arrival[]>;
  async arrivals<K extends Arrival['kind']>(kind: K): Promise<readonly ArrivalOf<K>[]>;
  async arrivals(kind?: Arrival['kind']): Promise<readonly Arrival[]> {
    this.#fences += 1;
    const fence = `fence ${process.pid} ${this.#fences}`;
    const answered = this.#order({ op: 'arrivals', fence });
    await sendDatagram(fence);
    const { arrivals = [] } = await answered;
    return kind === undefined ? arrivals : arrivals.filter((arrival) => arrival.kind === kind);
  }

  /** Forgets what has arrived. */
  async clear(): Promise<void> {
    await this.arrivals();
    await this.#order({ op: 'clear' });
  }

  /** Gives a name these addresses; an empty list says that the name has none, `silence` leaves the question without an answer. */
  answer(name: string, addresses: readonly string[]): Promise<void> {
    return this.answerInTurn(name, [addresses]);
  }

  /** Gives a name other addresses each time it is asked for; the last ones stay. */
  async answerInTurn(name: string, turns: readonly (readonly string[])[]): Promise<void> {
    await this.#order({ op: 'answer', name, turns });
  }

  /** What a port that takes anything answers to whatever comes. */
  async say(port: number, text: string): Promise<void> {
    await this.#order({ op: 'say', port, text });
  }

  /** Has these hosts be model APIs that play a script from its beginning, and forgets the calls before. */
  async serveModels(hosts: readonly string[], options: ModelServerOptions): Promise<void> {
    await this.#order({ op: 'models', hosts, options });
  }

  /** Every request that reached a model API. */
  async modelCalls(): Promise<readonly ModelCall[]> {
    return (await this.#order({ op: 'model-calls' })).calls ?? [];
  }

  /** Writes to the answer to `/stream/<name>`, as soon as somebody has asked for it. */
  async push(stream: string, text: string): Promise<void> {
    await this.#order({ op: 'push', stream, text });
  }

  /** Ends the answer to `/stream/<name>`. */
  async finish(stream: string): Promise<void> {
    await this.#order({ op: 'finish', stream });
  }

  /** Resolves when the answer to `/stream/<name>` has ended, from either end. */
  async streamClosed(stream: string): Promise<void> {
    await this.#order({ op: 'await-closed', stream });
  }

  /** The words that run a command inside the pretend internet. */
  inside(...argv: readonly string[]): readonly string[] {
    return ['nsenter', '--target', String(this.#world.child.pid), '--net', '--', ...argv];
  }

  /** Runs a command inside the pretend internet to its end; it must end well. */
  run(argv: readonly string[], options: CommandOptions = {}): Promise<Ended> {
    return succeed(runCommand(this.inside(...argv), options));
  }

  /** Ends everything and gives the host its resolver back. */
  async close(): Promise<void> {
    writeFileSync(RESOLVER, this.#resolver);
    this.#world.end();
    await this.#world.ended();
    // The kernel takes the wire away some time after the last process.
    await runCommand(['ip', 'link', 'delete', NEAR ?? '']);
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #connect({ key, certificate, bad }: Certificates): Promise<void> {
    const pid = String(this.#world.child.pid);
    // The first answer shows that the process is in its own network.
    await this.#order({ op: 'clear' });
    await batch(['ip', '-batch', '-'], wireCommands(pid));
    await batch(this.inside('ip', '-batch', '-'), [`link set ${FAR} addrgenmode none`, `link set ${FAR} up`]);
    // An address of IPv6 that comes before the carrier loses its routes.
    await inTime(this.#carrier(), 'the wire');
    await batch(['ip', '-batch', '-'], nearCommands());
    await batch(this.inside('ip', '-batch', '-'), farCommands());
    await this.#order({ op: 'listen', key, certificate, bad, raw: RAW_PORTS, root: this.directory });
    writeFileSync(RESOLVER, `nameserver ${WORLD_ADDRESS}\noptions timeout:2 attempts:1\n`);
  }

  /** Both ends must know it: each learns it by itself. */
  async #carrier(): Promise<void> {
    for (const [words, name] of [
      [['ip'], NEAR],
      [this.inside('ip'), FAR],
    ] as const) {
      while (!(await succeed(runCommand([...words, 'link', 'show', 'dev', name ?? '']))).stdout.includes('state UP'));
    }
  }

  /** One order at a time: answers have no names. */
  #order(order: WorldOrder): Promise<WorldAnswer> {
    const answered = this.#last.then(async () => {
      this.#world.write(`${JSON.stringify(order)}\n`);
      const answer = JSON.parse(await this.#world.line()) as WorldAnswer;
      if (answer.failure !== undefined) throw new Error(answer.failure);
      return answer;
    });
    this.#last = answered.catch(() => undefined);
    return answered;
  }
}

function wireCommands(pid: string): readonly string[] {
  return [
    `link add ${NEAR} address ${NEAR_MAC} type veth peer name ${FAR} address ${FAR_MAC} netns ${pid}`,
    `link set ${NEAR} addrgenmode none`,
    `link set ${NEAR} up`,
  ];
}

function nearCommands(): readonly string[] {
  return [
    `address add 11.0.0.1 peer ${WORLD_ADDRESS} dev ${NEAR}`,
    `address add 2a00::1/126 dev ${NEAR} nodad`,
    `route add default via ${WORLD_ADDRESS}`,
    'route add default via 2a00::2',
    `neighbour replace 2a00::2 lladdr ${FAR_MAC} dev ${NEAR}`,
  ];
}

function farCommands(): readonly string[] {
  return [
    'link set lo up',
    `address add ${WORLD_ADDRESS} peer 11.0.0.1 dev ${FAR}`,
    `address add 2a00::2/126 dev ${FAR} nodad`,
    // Whoever answers from any address has none to ask for its neighbour with.
    `neighbour replace 2a00::1 lladdr ${NEAR_MAC} dev ${FAR}`,
    // Every address that is not on the wire is one of its own.
    'route add local default dev lo table main',
    'route add local ::/0 dev lo table main',
  ];
}

async function batch(argv: readonly string[], commands: readonly string[]): Promise<void> {
  await succeed(runCommand(argv, { stdin: `${commands.join('\n')}\n` }));
}

async function sendDatagram(text: string): Promise<void> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.send(text, DISCARD_PORT, WORLD_ADDRESS, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    socket.close();
  }
}
