import { once } from 'node:events';
import { createServer } from 'node:net';
import { Bench, type BenchOptions } from './agents.ts';
import { Internet } from './internet.ts';
import { Puppet, verdictOf } from './puppet.ts';

/** Names every suite knows, each with an address of its own; `*.example.net` is never allowed. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'api.example.com': ['11.0.0.7'],
  'other.example.com': ['11.0.0.8'],
  'evil.example.net': ['11.0.0.66'],
};

/** Something on this host that counts the connections it gets. */
export interface HostListener extends Disposable {
  readonly port: number;
  readonly arrivals: () => number;
}

/** What a suite about egress plays on: a bench, a pretend internet, and puppets that end with it. */
export class EgressStage {
  readonly bench: Bench;
  readonly internet: Internet;
  readonly #puppets: Puppet[] = [];

  private constructor(bench: Bench, internet: Internet) {
    this.bench = bench;
    this.internet = internet;
  }

  static async open(options: BenchOptions = {}): Promise<EgressStage> {
    const bench = await Bench.open(options);
    const internet = await Internet.open();
    for (const [name, addresses] of Object.entries(NAMES)) await internet.answer(name, addresses);
    return new EgressStage(bench, internet);
  }

  /** Starts an agent with these card keys that does what the test says. */
  async agent(card: Readonly<Record<string, unknown>>): Promise<Puppet> {
    return this.#keep(await Puppet.start(this.bench, card));
  }

  /** The same outside of any sandbox. */
  async outside(...words: readonly string[]): Promise<Puppet> {
    return this.#keep(await Puppet.outside(...words));
  }

  /** Ends everything; fails when anything is left behind. */
  async close(): Promise<void> {
    for (const puppet of this.#puppets.reverse()) await puppet.end();
    await this.internet.close();
    await this.bench.close();
  }

  /** The verdicts on these requests, one connection each. */
  async verdicts(puppet: Puppet, requests: readonly string[]): Promise<readonly string[]> {
    const verdicts: string[] = [];
    for (const request of requests) verdicts.push(verdictOf(await puppet.ask(request)));
    return verdicts;
  }

  /** What left the host for something other than the name server. */
  async connections(): Promise<readonly string[]> {
    const packets = await this.internet.arrivals('packet');
    return packets.filter(({ port }) => port !== 53).map(({ address, port }) => `${address} ${port}`);
  }

  #keep(puppet: Puppet): Puppet {
    this.#puppets.push(puppet);
    return puppet;
  }
}

/** CONNECT to a host and a port. */
export function connectTo(authority: string, ...fields: readonly string[]): string {
  return head(`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, ...fields);
}

/** GET of a whole URL. */
export function getUrl(authority: string, path = '/', ...fields: readonly string[]): string {
  return head(`GET http://${authority}${path} HTTP/1.1`, `Host: ${authority}`, ...fields);
}

/** Lines of a head as they are sent. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Both forms in which a proxy is asked for a host: a tunnel to port 443, and a page on port 80. */
export function bothForms(host: string): readonly [string, string] {
  return [connectTo(`${host}:443`), getUrl(host)];
}

/** Listens on an address of this host. */
export async function listenOnHost(host: string, port = 0): Promise<HostListener> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.on('error', () => undefined);
    socket.resume();
  });
  server.listen(port, host);
  await once(server, 'listening');
  server.unref();
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new Error('a server of TCP has a port');
  return { port: bound.port, arrivals: () => count, [Symbol.dispose]: () => server.close() };
}
