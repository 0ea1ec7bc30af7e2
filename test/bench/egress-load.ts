import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { countedRate } from './counted-rate.ts';
import type { LoadOrder, LoadResult, Via } from './egress-order.ts';
import { quantile } from './statistics.ts';

/** Requests before those whose latency counts. */
const WARM_UP_REQUESTS = 50;

function open(via: Via, port: number): Socket {
  if (via === null) return connect({ port, host: '127.0.0.1', noDelay: true });
  return 'path' in via ? connect(via.path) : connect({ port: via.port, host: '127.0.0.1', noDelay: true });
}

/** A tunnel to the origin's port of bytes, or a plain connection to it. */
async function openTunnel(via: Via, port: number): Promise<Socket> {
  const socket = open(via, port);
  socket.on('error', fail);
  await once(socket, 'connect');
  if (via === null) return socket;
  socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [piece] = (await once(socket, 'data')) as [Buffer];
    head += piece.toString('latin1');
  }
  if (!/^HTTP\/1\.[01] 200 /.test(head)) throw new Error(`no tunnel: ${head.slice(0, 200)}`);
  return socket;
}

async function loadTunnels({ vias, origin }: LoadOrder, count: number): Promise<LoadResult> {
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const socket = await openTunnel(vias[index % vias.length] ?? null, origin.bytes);
    socket.on('data', (bytes: Buffer) => {
      total += bytes.length;
    });
    socket.write('x');
  }
  return { value: await countedRate(() => total), total };
}

/** Sends one request after the other, on one connection if the other side keeps it. */
class Requester {
  readonly #via: Via;
  readonly #port: number;
  readonly #keepsAlive: boolean;
  readonly #text: string;
  #socket: Socket | null = null;
  #received = '';
  #onAnswer: () => void = () => undefined;

  constructor(via: Via, { origin, keepsAlive }: LoadOrder) {
    const port = origin.http;
    this.#via = via;
    this.#port = port;
    this.#keepsAlive = keepsAlive;
    const target = via === null ? '/' : `http://127.0.0.1:${port}/`;
    this.#text = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`;
  }

  /** Resolves when the whole answer is there. */
  request(): Promise<void> {
    this.#socket ??= this.#connect();
    this.#socket.write(this.#text);
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
  }

  #connect(): Socket {
    const socket = open(this.#via, this.#port);
    socket.on('error', fail);
    socket.on('data', (bytes: Buffer) => this.#take(bytes.toString('latin1')));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = null;
    });
    return socket;
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = this.#received.slice(0, end);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
    if (!head.startsWith('HTTP/1.') || !head.includes(' 200 ') || Number.isNaN(length)) fail(new Error(head));
    if (this.#received.length < end + 4 + length) return;
    this.#received = '';
    if (!this.#keepsAlive || /^connection: *close/im.test(head)) {
      this.#socket?.destroy();
      this.#socket = null;
    }
    this.#onAnswer();
  }
}

async function loadRequests(order: LoadOrder, connections: number): Promise<LoadResult> {
  let total = 0;
  for (let index = 0; index < connections; index += 1) {
    const requester = new Requester(order.vias[index % order.vias.length] ?? null, order);
    const next = (): void => {
      total += 1;
      void requester.request().then(next);
    };
    void requester.request().then(next);
  }
  return { value: await countedRate(() => total), total };
}

async function loadLatency(order: LoadOrder, requests: number): Promise<LoadResult> {
  const requester = new Requester(order.vias[0] ?? null, order);
  const times: number[] = [];
  for (let index = -WARM_UP_REQUESTS; index < requests; index += 1) {
    const startedAt = performance.now();
    await requester.request();
    if (index >= 0) times.push(performance.now() - startedAt);
  }
  return { value: quantile(times, 0.5), p99: quantile(times, 0.99), total: WARM_UP_REQUESTS + requests };
}

async function loadIdle({ vias, origin }: LoadOrder, count: number): Promise<LoadResult> {
  for (let index = 0; index < count; index += 1) {
    const socket = await openTunnel(vias[index % vias.length] ?? null, origin.bytes);
    socket.write('i');
    await once(socket, 'data');
  }
  process.stdout.write('open\n');
  process.stdin.resume();
  await once(process.stdin, 'end');
  return { value: count, total: count };
}

function fail(error: Error): void {
  process.stderr.write(`${error.message.slice(0, 500)}\n`);
  process.exit(1);
}

function carryOut(order: LoadOrder): Promise<LoadResult> {
  const { load } = order;
  switch (load.part) {
    case 'tunnels':
      return loadTunnels(order, load.count);
    case 'requests':
      return loadRequests(order, load.connections);
    case 'latency':
      return loadLatency(order, load.requests);
    case 'idle':
      return loadIdle(order, load.count);
  }
}

async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '') as LoadOrder;
  const result = await carryOut(order);
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

await main();
