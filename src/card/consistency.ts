import { PATH_BYTES_MAX } from '../base/limits.ts';
import { pathFault } from '../base/paths.ts';
import { valueAt } from '../base/pointer.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import { CARD_DEFAULTS } from './card-keys.gen.ts';
import { credentialProblems } from './credential-consistency.ts';
import { displayName } from './keys.ts';
import { networkProblems } from './network-consistency.ts';
import { publishedPort } from './resolve.ts';

/**
 * What is wrong with a card beyond what the schema can say: rules between keys, and lengths in bytes. Looks only at
 * values that have the type they should have, so that it can be asked about any card.
 */
export function contradictions(card: unknown): readonly Problem[] {
  return [
    ...pathProblems(card),
    ...urlProblems(card),
    ...memoryProblems(card),
    ...publishProblems(card),
    ...networkProblems(card),
    ...credentialProblems(card),
  ];
}

function pathProblems(card: unknown): readonly Problem[] {
  const binds = listAt(card, '/filesystem/read_only').map((_, index) => `/filesystem/read_only/${index}`);
  const keys = listAt(card, '/credentials').map((_, index) => `/credentials/${index}/api_key_file`);
  const files = ['/workspace', '/api_key_file', '/proxy_credentials_file'];
  return [...files, ...keys, ...binds].flatMap((pointer) => {
    const path = valueAt(card, pointer);
    if (typeof path !== 'string' || pathFault(path) !== 'too-long') return [];
    const message = `${displayName(pointer)} has more than ${PATH_BYTES_MAX} bytes, which no path can have.`;
    return [{ code: 'card.bad-path' as const, pointer, message }];
  });
}

/** A pattern cannot say which texts with digits and dots are hosts (URL Standard, "host parsing"). */
function urlProblems(card: unknown): readonly Problem[] {
  const bases = listAt(card, '/credentials').map((_, index) => `/credentials/${index}/base_url`);
  return ['/proxy', ...bases].flatMap((pointer) => {
    const url = valueAt(card, pointer);
    if (typeof url !== 'string' || URL.canParse(url)) return [];
    const message = `${displayName(pointer)} is ${quote(url)}, whose host is neither a name nor an address.`;
    return [{ code: 'card.bad-format' as const, pointer, message }];
  });
}

function memoryProblems(card: unknown): readonly Problem[] {
  const given = valueAt(card, '/resource_limits/memory_mb');
  const high = valueAt(card, '/resource_limits/memory_high_mb');
  const most = given ?? CARD_DEFAULTS.resource_limits.memory_mb;
  if (typeof high !== 'number' || typeof most !== 'number' || high <= most) return [];
  const which = given === undefined ? `the default of "memory_mb", ${most}` : `"memory_mb", ${most}`;
  return [
    {
      code: 'card.conflict',
      pointer: '/resource_limits/memory_high_mb',
      message: `"resource_limits.memory_high_mb" is ${high}, which is above ${which}: the agent would be ended before it is slowed down.`,
      suggestion: `Write ${most} or less, or raise "memory_mb".`,
    },
  ];
}

function publishProblems(card: unknown): readonly Problem[] {
  const entries = listAt(card, '/network/publish');
  const seen = new Map<string, number>();
  return entries.flatMap((entry, index) => {
    const port = valueAt(entry, '/port');
    const given = valueAt(entry, '/listen');
    if (typeof port !== 'number' || (given !== undefined && typeof given !== 'string')) return [];
    const { listen } = publishedPort(given === undefined ? { port } : { port, listen: given });
    const first = seen.get(listen);
    if (first === undefined) seen.set(listen, index);
    if (first === undefined) return [];
    return [
      {
        code: 'card.conflict' as const,
        pointer: `/network/publish/${index}/listen`,
        message: `"network.publish[${index}]" listens on ${quote(listen)}, and so does "network.publish[${first}]".`,
        suggestion: 'Give each published port an address or port of its own.',
      },
    ];
  });
}

function listAt(card: unknown, pointer: string): readonly unknown[] {
  const value = valueAt(card, pointer);
  return Array.isArray(value) ? value : [];
}
