import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant, Sample } from './contestant.ts';
import { openCpuClock } from './cpu.ts';
import { type Summary, summarize } from './statistics.ts';

/** What came out for one contestant. */
export interface Result {
  readonly name: string;
  readonly description: string;
  readonly firstByte: Summary | undefined;
  readonly exit: Summary | undefined;
  readonly cpu: Summary | undefined;
  /** Why it did not take part, or stopped taking part; undefined when all went well. */
  readonly missing: string | undefined;
  readonly samples: readonly Sample[];
}

/**
 * Time between two starts, milliseconds. PID 1 tidies up after a unit when its caller has long been told of its end;
 * without a pause that would delay whoever comes next and its CPU time would be counted there.
 */
const PAUSE_MS = 25;

/**
 * Starts every contestant once per round, in an order that changes from round to round, so that drift of the machine
 * and the neighbour's traces fall on all alike. A round before the first warms caches and is not counted. Who fails is
 * out and says why; nobody else suffers.
 */
export async function compete(
  contestants: readonly Contestant[],
  rounds: number,
  progress: (round: number) => void = () => undefined,
): Promise<readonly Result[]> {
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  const missing = new Map<string, string>();
  const random = seeded();
  const cpuClock = openCpuClock();
  for (let round = 0; round <= rounds; round += 1) {
    for (const contestant of shuffled(contestants, random)) {
      if (missing.has(contestant.name)) continue;
      try {
        const sample = await timeOnce(contestant, cpuClock);
        if (round > 0) samples.get(contestant.name)?.push(sample);
      } catch (error) {
        missing.set(contestant.name, error instanceof Error ? error.message : String(error));
      }
    }
    progress(round);
  }
  return contestants.map((contestant) =>
    summarizeResult(contestant, samples.get(contestant.name) ?? [], missing.get(contestant.name)),
  );
}

async function timeOnce(contestant: Contestant, cpuClock: (() => number) | undefined): Promise<Sample> {
  await contestant.scene?.enter();
  try {
    const before = cpuClock?.() ?? Number.NaN;
    const times = await contestant.start();
    await sleep(PAUSE_MS);
    return { ...times, cpuMs: cpuClock === undefined ? undefined : cpuClock() - before };
  } finally {
    await contestant.scene?.leave();
  }
}

function summarizeResult(contestant: Contestant, samples: readonly Sample[], missing: string | undefined): Result {
  const { name, description } = contestant;
  const summary = (of: (sample: Sample) => number | undefined): Summary | undefined =>
    summarize(samples.map(of).filter((value) => value !== undefined));
  return {
    name,
    description,
    firstByte: summary(({ firstByteMs }) => firstByteMs),
    exit: summary(({ exitMs }) => exitMs),
    cpu: summary(({ cpuMs }) => cpuMs),
    missing,
    samples,
  };
}

/** The same order in every run: two runs differ by what is measured only. Park and Miller's generator. */
function seeded(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A new order of the same items. */
function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  const order = items.map((item) => ({ item, key: random() }));
  return order.toSorted((a, b) => a.key - b.key).map(({ item }) => item);
}
