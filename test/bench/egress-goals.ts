import type { LoadName, RouteResult } from './egress.ts';
import { ROUTES } from './egress-route.ts';
import { atLeast, atMost, type Goal } from './goals.ts';

/** What is compared with other proxies, and how goals name it. */
const RATES: readonly (readonly [LoadName, string])[] = [
  ['tunnel', 'bytes per second of a tunnel'],
  ['tunnels', 'bytes per second of eight tunnels'],
  ['requests', 'requests per second'],
];

/** The goals of the egress proxy, at an agent's socket and through its relay; none when nothing was measured. */
export function judgeEgress(results: readonly RouteResult[]): readonly Goal[] {
  if (results.length === 0) return [];
  const loads = (name: string): RouteResult['loads'] | undefined => results.find((one) => one.name === name)?.loads;
  const median = (name: string, load: LoadName): number => loads(name)?.[load]?.median ?? Number.NaN;
  return [ROUTES.socket, ROUTES.relay].flatMap((own) => [
    ...RATES.flatMap(([load, words]) =>
      [ROUTES.tinyproxy, ROUTES.squid].map((peer) =>
        atLeast(`${words}: ${own} / ${peer}`, median(own, load) / median(peer, load), 1),
      ),
    ),
    atMost(
      `added latency: ${own} / ${ROUTES.tinyproxy}`,
      addedLatency(results, own).median / addedLatency(results, ROUTES.tinyproxy).median,
      1.2,
    ),
  ]);
}

/** What a route adds to a request, milliseconds. */
export function addedLatency(
  results: readonly RouteResult[],
  name: string,
): { readonly median: number; readonly p99: number } {
  const of = (one: string): RouteResult | undefined => results.find((result) => result.name === one);
  const [route, direct] = [of(name), of(ROUTES.direct)];
  return {
    median: (route?.loads.latency?.median ?? Number.NaN) - (direct?.loads.latency?.median ?? Number.NaN),
    p99: (route?.latencyP99?.median ?? Number.NaN) - (direct?.latencyP99?.median ?? Number.NaN),
  };
}
