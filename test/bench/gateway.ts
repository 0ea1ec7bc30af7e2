import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadResult } from './egress-order.ts';
import type { Route } from './egress-route.ts';
import { API_HOST, type GatewayLoad, type GatewayOrder } from './gateway-order.ts';
import { type ApiPlace, GATEWAY_ROUTES, openGatewayRoutes } from './gateway-own.ts';
import { residentBytes } from './memory.ts';
import { ENVIRONMENT, readProgram } from './program.ts';
import { type Summary, summarize } from './statistics.ts';

/** What is measured in each round. */
const LOADS = {
  latency: { part: 'latency', requests: 300 },
  events: { part: 'events', streams: 100 },
  requests: { part: 'requests', connections: 16 },
  answer: { part: 'answer' },
} as const satisfies Readonly<Record<string, GatewayLoad>>;

/** Key of a load. */
export type GatewayLoadName = keyof typeof LOADS;

/** Streams that are open and still when memory is measured. */
const STILL_LEVELS = [1, 100];

/** Figures of one way to the API. */
export interface GatewayResult {
  readonly name: string;
  readonly description: string;
  /** Bytes or requests per second; of `latency` and `events` the median of a round, milliseconds. */
  readonly loads: Readonly<Record<GatewayLoadName, Summary | undefined>>;
  /** 99th percentiles of a round, milliseconds. */
  readonly p99: Readonly<Record<'events' | 'latency', Summary | undefined>>;
  /** Resident memory of the proxy with open, still streams, by their number, bytes. */
  readonly stillBytes: Readonly<Record<number, number>>;
  /** Why something is missing. */
  readonly missing: readonly string[];
}

/** What the gateway is measured with. */
export interface GatewayOptions {
  readonly rounds: number;
  /** An empty directory that everybody may pass. */
  readonly directory: string;
  /** An agent that the daemon runs. */
  readonly holder: string;
  readonly progress: (line: string) => void;
}

interface Sample {
  readonly load: GatewayLoadName;
  readonly result: LoadResult;
}

/** Measures the gateway beside the API itself: memory first, then all loads on all ways in turn, round by round. */
export async function measureGateway(options: GatewayOptions): Promise<readonly GatewayResult[]> {
  const { child, place } = await startApi(options.directory);
  const routes = await openGatewayRoutes(place, options.holder);
  const stillBytes: Record<number, number> = {};
  const samples = new Map<string, Sample[]>(routes.map(({ name }) => [name, []]));
  const failures = new Map<string, string[]>(routes.map(({ name }) => [name, []]));
  try {
    for (const route of routes.filter(({ name }) => name === GATEWAY_ROUTES.socket)) {
      for (const count of STILL_LEVELS) stillBytes[count] = await measureStill(route, place, count);
    }
    for (let round = 0; round <= options.rounds; round += 1) {
      for (const load of Object.keys(LOADS) as GatewayLoadName[]) {
        for (const route of routes) {
          try {
            const result = await measureOnce(route, place, LOADS[load]);
            // The round before the first warms up.
            if (round > 0) samples.get(route.name)?.push({ load, result });
          } catch (error) {
            failures.get(route.name)?.push(`${load}: ${error instanceof Error ? error.message : String(error)}`);
          }
        }
      }
      options.progress(`gateway: ${round} of ${options.rounds} rounds`);
    }
    return routes.map((route) => ({
      ...summarizeRoute(route, samples.get(route.name) ?? []),
      stillBytes: route.name === GATEWAY_ROUTES.socket ? stillBytes : {},
      missing: [...new Set(failures.get(route.name) ?? [])],
    }));
  } finally {
    for (const route of routes) await route.close();
    child.stdin?.end();
  }
}

function summarizeRoute(
  { name, description }: Route,
  samples: readonly Sample[],
): Omit<GatewayResult, 'missing' | 'stillBytes'> {
  const of = (load: GatewayLoadName, value: (result: LoadResult) => number | undefined): Summary | undefined =>
    summarize(
      samples
        .flatMap((sample) => (sample.load === load ? [value(sample.result)] : []))
        .filter((one) => one !== undefined),
    );
  const [value, p99] = [(result: LoadResult) => result.value, (result: LoadResult) => result.p99];
  return {
    name,
    description,
    loads: {
      latency: of('latency', value),
      events: of('events', value),
      requests: of('requests', value),
      answer: of('answer', value),
    },
    p99: { latency: of('latency', p99), events: of('events', p99) },
  };
}

async function measureOnce(route: Route, place: ApiPlace, load: GatewayLoad): Promise<LoadResult> {
  return JSON.parse(await readProgram(route.wrap(loadCommand(route, place, load)))) as LoadResult;
}

function loadCommand(route: Route, place: ApiPlace, load: GatewayLoad): readonly string[] {
  const order: GatewayOrder = { via: route.vias[0] ?? null, ...place, load };
  return [process.execPath, join(import.meta.dirname, 'gateway-load.js'), JSON.stringify(order)];
}

async function measureStill(route: Route, place: ApiPlace, count: number): Promise<number> {
  const [file = '', ...args] = route.wrap(loadCommand(route, place, { part: 'still', count }));
  const child = spawn(file, args, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'inherit'] });
  const isOpen = await Promise.race([
    once(child.stdout, 'data').then(() => true),
    once(child, 'exit').then(() => false),
  ]);
  const bytes = isOpen ? (await route.pids()).map(residentBytes).reduce((sum, one) => sum + one, 0) : Number.NaN;
  child.stdin.end();
  if (child.exitCode === null) await once(child, 'exit');
  return bytes;
}

/** Starts the API with a certificate of its own. */
async function startApi(directory: string): Promise<{ readonly child: ChildProcess; readonly place: ApiPlace }> {
  const [key, certificate] = [join(directory, 'api.key'), join(directory, 'api.pem')];
  await readProgram([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${API_HOST}`, '-addext', `subjectAltName=DNS:${API_HOST}`, '-keyout', key, '-out', certificate],
  ]);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'gateway-origin.js'), key, certificate], {
    env: ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, place: { port: Number(line.toString()), certificate } };
}
