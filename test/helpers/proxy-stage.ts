import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { parseAddress } from '../../src/policy/address.ts';
import type { AgentTable, EgressRule } from '../../src/policy/table.ts';
import { Agents } from '../../src/proxy/agents.ts';
import type { Surroundings } from '../../src/proxy/surroundings.ts';
import { contextFor } from '../../src/proxy/trust.ts';
import { inTime, SLOWNESS } from './commands.ts';
import { FakeClock } from './fake-clock.ts';
import { makeScratch, type Scratch } from './scratch.ts';

/** Everything is on this machine. */
const DEADLINE_MS = 10_000 * SLOWNESS;

/** A server on loopback that stands for a public host, with everything that reached it. */
export interface Host extends Disposable {
  /** Bytes of each connection, in the order in which they were made. */
  readonly heard: string[];
  readonly sockets: Socket[];
}

/** The proxy with its sockets in a scratch directory, in a world whose public addresses are servers of the test. */
export class ProxyStage implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly agents: Agents;
  /** Names that were looked up. */
  readonly lookups: string[] = [];
  /** Addresses that were dialled, with their ports. */
  readonly dials: string[] = [];
  /** Failures that nothing expects. */
  readonly bugs: unknown[] = [];
  readonly own: string[] = ['11.9.9.9'];
  /** Authorities, in PEM, from which APIs may have their certificates. */
  readonly authorities: string[] = [];
  readonly #names = new Map<string, readonly string[]>();
  readonly #hanging = new Set<string>();
  readonly #ports = new Map<string, number>();
  readonly #open: (Disposable | Server)[] = [];
  readonly #clients: Socket[] = [];
  readonly #scratch: Scratch;

  private constructor(scratch: Scratch) {
    this.#scratch = scratch;
    const { path } = scratch;
    const surroundings: Surroundings = {
      clock: this.clock,
      lookup: async (name) => {
        this.lookups.push(name);
        if (this.#hanging.has(name)) await new Promise(() => undefined);
        const found = this.#names.get(name);
        if (found === undefined) throw new Error('ENOTFOUND');
        return addresses(found);
      },
      connect: (address, port) => {
        const place = `${address.text}:${port}`;
        this.dials.push(place);
        return this.dial(place);
      },
      trust: { context: () => contextFor(this.authorities) },
      ownAddresses: () => addresses(this.own),
      onBug: (error) => this.bugs.push(error),
    };
    this.agents = new Agents({ socketsDirectory: path, auditsDirectory: `${path}/audit` }, surroundings);
  }

  static async open(): Promise<ProxyStage> {
    return new ProxyStage(await makeScratch());
  }

  /** Directory of sockets and audits. */
  get directory(): string {
    return this.#scratch.path;
  }

  /** What a name leads to. */
  name(name: string, ...found: readonly string[]): void {
    this.#names.set(name, found);
  }

  /** Has the resolver never answer for a name. */
  hangs(name: string): void {
    this.#hanging.add(name);
  }

  /** Connects to whatever is at an address and a port, as anybody in this world would. */
  dial(place: string): Socket {
    return connect({ host: '127.0.0.1', port: this.#ports.get(place) ?? 1, allowHalfOpen: true });
  }

  /** Puts a server of the test at an address. */
  place(place: string, server: Server): void {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    this.#ports.set(place, address.port);
    this.#open.push(server);
  }

  /** A host at an address: it hears everything, and `answer` decides what it says after each piece. */
  async host(place: string, answer: (heard: string, socket: Socket) => void): Promise<Host> {
    const host: Host = { heard: [], sockets: [], [Symbol.dispose]: () => undefined };
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const index = host.sockets.push(socket) - 1;
      host.heard[index] = '';
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        host.heard[index] += bytes.toString('latin1');
        answer(host.heard[index] ?? '', socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.place(place, server);
    return host;
  }

  /** Installs or replaces the rules of an agent: hosts, or whole rules. */
  async agent(id: string, options: TableOptions = {}): Promise<void> {
    const result = await this.agents.put(table(id, options));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
  }

  /** Connects as an agent. */
  client(id: string): Client {
    const socket = connect({ path: `${this.directory}/${id}/proxy.sock`, allowHalfOpen: true });
    this.#clients.push(socket);
    return new Client(socket);
  }

  /** Sends bytes as an agent, and reads to the end of the connection. */
  async ask(id: string, bytes: string): Promise<string> {
    const client = this.client(id);
    client.send(bytes);
    return await client.end();
  }

  /** Events of an agent's audit. */
  audit(id: string): readonly Readonly<Record<string, unknown>>[] {
    const text = readFileSync(`${this.directory}/audit/${id}/audit.jsonl`, 'utf8');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** Verdict, reason, host and address of the decisions of an agent. */
  decisions(id: string): readonly string[] {
    return this.audit(id)
      .filter(({ kind }) => kind === 'decision')
      .map(({ verdict, reason, host, port, address }) => `${verdict} ${reason} ${host}:${port} ${address}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.agents.suspend();
    for (const open of this.#open) if ('close' in open) open.close();
    await this.#scratch[Symbol.asyncDispose]();
    if (this.bugs.length > 0) throw new Error('the proxy met a bug', { cause: this.bugs[0] });
  }
}

/** An agent's end of a connection to the proxy. */
export class Client {
  readonly socket: Socket;
  #heard = '';
  #wake: (() => void) | null = null;
  #isOver = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.#heard += bytes.toString('latin1');
      this.#wake?.();
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake?.();
      });
    }
  }

  /** Everything that came so far. */
  get heard(): string {
    return this.#heard;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Waits until what came contains a text, and forgets it up to there. Fails when it ends before. */
  async until(text: string): Promise<string> {
    await this.#wait(() => this.#heard.includes(text) || this.#isOver, JSON.stringify(text));
    const at = this.#heard.indexOf(text);
    if (at === -1) throw new Error(`ended without ${JSON.stringify(text)}: ${JSON.stringify(this.#heard)}`);
    const found = this.#heard.slice(0, at + text.length);
    this.#heard = this.#heard.slice(at + text.length);
    return found;
  }

  /** Waits for the end, and gives what came before it. */
  async end(): Promise<string> {
    await this.#wait(() => this.#isOver, 'the end');
    this.socket.end();
    return this.#heard;
  }

  async #wait(isThere: () => boolean, what: string): Promise<void> {
    const there = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (isThere()) resolve();
      };
      this.#wake();
    });
    const soFar = (): void => {
      throw new Error(`no ${what} from the proxy; so far ${JSON.stringify(this.#heard.slice(0, 500))}`);
    };
    await inTime(there, what, DEADLINE_MS).catch(soFar);
  }
}

/** What a test says of an agent's rules. */
export interface TableOptions {
  readonly allow?: readonly (string | Partial<EgressRule>)[];
  readonly deny?: readonly (string | Partial<EgressRule>)[];
  readonly caps?: Partial<AgentTable['caps']>;
  readonly upstream?: AgentTable['upstream'];
  readonly gateways?: AgentTable['gateways'];
  readonly budget?: Partial<AgentTable['budget']>;
}

/** A table of an agent. */
export function table(id: string, options: TableOptions): AgentTable {
  const { allow = [], deny = [], caps = {}, upstream = null, gateways = [], budget = {} } = options;
  return {
    id,
    policy: {
      allow: allow.map((entry, index) => rule(entry, `/allowed_hosts/${index}`, [80, 443])),
      deny: deny.map((entry, index) => rule(entry, `/denied_hosts/${index}`, null)),
    },
    upstream,
    caps: { maxBytes: null, requestsPerMinute: null, ...caps },
    gateways,
    budget: { requests: null, tokens: null, ...budget },
  };
}

function rule(entry: string | Partial<EgressRule>, pointer: string, ports: readonly number[] | null): EgressRule {
  const defaults = { host: '*', ports, methods: null, paths: null, protocol: 'tls', pointer, reason: null } as const;
  return { ...defaults, ...(typeof entry === 'string' ? { host: entry } : entry) };
}

/** Waits until something is so; the proxy works in turns of the event loop that no event tells of. */
export async function settles(isSo: () => boolean, what: string): Promise<void> {
  const loop = async (): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };
  await inTime(loop(), what, DEADLINE_MS);
}

/** An answer with a body of known length. */
export function answer(body: string, ...fields: readonly string[]): string {
  const head = ['HTTP/1.1 200 OK', `content-length: ${body.length}`, ...fields];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** Open descriptors of this process. */
export function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function addresses(texts: readonly string[]): ReturnType<Surroundings['ownAddresses']> {
  return texts.map(parseAddress).filter((address) => address !== null);
}
