import { type Problem, type Result, ok, refused } from '../base/result.ts';
import { isNormalAbsolute } from '../base/paths.ts';
import type { UidRange } from '../plan/workspace.ts';

/** The daemon's own configuration, complete. */
export interface Config {
  /** Directory of declared cards. */
  readonly cardsDirectory: string;
  /** Uids handed out to agents. */
  readonly uidRange: UidRange;
  /** Lowest level the daemon logs: a pino level name. */
  readonly logLevel: string;
}

/** Levels of pino, most detailed first. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

/** What holds without a configuration file. The range lies between systemd's container uids and 2^31 (systemd.io/UIDS-GIDS). */
const DEFAULTS: Config = {
  cardsDirectory: '/etc/agents',
  uidRange: { first: 1_900_000_000, count: 65_536 },
  logLevel: 'info',
};

/** The configuration from the text of its file; null is an absent file, which is not an invalid one. */
export function parseConfig(text: string | null): Result<Config> {
  if (text === null) return ok(DEFAULTS);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    return refused([problem('', `The configuration is not JSON: ${error instanceof Error ? error.message : String(error)}`)]);
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file)) return refused([problem('', 'The configuration is not a JSON object.')]);
  const problems: Problem[] = [];
  const values = file as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(values)) {
    if (!['cards_dir', 'uid_first', 'uid_count', 'log_level'].includes(key)) problems.push(problem(`/${key}`, `The configuration has no key "${key}".`));
  }
  const config: Config = {
    cardsDirectory: take(values, 'cards_dir', DEFAULTS.cardsDirectory, (value) => typeof value === 'string' && isNormalAbsolute(value), 'an absolute, normal path', problems),
    uidRange: {
      first: take(values, 'uid_first', DEFAULTS.uidRange.first, (value) => isWhole(value, 65_536, 2 ** 31 - 1), 'a number from 65536 to 2147483647', problems),
      count: take(values, 'uid_count', DEFAULTS.uidRange.count, (value) => isWhole(value, 4096, 65_536), 'a number from 4096 to 65536', problems),
    },
    logLevel: take(values, 'log_level', DEFAULTS.logLevel, (value) => LOG_LEVELS.includes(value as string), `one of ${LOG_LEVELS.join(', ')}`, problems),
  };
  return problems.length === 0 ? ok(config) : refused(problems);
}

function take<T>(
  values: Readonly<Record<string, unknown>>,
  key: string,
  fallback: T,
  isGood: (value: unknown) => boolean,
  wanted: string,
  problems: Problem[],
): T {
  const value = values[key];
  if (value === undefined) return fallback;
  if (!isGood(value)) problems.push(problem(`/${key}`, `"${key}" is not ${wanted}.`));
  return value as T;
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function problem(pointer: string, message: string): Problem {
  return { code: 'config.invalid', pointer, message };
}
