import { isNormalAbsolute } from '../base/paths.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { PublishAddresses } from '../plan/publish.ts';
import { DEFAULT_VETH_RANGE } from '../plan/veth.ts';
import type { UidRange } from '../plan/workspace.ts';
import { parseCidr } from '../policy/cidr.ts';

/** The daemon's own configuration, complete. */
export interface Config {
  /** Directory of declared cards. */
  readonly cardsDirectory: string;
  /** Uids handed out to agents. */
  readonly uidRange: UidRange;
  /** Addresses of the host that cards may publish ports on. */
  readonly publishAddresses: readonly PublishAddresses[];
  /** Agents may use the network of the host, where nothing is enforced. */
  readonly allowHostNetwork: boolean;
  /** Files with keys may be readable by others than root. */
  readonly allowReadableKeys: boolean;
  /** Range of IPv4 addresses for the links of agents in network mode `veth`, `ADDRESS/PREFIX`. */
  readonly vethRange: string;
  /** Upstream proxy of agents whose card names none, a URL as in a card, or null. */
  readonly proxy: string | null;
  /** A declared agent that runs follows its card at once: a changed one restarts it, a removed one stops it. */
  readonly restartChanged: boolean;
  /** Lowest level the daemon logs: a pino level name. */
  readonly logLevel: string;
}

/** Levels of pino, most detailed first. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

/** From ten million links to a hundred; each takes two addresses. */
const LINK_PREFIXES = { least: 8, most: 24 };

/** Kinds of address a port may be published on. An empty list leaves Unix sockets. */
const PUBLISH_ADDRESSES: readonly unknown[] = ['loopback', 'any'];

/** What holds without a configuration file. The range lies between systemd's container uids and 2^31 (systemd.io/UIDS-GIDS). */
const DEFAULTS: Config = {
  cardsDirectory: '/etc/agents',
  uidRange: { first: 1_900_000_000, count: 65_536 },
  publishAddresses: ['loopback'],
  allowHostNetwork: false,
  allowReadableKeys: false,
  vethRange: DEFAULT_VETH_RANGE,
  proxy: null,
  restartChanged: false,
  logLevel: 'info',
};

/** The configuration from the text of its file; null is an absent file, which is not an invalid one. */
export function parseConfig(text: string | null): Result<Config> {
  if (text === null) return ok(DEFAULTS);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    return refused([
      problem('', `The configuration is not JSON: ${error instanceof Error ? error.message : String(error)}`),
    ]);
  }
  if (typeof file !== 'object' || file === null || Array.isArray(file))
    return refused([problem('', 'The configuration is not a JSON object.')]);
  const values = file as Readonly<Record<string, unknown>>;
  const problems = Object.entries(values).flatMap(([key, value]) => keyProblems(key, value));
  if (problems.length > 0) return refused(problems);
  return ok({
    cardsDirectory: (values['cards_dir'] as string | undefined) ?? DEFAULTS.cardsDirectory,
    uidRange: {
      first: (values['uid_first'] as number | undefined) ?? DEFAULTS.uidRange.first,
      count: (values['uid_count'] as number | undefined) ?? DEFAULTS.uidRange.count,
    },
    publishAddresses:
      (values['publish_addresses'] as readonly PublishAddresses[] | undefined) ?? DEFAULTS.publishAddresses,
    allowHostNetwork: (values['allow_host_network'] as boolean | undefined) ?? DEFAULTS.allowHostNetwork,
    allowReadableKeys: (values['allow_readable_keys'] as boolean | undefined) ?? DEFAULTS.allowReadableKeys,
    vethRange: (values['veth_range'] as string | undefined) ?? DEFAULTS.vethRange,
    proxy: (values['proxy'] as string | undefined) ?? DEFAULTS.proxy,
    restartChanged: (values['restart_changed'] as boolean | undefined) ?? DEFAULTS.restartChanged,
    logLevel: (values['log_level'] as string | undefined) ?? DEFAULTS.logLevel,
  });
}

/** What one key takes. */
interface Key {
  readonly isGood: (value: unknown) => boolean;
  readonly wanted: string;
}

const KEYS: Readonly<Record<string, Key>> = {
  cards_dir: {
    isGood: (value) => typeof value === 'string' && isNormalAbsolute(value),
    wanted: 'an absolute, normal path',
  },
  uid_first: {
    isGood: (value) => isWhole(value, 65_536, 2 ** 31 - 65_536),
    wanted: 'a number from 65536 to 2147418112',
  },
  uid_count: { isGood: (value) => isWhole(value, 4096, 65_536), wanted: 'a number from 4096 to 65536' },
  publish_addresses: {
    isGood: (value) => Array.isArray(value) && value.every((word) => PUBLISH_ADDRESSES.includes(word)),
    wanted: `a list of ${PUBLISH_ADDRESSES.join(' and ')}`,
  },
  allow_host_network: { isGood: (value) => typeof value === 'boolean', wanted: 'true or false' },
  allow_readable_keys: { isGood: (value) => typeof value === 'boolean', wanted: 'true or false' },
  veth_range: {
    isGood: isLinkRange,
    wanted: `a range of IPv4 addresses with a prefix from ${LINK_PREFIXES.least} to ${LINK_PREFIXES.most}, such as "${DEFAULT_VETH_RANGE}"`,
  },
  $schema: { isGood: (value) => typeof value === 'string', wanted: 'a text' },
  proxy: { isGood: isProxy, wanted: 'a URL http://HOST:PORT or https://HOST:PORT without user name and password' },
  restart_changed: { isGood: (value) => typeof value === 'boolean', wanted: 'true or false' },
  log_level: { isGood: (value) => LOG_LEVELS.includes(value as string), wanted: `one of ${LOG_LEVELS.join(', ')}` },
};

function keyProblems(key: string, value: unknown): readonly Problem[] {
  const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
  if (known === undefined)
    return [problem(`/${key}`, `The configuration has no key "${key}"; it has ${Object.keys(KEYS).join(', ')}.`)];
  return known.isGood(value) ? [] : [problem(`/${key}`, `"${key}" is not ${known.wanted}.`)];
}

function isLinkRange(value: unknown): boolean {
  const read = typeof value === 'string' ? parseCidr(value) : null;
  if (read?.ok !== true || read.cidr.address.family !== 4) return false;
  return read.cidr.prefix >= LINK_PREFIXES.least && read.cidr.prefix <= LINK_PREFIXES.most;
}

function isProxy(value: unknown): boolean {
  return typeof value === 'string' && /^https?:\/\/[A-Za-z0-9._:[\]-]{1,280}\/?$/.test(value) && URL.canParse(value);
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function problem(pointer: string, message: string): Problem {
  return { code: 'config.invalid', pointer, message };
}
