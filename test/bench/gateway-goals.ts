import type { GatewayResult } from './gateway.ts';
import { GATEWAY_ROUTES } from './gateway-own.ts';
import { atMost, type Goal } from './goals.ts';

/** What a request through gateway and relay may take longer than one over TLS to the API itself, milliseconds. */
const ADDED_MS_MAX = 1.5;

/** How long the first event of a stream may be on its way from the API to the agent, milliseconds. */
const FIRST_EVENT_MS_MAX = 5;

/** The goals of the gateway; none when nothing was measured. */
export function judgeGateway(results: readonly GatewayResult[]): readonly Goal[] {
  if (results.length === 0) return [];
  const relay = results.find(({ name }) => name === GATEWAY_ROUTES.relay);
  const events = relay?.loads.events?.median ?? Number.NaN;
  return [
    atMost(
      'added to a request by the gateway and its relay',
      gatewayAdds(results, GATEWAY_ROUTES.relay),
      ADDED_MS_MAX,
      'ms',
    ),
    atMost('first event of a stream, from the API to the agent', events, FIRST_EVENT_MS_MAX, 'ms'),
  ];
}

/** What a way adds to the median request, milliseconds. */
export function gatewayAdds(results: readonly GatewayResult[], name: string): number {
  const of = (one: string): number =>
    results.find((result) => result.name === one)?.loads.latency?.median ?? Number.NaN;
  return of(name) - of(GATEWAY_ROUTES.direct);
}
