import { type IdleCost, idleCost, type Level } from './idle.ts';
import type { Result } from './round-robin.ts';

/** One performance goal and what came out. */
export interface Goal {
  readonly name: string;
  /** `at most` a bound, or `at least`. */
  readonly sense: 'at most' | 'at least';
  readonly bound: number;
  readonly unit: '×' | 'MiB' | 'ms';
  /** Undefined when something it is made of was not measured. */
  readonly value: number | undefined;
  readonly verdict: 'met' | 'not met' | 'not measured';
}

/** Names of contestants that goals speak of. */
export const NAMES = {
  node: 'N',
  byHand: 'F',
  foreground: 'agent-spawn',
  api: 'api',
  version: 'agent-spawn --version',
  srt: 'srt',
  podman: 'podman',
} as const;

const MIB = 1024 * 1024;

/** What the goals are judged by. */
export interface Measured {
  readonly results: readonly Result[];
  readonly levels: readonly Level[];
  /** Highest resident memory of the daemon seen, bytes. */
  readonly daemonBytes: number | undefined;
}

/** Every goal, with ratios of medians. */
export function judge({ results, levels, daemonBytes }: Measured): readonly Goal[] {
  const exit = (name: string): number => medianOf(results, name, 'exit');
  const cost: IdleCost | undefined = idleCost(levels);
  const nextStarts = levels.length < 2 ? [] : levels.map(({ starts }) => medianOf(starts, NAMES.api, 'firstByte'));
  return [
    atMost('first byte by the API / F', medianOf(results, NAMES.api, 'firstByte') / exit(NAMES.byHand), 1),
    atMost(
      'agent-spawn in the foreground / (F + N)',
      exit(NAMES.foreground) / (exit(NAMES.byHand) + exit(NAMES.node)),
      1,
    ),
    atLeast('srt / agent-spawn in the foreground', exit(NAMES.srt) / exit(NAMES.foreground), 6),
    atLeast('podman / agent-spawn in the foreground', exit(NAMES.podman) / exit(NAMES.foreground), 2),
    atMost(
      `start beside ${mostAndFewest(levels)}`,
      (nextStarts.at(-1) ?? Number.NaN) / (nextStarts[0] ?? Number.NaN),
      1.5,
    ),
    atMost('memory of the daemon (RSS)', (daemonBytes ?? Number.NaN) / MIB, 200, 'MiB'),
    atMost('memory the launcher adds per idle agent', (cost?.addedBytes ?? Number.NaN) / MIB, 1, 'MiB'),
    atMost('agent-spawn --version / N', exit(NAMES.version) / exit(NAMES.node), 1.4),
  ];
}

function mostAndFewest(levels: readonly Level[]): string {
  const [first] = levels;
  const last = levels.at(-1);
  if (first === undefined || last === undefined) return 'many idle agents / beside few';
  return `${last.agents} idle agents / beside ${first.agents}`;
}

function medianOf(results: readonly Result[], name: string, what: 'firstByte' | 'exit'): number {
  return results.find((result) => result.name === name)?.[what]?.median ?? Number.NaN;
}

/** A goal not to exceed. */
export function atMost(name: string, value: number, bound: number, unit: Goal['unit'] = '×'): Goal {
  return { ...goal(name, value, value <= bound), sense: 'at most', bound, unit };
}

/** A goal to reach. */
export function atLeast(name: string, value: number, bound: number): Goal {
  return { ...goal(name, value, value >= bound), sense: 'at least', bound, unit: '×' };
}

function goal(name: string, value: number, isMet: boolean): Pick<Goal, 'name' | 'value' | 'verdict'> {
  if (!Number.isFinite(value)) return { name, value: undefined, verdict: 'not measured' };
  return { name, value, verdict: isMet ? 'met' : 'not met' };
}
