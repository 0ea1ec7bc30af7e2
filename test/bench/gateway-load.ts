import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { countedRate } from './counted-rate.ts';
import type { LoadResult } from './egress-order.ts';
import { ANSWER_BYTES, API_HOST, API_PATHS, type GatewayOrder } from './gateway-order.ts';
import { quantile } from './statistics.ts';

/** Requests before those that count. */
const WARM_UP_REQUESTS = 50;

/** About as much as an agent sends in a short session. */
const REQUEST = JSON.stringify({
  model: 'bench',
  max_tokens: 1024,
  messages: [
    { role: 'user', content: 'Fix the failing test in src/base, and say what was wrong with it. '.repeat(120) },
  ],
});

/** Where the gateway puts the API. */
const MOUNT = '/anthropic';

function fail(error: Error): void {
  process.stderr.write(`${error.message.slice(0, 500)}\n`);
  process.exit(1);
}

/** One connection to the API or to the gateway, and one request at a time on it. */
class ApiClient {
  readonly #socket: Socket;
  readonly #order: GatewayOrder;
  #onBytes: (bytes: Buffer) => void = () => undefined;

  private constructor(socket: Socket, order: GatewayOrder) {
    this.#socket = socket;
    this.#order = order;
    socket.on('data', (bytes: Buffer) => this.#onBytes(bytes));
    socket.on('end', () => fail(new Error('the connection has ended')));
  }

  static async open(order: GatewayOrder): Promise<ApiClient> {
    const { via, port } = order;
    const socket =
      via === null
        ? connectTls({ host: API_HOST, port, servername: API_HOST, ca: readFileSync(order.certificate) })
        : connect('path' in via ? { path: via.path } : { port: via.port, host: '127.0.0.1', noDelay: true });
    socket.on('error', fail);
    await once(socket, via === null ? 'secureConnect' : 'connect');
    socket.setNoDelay();
    return new ApiClient(socket, order);
  }

  /** Sends a request and gives every piece of the answer to `take`; resolves when that returns true. */
  ask(path: string, take: (piece: Buffer) => boolean): Promise<void> {
    const { via, port } = this.#order;
    const [target, host] = via === null ? [path, `${API_HOST}:${port}`] : [`${MOUNT}${path}`, '127.0.0.1:3128'];
    const fields = [`Host: ${host}`, 'Content-Type: application/json', `Content-Length: ${REQUEST.length}`];
    this.#socket.write(`POST ${target} HTTP/1.1\r\n${fields.join('\r\n')}\r\nx-api-key: none\r\n\r\n${REQUEST}`);
    return new Promise((resolve) => {
      this.#onBytes = (piece) => {
        if (take(piece)) resolve();
      };
    });
  }

  /** Sends a request and reads the whole answer, of known length. */
  async request(path: string): Promise<void> {
    let head = '';
    let left: number | null = null;
    await this.ask(path, (piece) => {
      if (left !== null) left -= piece.length;
      else {
        head += piece.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return false;
        if (!head.startsWith('HTTP/1.1 200 ')) fail(new Error(head));
        const length = Number(/^content-length: *(\d+)/im.exec(head.slice(0, end))?.[1]);
        if (Number.isNaN(length)) fail(new Error(head));
        left = length - (head.length - end - 4);
      }
      return left === 0;
    });
  }

  /** Asks for a stream of events and reads it to its end; how long its first event was on its way, milliseconds. */
  async firstEvent(): Promise<number> {
    let text = '';
    let delayMs = Number.NaN;
    await this.ask(API_PATHS.events, (piece) => {
      const now = process.hrtime.bigint();
      text += piece.toString('latin1');
      if (!text.startsWith('HTTP/1.1 200 '.slice(0, text.length))) fail(new Error(text));
      const sentAt = /"sentAt":(\d+)\}/.exec(text)?.[1];
      if (Number.isNaN(delayMs) && sentAt !== undefined) delayMs = Number(now - BigInt(sentAt)) / 1e6;
      return text.endsWith('\r\n0\r\n\r\n');
    });
    return delayMs;
  }
}

async function loadTimes(count: number, time: () => Promise<number>): Promise<LoadResult> {
  const times: number[] = [];
  for (let index = -WARM_UP_REQUESTS; index < count; index += 1) {
    const taken = await time();
    if (index >= 0) times.push(taken);
  }
  return { value: quantile(times, 0.5), p99: quantile(times, 0.99), total: WARM_UP_REQUESTS + count };
}

async function loadLatency(order: GatewayOrder, requests: number): Promise<LoadResult> {
  const client = await ApiClient.open(order);
  return await loadTimes(requests, async () => {
    const startedAt = performance.now();
    await client.request(API_PATHS.answer);
    return performance.now() - startedAt;
  });
}

async function loadEvents(order: GatewayOrder, streams: number): Promise<LoadResult> {
  const client = await ApiClient.open(order);
  return await loadTimes(streams, () => client.firstEvent());
}

async function loadRequests(order: GatewayOrder, connections: number): Promise<LoadResult> {
  let total = 0;
  for (let index = 0; index < connections; index += 1) {
    const client = await ApiClient.open(order);
    const next = (): void => {
      total += 1;
      void client.request(API_PATHS.answer).then(next);
    };
    void client.request(API_PATHS.answer).then(next);
  }
  return { value: await countedRate(() => total), total };
}

async function loadAnswer(order: GatewayOrder): Promise<LoadResult> {
  const client = await ApiClient.open(order);
  await client.request(API_PATHS.answer);
  const startedAt = performance.now();
  await client.request(API_PATHS.bytes);
  return { value: (ANSWER_BYTES / (performance.now() - startedAt)) * 1000, total: ANSWER_BYTES };
}

async function loadStill(order: GatewayOrder, count: number): Promise<LoadResult> {
  for (let index = 0; index < count; index += 1) {
    const client = await ApiClient.open(order);
    let text = '';
    await client.ask(API_PATHS.still, (piece) => {
      text += piece.toString('latin1');
      return text.includes('sentAt');
    });
  }
  process.stdout.write('open\n');
  process.stdin.resume();
  await once(process.stdin, 'end');
  return { value: count, total: count };
}

function carryOut(order: GatewayOrder): Promise<LoadResult> {
  const { load } = order;
  switch (load.part) {
    case 'latency':
      return loadLatency(order, load.requests);
    case 'events':
      return loadEvents(order, load.streams);
    case 'requests':
      return loadRequests(order, load.connections);
    case 'answer':
      return loadAnswer(order);
    case 'still':
      return loadStill(order, load.count);
  }
}

async function main(): Promise<void> {
  const result = await carryOut(JSON.parse(process.argv[2] ?? '') as GatewayOrder);
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

await main();
