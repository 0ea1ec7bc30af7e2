import type { RouteResult } from './egress.ts';
import { addedLatency } from './egress-goals.ts';
import { type Cell, numeric, renderTable } from './table.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Figures of every route, for people. */
export function renderEgress(results: readonly RouteResult[]): readonly string[] {
  const levels = [...new Set(results.flatMap(({ idleBytes }) => Object.keys(idleBytes).map(Number)))].sort(
    (a, b) => a - b,
  );
  const head = [
    ...['', 'tunnel MiB/s', 's CPU/GiB', '8 tunnels', 's CPU/GiB', 'requests/s', 'µs CPU each', 'µs added', 'p99'],
    ...levels.map((level) => `MiB, ${level}`),
    '',
  ];
  const rows = results.map((result): Cell[] => {
    const { name, loads, cpu, idleBytes, missing, description } = result;
    const latency = addedLatency(results, name);
    const failed = missing.length === 0 ? '' : `; ${missing.join('; ')}`;
    return [
      name,
      numeric(scaled(loads.tunnel?.median, 1 / MIB), 0),
      numeric(scaled(cpu.tunnel?.median, GIB), 2),
      numeric(scaled(loads.tunnels?.median, 1 / MIB), 0),
      numeric(scaled(cpu.tunnels?.median, GIB), 2),
      numeric(loads.requests?.median, 0),
      numeric(scaled(cpu.requests?.median, 1e6), 0),
      numeric(latency.median * 1000, 0),
      numeric(latency.p99 * 1000, 0),
      ...levels.map((level) => numeric(scaled(idleBytes[level], 1 / MIB), 1)),
      `${description}${failed}`,
    ];
  });
  return renderTable([head.map((text, column) => (column === 0 ? text : { number: text })), ...rows]);
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
