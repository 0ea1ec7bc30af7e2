import { CONFIG_BYTES_MAX } from '../base/limits.ts';
import { ok, type Result } from '../base/result.ts';
import { type DocumentKind, parseDocument } from '../card/document.ts';
import { keyTable } from '../card/keys.ts';
import type { PublishAddresses } from '../plan/publish.ts';
import type { UidRange } from '../plan/workspace.ts';
import type { ConfigFile } from './config.gen.ts';
import { CONFIG_DEFAULTS, CONFIG_KEYS } from './config-keys.gen.ts';
import { validateConfigFile } from './config-validator.gen.ts';
import { contradictions } from './consistency.ts';
import { FORMS } from './forms.ts';
import { suggestKey } from './key-suggestions.ts';

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

const CONFIG_KIND: DocumentKind = {
  words: {
    noun: 'configuration',
    example: '{}',
    depth: 2,
    commentRemedy: 'Remove it.',
    keys: keyTable(CONFIG_KEYS),
    forms: FORMS,
    suggestKey,
  },
  bytesMax: CONFIG_BYTES_MAX,
  largeRemedy: 'Compare it with schema/config.md, which has every key.',
  validate: validateConfigFile,
  contradictions,
  code: 'config.invalid',
};

/**
 * The configuration from the bytes of its file, or everything that is wrong with it, as `config.invalid` each. Null is an
 * absent file, which is not an invalid one: what holds then are the defaults of the schema.
 */
export function parseConfig(bytes: Uint8Array | null): Result<Config> {
  if (bytes === null) return ok(completed({}));
  const file = parseDocument<ConfigFile>(bytes, 'json', CONFIG_KIND);
  return file.ok ? ok(completed(file.value)) : file;
}

function completed(file: ConfigFile): Config {
  const values = { ...CONFIG_DEFAULTS, ...file };
  return {
    cardsDirectory: values.cards_dir,
    uidRange: { first: values.uid_first, count: values.uid_count },
    publishAddresses: values.publish_addresses,
    allowHostNetwork: values.allow_host_network,
    allowReadableKeys: values.allow_readable_keys,
    vethRange: values.veth_range,
    proxy: values.proxy ?? null,
    restartChanged: values.restart_changed,
    logLevel: values.log_level,
  };
}
