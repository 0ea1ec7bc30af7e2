import { nearest, plainWord } from '../card/nearest.ts';
import { CONFIG_KEYS } from './config-keys.gen.ts';

/** Names that other programs, and the options of NixOS, use for our keys. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['agents_dir', 'cards_dir'],
  ['card_directory', 'cards_dir'],
  ['cards_directory', 'cards_dir'],
  ['http_proxy', 'proxy'],
  ['https_proxy', 'proxy'],
  ['upstream_proxy', 'proxy'],
  ['verbosity', 'log_level'],
  ['restart_on_change', 'restart_changed'],
]);

const NAMES: readonly string[] = CONFIG_KEYS.map(({ pointer }) => pointer.slice(1)).filter((name) =>
  /^[a-z_]+$/.test(name),
);

/** What to write for a key that the configuration does not know: the one that was likely meant, or those there are. */
export function suggestKey(_parent: string, key: string): string {
  const meant = SYNONYMS.get(plainWord(key.slice(0, 64))) ?? nearest(key, NAMES);
  return meant === null ? `The keys are ${NAMES.join(', ')}.` : `Write "${meant}".`;
}
