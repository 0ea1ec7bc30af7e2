/** Bytes of one MiB. */
const MEBIBYTE = 1024 * 1024;

/** Bytes of a number of MiB. */
export function mebibytes(count: number): number {
  return count * MEBIBYTE;
}

/**
 * cgroup v2's cpu.weight (1 to 10000, ordinary 100) for a number of CPU shares (ordinary 1024), as systemd itself
 * converts `CPUShares=`.
 */
export function cpuWeight(shares: number): number {
  return Math.min(10_000, Math.max(1, Math.floor((shares * 100) / 1024)));
}

/** Factor to MiB of the units people write behind amounts of memory; `g` and `gb` are read as GiB, as they are meant. */
const MEMORY_UNITS: Readonly<Record<string, number>> = {
  b: 1 / MEBIBYTE,
  k: 1 / 1024,
  kb: 1 / 1024,
  ki: 1 / 1024,
  kib: 1 / 1024,
  m: 1,
  mb: 1,
  mi: 1,
  mib: 1,
  g: 1024,
  gb: 1024,
  gi: 1024,
  gib: 1024,
  t: 1024 * 1024,
  tb: 1024 * 1024,
  ti: 1024 * 1024,
  tib: 1024 * 1024,
};

/** Factor to seconds of the units people write behind durations. */
const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1 / 1000,
  s: 1,
  sec: 1,
  second: 1,
  seconds: 1,
  m: 60,
  min: 60,
  minute: 60,
  minutes: 60,
  h: 3600,
  hour: 3600,
  hours: 3600,
  d: 86_400,
  day: 86_400,
  days: 86_400,
  w: 604_800,
  week: 604_800,
  weeks: 604_800,
};

/** A number and the letters behind it, as `4g` or `1.5 hours`; short, so that matching costs nothing. */
const QUANTITY = /^ {0,3}([0-9]{1,15}(?:\.[0-9]{1,6})?) {0,3}([A-Za-z%]{0,8}) {0,3}$/;

/** What a quantity is measured in. */
export type QuantityKind = 'memory' | 'time' | 'percent' | 'count';

/**
 * The whole number that somebody meant by a text such as `4g`, `"30"` or `1.5h`: MiB of memory, seconds of time, or
 * just a number; null when it cannot be told. For suggestions only.
 */
export function guessQuantity(text: string, kind: QuantityKind): number | null {
  const match = QUANTITY.exec(text);
  if (match === null) return null;
  const unit = (match[2] ?? '').toLowerCase();
  const factor = unit === '' ? 1 : factorOf(unit, kind);
  if (factor === undefined) return null;
  const value = Number(match[1]) * factor;
  return value > 0 && value < 1 ? 1 : Math.round(value);
}

function factorOf(unit: string, kind: QuantityKind): number | undefined {
  if (kind === 'memory') return MEMORY_UNITS[unit];
  if (kind === 'time') return TIME_UNITS[unit];
  return kind === 'percent' && unit === '%' ? 1 : undefined;
}
