const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** A size for people: `41 MiB`, `1.5 GiB`. */
export function bytesText(bytes: number): string {
  if (bytes >= GIB) return `${trimmed(bytes / GIB)} GiB`;
  if (bytes >= MIB) return `${Math.round(bytes / MIB)} MiB`;
  return `${Math.ceil(bytes / 1024)} KiB`;
}

/** A length of time for people: `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < MINUTE_S) return `${whole} s`;
  if (whole < HOUR_S) return pair(whole, [MINUTE_S, 'min'], [1, 's']);
  if (whole < DAY_S) return pair(whole, [HOUR_S, 'h'], [MINUTE_S, 'min']);
  return pair(whole, [DAY_S, 'd'], [HOUR_S, 'h']);
}

/** Seconds between two RFC 3339 times, or null when one is missing. */
export function secondsBetween(from: string | null, to: string | null): number | null {
  return from === null || to === null ? null : (Date.parse(to) - Date.parse(from)) / 1000;
}

type Unit = readonly [seconds: number, name: string];

function pair(seconds: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

function trimmed(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}
