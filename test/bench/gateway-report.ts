import type { GatewayResult } from './gateway.ts';
import { gatewayAdds } from './gateway-goals.ts';
import { type Cell, numeric, renderTable } from './table.ts';

const MIB = 1024 * 1024;

/** Figures of every way to the API, for people. */
export function renderGateway(results: readonly GatewayResult[]): readonly string[] {
  const levels = [...new Set(results.flatMap(({ stillBytes }) => Object.keys(stillBytes).map(Number)))];
  const head = [
    ...['', 'ms', 'p99', 'ms added', 'first event ms', 'p99', 'requests/s', 'answer MiB/s'],
    ...levels.map((level) => `MiB, ${level}`),
    '',
  ];
  const rows = results.map((result): Cell[] => {
    const { name, description, loads, p99, stillBytes, missing } = result;
    const failed = missing.length === 0 ? '' : `; ${missing.join('; ')}`;
    return [
      name,
      numeric(loads.latency?.median, 2),
      numeric(p99.latency?.median, 2),
      numeric(gatewayAdds(results, name), 2),
      numeric(loads.events?.median, 2),
      numeric(p99.events?.median, 2),
      numeric(loads.requests?.median, 0),
      numeric(scaled(loads.answer?.median), 0),
      ...levels.map((level) => numeric(scaled(stillBytes[level]), 1)),
      `${description}${failed}`,
    ];
  });
  return renderTable([head.map((text, column) => (column === 0 ? text : { number: text })), ...rows]);
}

function scaled(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / MIB;
}
