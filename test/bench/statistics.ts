/** A set of measured times or sizes in short. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
}

/** Undefined for no samples. */
export function summarize(samples: readonly number[]): Summary | undefined {
  if (samples.length === 0) return undefined;
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    min: at(sorted, 0),
    median: median(sorted),
    p95: at(sorted, nearestRank(sorted.length)),
  };
}

function median(sorted: readonly number[]): number {
  const upper = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? at(sorted, upper) : (at(sorted, upper - 1) + at(sorted, upper)) / 2;
}

/** Index of the 95th percentile: the smallest sample that at least 95 of 100 do not exceed. */
function nearestRank(count: number): number {
  return Math.ceil(0.95 * count) - 1;
}

function at(sorted: readonly number[], index: number): number {
  return sorted[index] ?? Number.NaN;
}
