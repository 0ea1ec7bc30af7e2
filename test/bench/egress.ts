import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Load, LoadOrder, LoadResult, OriginPorts, Via } from './egress-order.ts';
import { openOwnRoutes } from './egress-own.ts';
import { startPeers } from './egress-peers.ts';
import { ROUTES, type Route } from './egress-route.ts';
import { residentBytes } from './memory.ts';
import { ENVIRONMENT, readProgram } from './program.ts';
import { type Summary, summarize } from './statistics.ts';

/** What is measured in each round. */
const LOADS = {
  tunnel: { part: 'tunnels', count: 1 },
  tunnels: { part: 'tunnels', count: 8 },
  requests: { part: 'requests', connections: 16 },
  latency: { part: 'latency', requests: 500 },
} as const satisfies Readonly<Record<string, Load>>;

/** Key of a load. */
export type LoadName = keyof typeof LOADS;

/** Tunnels that are open and still when memory is measured. */
const IDLE_LEVELS = [1, 100, 1000];

/** Figures of one route. */
export interface RouteResult {
  readonly name: string;
  readonly description: string;
  /** Bytes or requests per second; of `latency` the median of a round, milliseconds. */
  readonly loads: Readonly<Record<LoadName, Summary | undefined>>;
  /** 99th percentile of the latency of a round, milliseconds. */
  readonly latencyP99: Summary | undefined;
  /** CPU time of the proxy, seconds, for each byte or request. */
  readonly cpu: Readonly<Record<LoadName, Summary | undefined>>;
  /** Resident memory with open, still tunnels, by their number, bytes. */
  readonly idleBytes: Readonly<Record<number, number>>;
  /** Why something is missing. */
  readonly missing: readonly string[];
}

/** One round of one load on one route. */
interface Sample {
  readonly load: LoadName;
  readonly result: LoadResult;
  readonly cpuSeconds: number;
}

/** What the comparison is made with. */
export interface EgressOptions {
  readonly rounds: number;
  /** An empty directory. */
  readonly directory: string;
  readonly progress: (line: string) => void;
}

/** Compares agent-egressd with other proxies: memory first, then all loads on all routes in turn, round by round. */
export async function measureEgress(options: EgressOptions): Promise<readonly RouteResult[]> {
  const origin = await startOrigin();
  const peers = await startPeers(options.directory);
  const own = await openOwnRoutes(origin.ports);
  const direct: Route = {
    name: ROUTES.direct,
    description: 'no proxy',
    vias: [null],
    wrap: (argv) => argv,
    pids: () => Promise.resolve([]),
    keepsAlive: true,
    takesMany: false,
    close: () => Promise.resolve(),
  };
  const routes = [direct, ...own, ...peers.routes];
  try {
    const idle = new Map<string, Record<number, number>>();
    for (const route of routes) idle.set(route.name, await measureIdleTunnels(route, origin.ports));
    options.progress('memory of idle tunnels measured');
    const found = await measureLoads(routes, origin.ports, options);
    return [
      ...routes.map((route) => summarizeRoute(route, found, idle.get(route.name) ?? {})),
      ...peers.missing.map(absent),
    ];
  } finally {
    for (const route of routes) await route.close();
    origin.child.stdin?.end();
  }
}

/** Samples and failures by route. */
interface Found {
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  readonly failures: ReadonlyMap<string, readonly string[]>;
}

async function measureLoads(
  routes: readonly Route[],
  origin: OriginPorts,
  { rounds, progress }: EgressOptions,
): Promise<Found> {
  const samples = new Map<string, Sample[]>(routes.map(({ name }) => [name, []]));
  const failures = new Map<string, string[]>(routes.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const load of Object.keys(LOADS) as LoadName[]) {
      for (const route of routes) {
        try {
          const sample = await measureOnce(route, origin, load);
          // The round before the first warms up.
          if (round > 0) samples.get(route.name)?.push(sample);
        } catch (error) {
          failures.get(route.name)?.push(`${load}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
    progress(`egress: ${round} of ${rounds} rounds`);
  }
  return { samples, failures };
}

async function measureOnce(route: Route, origin: OriginPorts, load: LoadName): Promise<Sample> {
  // One agent's socket: the others are there for numbers of tunnels.
  const argv = loadCommand({ vias: route.vias.slice(0, 1), origin, keepsAlive: route.keepsAlive, load: LOADS[load] });
  const before = await cpuSeconds(route);
  const result = JSON.parse(await readProgram(route.wrap(argv))) as LoadResult;
  return { load, result, cpuSeconds: (await cpuSeconds(route)) - before };
}

function loadCommand(order: LoadOrder): readonly string[] {
  return [process.execPath, join(import.meta.dirname, 'egress-load.js'), JSON.stringify(order)];
}

async function measureIdleTunnels(route: Route, origin: OriginPorts): Promise<Record<number, number>> {
  const bytes: Record<number, number> = {};
  for (const count of route.takesMany ? IDLE_LEVELS : []) {
    const [file = '', ...args] = route.wrap(
      loadCommand({ vias: spread(route.vias, count), origin, keepsAlive: true, load: { part: 'idle', count } }),
    );
    const child = spawn(file, args, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'inherit'] });
    const isOpen = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      once(child, 'exit').then(() => false),
    ]);
    if (isOpen) bytes[count] = (await route.pids()).map(residentBytes).reduce((sum, one) => sum + one, 0);
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  }
  return bytes;
}

/** One agent as long as it may have so many tunnels, then all. */
function spread(vias: readonly Via[], count: number): readonly Via[] {
  return count > 200 ? vias : vias.slice(0, 1);
}

/** CPU time that the processes of a route have used, seconds. */
async function cpuSeconds(route: Route): Promise<number> {
  const ticks = (await route.pids()).map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    // proc(5): user and system time are the 14th and 15th field; the name, which may hold spaces, is the second.
    return Number(fields[11]) + Number(fields[12]);
  });
  // USER_HZ is 100 on every platform of Node.
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

function summarizeRoute({ name, description }: Route, found: Found, idleBytes: Record<number, number>): RouteResult {
  const samples = found.samples.get(name) ?? [];
  const of = (load: LoadName, value: (sample: Sample) => number | undefined): Summary | undefined =>
    summarize(
      samples
        .filter((sample) => sample.load === load)
        .map(value)
        .filter((one) => one !== undefined),
    );
  const each = (value: (sample: Sample) => number): Record<LoadName, Summary | undefined> => ({
    tunnel: of('tunnel', value),
    tunnels: of('tunnels', value),
    requests: of('requests', value),
    latency: of('latency', value),
  });
  return {
    name,
    description,
    loads: each(({ result }) => result.value),
    latencyP99: of('latency', ({ result }) => result.p99),
    cpu: each((sample) => sample.cpuSeconds / sample.result.total),
    idleBytes,
    missing: [...new Set(found.failures.get(name) ?? [])],
  };
}

function absent(missing: string): RouteResult {
  const none = { tunnel: undefined, tunnels: undefined, requests: undefined, latency: undefined };
  const [name = ''] = missing.split(':', 1);
  return { name, description: '', loads: none, latencyP99: undefined, cpu: none, idleBytes: {}, missing: [missing] };
}

/** Starts the host that everybody reaches for. */
async function startOrigin(): Promise<{ readonly child: ChildProcess; readonly ports: OriginPorts }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'egress-origin.js')], {
    env: ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, ports: JSON.parse(line.toString()) as OriginPorts };
}
