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
    p95: at(sorted, nearestRank(sorted.length, 0.95)),
  };
}

function median(sorted: readonly number[]): number {
  const upper = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? at(sorted, upper) : (at(sorted, upper - 1) + at(sorted, upper)) / 2;
}

/** The smallest sample that at least this share of all do not exceed; not a number for no samples. */
export function quantile(samples: readonly number[], share: number): number {
  return at(
    samples.toSorted((a, b) => a - b),
    nearestRank(samples.length, share),
  );
}

/** Index of the smallest sample that at least this share of all do not exceed. */
function nearestRank(count: number, share: number): number {
  return Math.ceil(share * count) - 1;
}

function at(sorted: readonly number[], index: number): number {
  return sorted[index] ?? Number.NaN;
}
