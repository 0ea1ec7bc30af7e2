import assert from 'node:assert/strict';
import test from 'node:test';
import type { GatewayResult } from '../../bench/gateway.ts';
import { gatewayAdds, judgeGateway } from '../../bench/gateway-goals.ts';
import { GATEWAY_ROUTES } from '../../bench/gateway-own.ts';

function route(name: string, latencyMs: number, eventMs: number | undefined): GatewayResult {
  const summary = (value: number) => ({ count: 1, min: value, median: value, p95: value });
  const events = eventMs === undefined ? undefined : summary(eventMs);
  return {
    name,
    description: '',
    loads: { latency: summary(latencyMs), events, requests: undefined, answer: undefined },
    p99: { latency: undefined, events: undefined },
    stillBytes: {},
    missing: [],
  };
}

test('the gateway is judged with its relay, by what it adds and by when the first event is there', () => {
  const judged = (relayMs: number, eventMs: number | undefined): readonly unknown[] =>
    judgeGateway([
      route(GATEWAY_ROUTES.direct, 1, 0.5),
      route(GATEWAY_ROUTES.socket, 9, 9),
      route(GATEWAY_ROUTES.relay, relayMs, eventMs),
    ]).map(({ value, verdict }) => [value, verdict]);
  assert.deepEqual(judged(2.5, 5), [
    [1.5, 'met'],
    [5, 'met'],
  ]);
  assert.deepEqual(judged(2.75, 5.25), [
    [1.75, 'not met'],
    [5.25, 'not met'],
  ]);
  assert.deepEqual(judged(2, undefined), [
    [1, 'met'],
    [undefined, 'not measured'],
  ]);
  assert.equal(gatewayAdds([route(GATEWAY_ROUTES.relay, 2, 1)], GATEWAY_ROUTES.relay), Number.NaN);
  assert.deepEqual(judgeGateway([]), []);
});
