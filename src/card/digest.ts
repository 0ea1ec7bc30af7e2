import { sha256 } from '../base/digest.ts';
import type { ResolvedCard } from './resolve.ts';

/**
 * SHA-256 of a resolved card, hexadecimal: the same for cards that mean the same, however they are written.
 */
export function cardDigest(card: ResolvedCard): string {
  return Buffer.from(sha256(canonicalJson(card))).toString('hex');
}

/** JSON with the keys of every object in the order of their UTF-16 code units and no white space (RFC 8785). */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}
