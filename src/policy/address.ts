import { assert } from '../base/assert.ts';

/** An IP address in its one canonical form. */
export interface Address {
  readonly family: 4 | 6;
  /** 4 or 16 bytes, network order. */
  readonly bytes: readonly number[];
  /** Dotted decimal, or RFC 5952 without brackets and zone. */
  readonly text: string;
}

/** Longest text read as an address, characters; plain forms have 45 at most, the rest is leading zeros. */
const TEXT_MAX = 64;

/** The prefix of IPv4-mapped addresses, ::ffff:0:0/96 (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Reads an address as everything that resolves names does, also in forms that people rarely write: `127.1`,
 * `2130706433`, `0x7f.1`, `0177.0.0.1` and a final dot (inet_aton(3), WHATWG URL §3.5). IPv6 without brackets; a zone
 * is refused. Null for what is no address.
 */
export function parseAddress(text: string): Address | null {
  if (text.length > TEXT_MAX) return null;
  const bytes = text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
  return bytes === null ? null : addressOf(bytes);
}

/** The address of 4 or 16 bytes. */
export function addressOf(bytes: readonly number[]): Address {
  assert(bytes.length === 4 || bytes.length === 16, `an address of ${bytes.length} bytes`);
  return bytes.length === 4 ? { family: 4, bytes, text: bytes.join('.') } : { family: 6, bytes, text: ipv6Text(bytes) };
}

/** The IPv4 address for an IPv4-mapped one, which is the same destination to the kernel; others as they are. */
export function unmapped(address: Address): Address {
  const isMapped = address.family === 6 && MAPPED_PREFIX.every((byte, index) => address.bytes[index] === byte);
  return isMapped ? addressOf(address.bytes.slice(12)) : address;
}

function ipv4Bytes(text: string): readonly number[] | null {
  const parts = (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
  const values = parts.map(ipv4Number);
  const last = values.pop() ?? null;
  const leading = values.filter((value): value is number => value !== null && value <= 255);
  if (last === null || leading.length !== values.length || values.length > 3) return null;
  const width = 4 - leading.length;
  if (last >= 256 ** width) return null;
  return [
    ...leading,
    ...[0, 8, 16, 24]
      .slice(0, width)
      .map((shift) => Math.floor(last / 2 ** shift) % 256)
      .reverse(),
  ];
}

/** One part of an IPv4 address: decimal, octal after 0, hexadecimal after 0x; null for anything else. */
function ipv4Number(part: string): number | null {
  const [digits, base, form] = /^0x/i.test(part)
    ? [part.slice(2), 16, /^[0-9a-f]*$/i]
    : part.length > 1 && part.startsWith('0')
      ? [part.slice(1), 8, /^[0-7]*$/]
      : [part, 10, /^[0-9]+$/];
  if (!form.test(digits)) return null;
  return digits === '' ? 0 : Number.parseInt(digits, base);
}

function ipv6Bytes(text: string): readonly number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, index) => groupBytes(half, index === halves.length - 1));
  if (head === null || head === undefined || tail === null) return null;
  if (tail === undefined) return head.length === 16 ? head : null;
  const missing = 16 - head.length - tail.length;
  // "::" stands for at least one group.
  return missing < 2 ? null : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The bytes of groups between colons; the last group of an address may be an IPv4 address in plain form. */
function groupBytes(text: string, isLast: boolean): readonly number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes = groups.map((group, index) => {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }
    return isLast && index === groups.length - 1 ? plainIpv4Bytes(group) : null;
  });
  return bytes.includes(null) ? null : bytes.flatMap((pair) => pair ?? []);
}

function plainIpv4Bytes(text: string): readonly number[] | null {
  const bytes = ipv4Bytes(text);
  return bytes !== null && bytes.join('.') === text ? bytes : null;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
function ipv6Text(bytes: readonly number[]): string {
  if (MAPPED_PREFIX.every((byte, index) => bytes[index] === byte)) return `::ffff:${bytes.slice(12).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, index) => 256 * (bytes[2 * index] ?? 0) + (bytes[2 * index + 1] ?? 0));
  const runs = groups.map((_, start) => {
    const end = groups.findIndex((group, index) => index >= start && group !== 0);
    return (end === -1 ? groups.length : end) - start;
  });
  const longest = Math.max(...runs);
  const hex = (some: readonly number[]): string => some.map((group) => group.toString(16)).join(':');
  if (longest < 2) return hex(groups);
  const start = runs.indexOf(longest);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + longest))}`;
}
