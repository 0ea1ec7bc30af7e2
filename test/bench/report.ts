import type { RouteResult } from './egress.ts';
import { renderEgress } from './egress-report.ts';
import type { GatewayResult } from './gateway.ts';
import { renderGateway } from './gateway-report.ts';
import { type Goal, NAMES } from './goals.ts';
import { idleCost, type Level } from './idle.ts';
import type { Result } from './round-robin.ts';
import type { Surroundings } from './surroundings.ts';
import { type Cell, numeric, renderTable } from './table.ts';

/** Everything one run found out. Times are milliseconds, sizes bytes. */
export interface Report {
  readonly surroundings: Surroundings & { readonly loadAfter: number };
  readonly rounds: number;
  readonly results: readonly Result[];
  readonly levels: readonly Level[];
  readonly daemonBytes: number | undefined;
  /** Ways through proxies; none when they were not measured. */
  readonly egress: readonly RouteResult[];
  readonly egressRounds: number;
  /** Ways to a model's API; none when they were not measured. */
  readonly gateway: readonly GatewayResult[];
  readonly gatewayRounds: number;
  readonly goals: readonly Goal[];
}

const MIB = 1024 * 1024;

/** The report for people. */
export function renderReport(report: Report): string {
  const { surroundings: around, results, levels } = report;
  const sections = [
    [
      `${around.distribution}, kernel ${around.kernel}, ${around.systemd}, ${around.bubblewrap}, node ${around.node}`,
      `${around.cores} cores (${around.processor}), cgroups of ${around.cgroups}, load ${around.loadBefore.toFixed(2)} before and ${around.loadAfter.toFixed(2)} after`,
      ...(isBusy(around) ? ['Others were busy on this machine: CPU time is what to compare, medians are rough.'] : []),
    ],
    ...(report.rounds === 0
      ? []
      : [
          [
            `Milliseconds from start to exit, to the first byte of output, and of CPU time; ${report.rounds} rounds with all in turn`,
            ...renderResults(results),
          ],
        ]),
    ...(levels.length === 0
      ? []
      : [['Beside idle agents (sleep infinity)', ...renderLevels(levels), ...renderCost(levels)]]),
    ...(report.egress.length === 0
      ? []
      : [
          [
            `Egress: rates, CPU time of the proxy, latency added to a request, and resident memory with so many still tunnels; ${report.egressRounds} rounds with all in turn`,
            ...renderEgress(report.egress),
          ],
        ]),
    ...(report.gateway.length === 0
      ? []
      : [
          [
            `Gateway: a POST of 8 KiB on a kept connection, the first event of a stream after the API sent it, rates, and resident memory of the proxy with so many still streams; ${report.gatewayRounds} rounds with all in turn`,
            ...renderGateway(report.gateway),
          ],
        ]),
    ['Goals', ...renderGoals(report.goals)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Whether somebody else kept more than half of the machine busy when the run began. */
function isBusy({ loadBefore, cores }: Surroundings): boolean {
  return loadBefore > cores / 2;
}

function renderResults(results: readonly Result[]): readonly string[] {
  const median = (name: string): number => results.find((result) => result.name === name)?.exit?.median ?? Number.NaN;
  const head = ['', 'median', 'p95', '/ N', '/ F', 'first byte', 'p95', 'CPU', ''];
  const rows = results.flatMap((result): Cell[][] => {
    const { name, exit, firstByte, cpu } = result;
    if (exit === undefined) return [[name, `missing: ${result.missing ?? 'no sample'}`]];
    const times = [numeric(exit.median, 1), numeric(exit.p95, 1)];
    const ratios = [numeric(exit.median / median(NAMES.node), 2), numeric(exit.median / median(NAMES.byHand), 2)];
    const first = firstByte === undefined ? ['', ''] : [numeric(firstByte.median, 1), numeric(firstByte.p95, 1)];
    const remark = result.missing === undefined ? '' : `; after ${exit.count} rounds: ${result.missing}`;
    return [[name, ...times, ...ratios, ...first, numeric(cpu?.median, 1), `${result.description}${remark}`]];
  });
  return tableWithRemarks(head, rows);
}

/** A missing contestant has a sentence for figures, which must not widen the columns. */
function tableWithRemarks(head: readonly string[], rows: readonly (readonly Cell[])[]): readonly string[] {
  const cells = rows.map((row) =>
    row.length === 2 ? [row[0] ?? '', ...head.slice(2).map(() => ''), row[1] ?? ''] : row,
  );
  return renderTable([head.map((text, column) => (column === 0 ? text : { number: text })), ...cells]);
}

function renderLevels(levels: readonly Level[]): readonly string[] {
  const head = ['idle', 'API first byte', 'p95', 'exit', 'CPU', 'F', 'CPU', 'daemon MiB', 'PID 1 MiB', 'filled in s'];
  const rows = levels.map((level) => {
    const api = level.starts.find(({ name }) => name === NAMES.api);
    const byHand = level.starts.find(({ name }) => name === NAMES.byHand);
    return [
      numeric(level.agents, 0),
      numeric(api?.firstByte?.median, 1),
      numeric(api?.firstByte?.p95, 1),
      numeric(api?.exit?.median, 1),
      numeric(api?.cpu?.median, 1),
      numeric(byHand?.exit?.median, 1),
      numeric(byHand?.cpu?.median, 1),
      numeric(level.daemonBytes / MIB, 1),
      numeric(level.managerBytes / MIB, 1),
      numeric(level.filledInMs / 1000, 1),
    ];
  });
  return renderTable([head.map((text) => ({ number: text })), ...rows]);
}

function renderCost(levels: readonly Level[]): readonly string[] {
  const cost = idleCost(levels);
  if (cost === undefined) return [];
  const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(3);
  return [
    `One idle agent costs, in MiB: bubblewrap's two processes ${mebibytes(cost.sandboxBytes)} (PSS), daemon ${mebibytes(cost.daemonBytes)}, PID 1 ${mebibytes(cost.managerBytes)} (RSS),`,
    `together ${mebibytes(cost.addedBytes)}; its own program ${mebibytes(cost.agentBytes)}; the machine had ${mebibytes(cost.machineBytes)} less available, kernel included.`,
  ];
}

function renderGoals(goals: readonly Goal[]): readonly string[] {
  const rows = goals.map(({ name, sense, bound, unit, value, verdict }) => {
    const scale = unit === '×' ? '' : ` ${unit}`;
    return [name, numeric(value, 2), `${sense} ${bound}${scale}`, verdict];
  });
  return renderTable(rows);
}
