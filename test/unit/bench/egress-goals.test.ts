import assert from 'node:assert/strict';
import test from 'node:test';
import type { RouteResult } from '../../bench/egress.ts';
import { addedLatency, judgeEgress } from '../../bench/egress-goals.ts';
import { ROUTES } from '../../bench/egress-route.ts';

function route(name: string, rate: number | undefined, latencyMs: number): RouteResult {
  const summary = (value: number) => ({ count: 1, min: value, median: value, p95: value });
  const rates = rate === undefined ? undefined : summary(rate);
  return {
    name,
    description: '',
    loads: { tunnel: rates, tunnels: rates, requests: rates, latency: summary(latencyMs) },
    latencyP99: summary(2 * latencyMs),
    cpu: { tunnel: undefined, tunnels: undefined, requests: undefined, latency: undefined },
    idleBytes: {},
    missing: [],
  };
}

test('the proxy is judged by its rates and by what it adds to a request, each beside others of the same run', () => {
  const results = [
    route(ROUTES.direct, 1000, 1),
    route(ROUTES.socket, 100, 2),
    route(ROUTES.relay, 80, 3),
    route(ROUTES.tinyproxy, 90, 2.5),
    route(ROUTES.squid, undefined, 9),
  ];
  assert.deepEqual(
    judgeEgress(results).map(({ name, value, verdict }) => [name, value?.toFixed(2), verdict]),
    [
      ['bytes per second of a tunnel: egressd / tinyproxy', '1.11', 'met'],
      ['bytes per second of a tunnel: egressd / squid', undefined, 'not measured'],
      ['bytes per second of eight tunnels: egressd / tinyproxy', '1.11', 'met'],
      ['bytes per second of eight tunnels: egressd / squid', undefined, 'not measured'],
      ['requests per second: egressd / tinyproxy', '1.11', 'met'],
      ['requests per second: egressd / squid', undefined, 'not measured'],
      ['added latency: egressd / tinyproxy', '0.67', 'met'],
      ['bytes per second of a tunnel: egressd, relay / tinyproxy', '0.89', 'not met'],
      ['bytes per second of a tunnel: egressd, relay / squid', undefined, 'not measured'],
      ['bytes per second of eight tunnels: egressd, relay / tinyproxy', '0.89', 'not met'],
      ['bytes per second of eight tunnels: egressd, relay / squid', undefined, 'not measured'],
      ['requests per second: egressd, relay / tinyproxy', '0.89', 'not met'],
      ['requests per second: egressd, relay / squid', undefined, 'not measured'],
      ['added latency: egressd, relay / tinyproxy', '1.33', 'not met'],
    ],
  );
  assert.deepEqual(addedLatency(results, ROUTES.relay), { median: 2, p99: 4 });
  assert.deepEqual(judgeEgress([]), []);
});
