import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Arrival, TcpArrival, WorldAnswer, WorldOrder } from './internet-arrival.ts';
import { Arrivals } from './internet-arrivals.ts';
import { NameServer } from './internet-dns.ts';
import { Models } from './internet-models.ts';
import { Streams } from './internet-streams.ts';
import { createOldTlsServer, createPlainServer, createTlsServer, plainAddress, type Web } from './internet-web.ts';

// The far side of test/helpers/internet.ts: every server of the pretend internet, and spies on all of it. Takes orders
// on standard input and ends with it.

const BYTES_MAX = 8192;
const arrivals = new Arrivals();
const names = new NameServer(arrivals);
const streams = new Streams();
const models = new Models();
const words = new Map<number, string>();

type Listen = Extract<WorldOrder, { readonly op: 'listen' }>;
type GrowingTcp = { -readonly [K in keyof TcpArrival]: TcpArrival[K] };

function recordConnection(socket: Socket): GrowingTcp {
  const arrival: GrowingTcp = {
    kind: 'tcp',
    address: plainAddress(socket.localAddress),
    port: socket.localPort ?? 0,
    from: plainAddress(socket.remoteAddress),
    bytes: '',
  };
  arrivals.add(arrival);
  socket.on('error', () => socket.destroy());
  return arrival;
}

/** Takes whatever comes; when something has come it says what the test told it to say on this port. */
function takeRaw(socket: Socket): void {
  const arrival = recordConnection(socket);
  socket.on('data', (chunk) => {
    arrival.bytes = (arrival.bytes + chunk.toString('latin1')).slice(0, BYTES_MAX);
    socket.write(words.get(arrival.port) ?? 'heard\n');
  });
}

async function open(server: Server, port: number): Promise<void> {
  server.listen(port, '::');
  await once(server, 'listening');
}

async function listen({ key, certificate, bad, raw, root }: Listen): Promise<void> {
  const web: Web = { arrivals, streams, models, root };
  const wire = spawn('/usr/bin/python3', [process.argv[2] ?? '', process.argv[3] ?? ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const watching = new Promise<void>((resolve, reject) => {
    wire.on('exit', () => reject(new Error('nobody watches the wire')));
    createInterface({ input: wire.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as Arrival | { readonly kind: 'ready' };
      if (told.kind === 'ready') resolve();
      else arrivals.add(told);
    });
  });
  const web80 = [80, 8080].map((port) => [createPlainServer(web), port] as const);
  const usual = { key, certificate };
  const web443 = [443, 8443].map((port) => [createTlsServer(web, usual, bad), port] as const);
  for (const [server, port] of [...web80, ...web443, [createOldTlsServer(web, usual), 9443] as const]) {
    server.on('connection', recordConnection);
    await open(server, port);
  }
  for (const port of raw) await open(createServer({ allowHalfOpen: false }, takeRaw), port);
  await names.listen(53);
  await watching;
}

async function obey(order: WorldOrder): Promise<WorldAnswer> {
  if (order.op === 'arrivals') {
    await arrivals.fence(order.fence);
    return { arrivals: arrivals.list() };
  }
  if (order.op === 'model-calls') return { calls: models.calls };
  if (order.op === 'listen') await listen(order);
  else if (order.op === 'models') models.set(order.hosts, order.options);
  else if (order.op === 'clear') arrivals.clear();
  else if (order.op === 'answer') names.set(order.name.toLowerCase(), order.turns);
  else if (order.op === 'say') words.set(order.port, order.text);
  else if (order.op === 'push') await streams.push(order.stream, order.text);
  else if (order.op === 'finish') await streams.finish(order.stream);
  else await streams.closed(order.stream);
  return {};
}

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await obey(JSON.parse(line) as WorldOrder).catch((error: Error) => ({ failure: error.message }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

await main();
