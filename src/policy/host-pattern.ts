import { quote } from '../base/quote.ts';
import { type Address, parseAddress, unmapped } from './address.ts';
import { type Cidr, cidrContains, parseCidr } from './cidr.ts';
import { HOST_NAME_FAULTS, parseHostName } from './host-name.ts';

/** What the host of a rule stands for. */
export type HostPattern =
  /** One name. */
  | { readonly kind: 'name'; readonly name: string }
  /** Every name below one, not the name itself. */
  | { readonly kind: 'below'; readonly name: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'address'; readonly address: Address }
  | { readonly kind: 'range'; readonly cidr: Cidr };

/** A pattern, or why there is none: a sentence that names the text, and what to write instead where that is known. */
export type PatternReading =
  | { readonly ok: true; readonly pattern: HostPattern }
  | { readonly ok: false; readonly message: string; readonly suggestion: string | null };

const MAPPED: string = '::ffff:0:0/96';

/**
 * Reads the host of a rule, without port: `name`, `*.name`, `*`, an address or a CIDR range. What could be read in two
 * ways is refused with the way that was likely meant, so that a rule never allows something else than it says.
 */
export function parsePattern(text: string): PatternReading {
  if (text === '*') return { ok: true, pattern: { kind: 'any' } };
  if (text === '') return refuse(text, 'it is empty', null);
  if (text.includes('*') || text.startsWith('.')) return parseBelow(text);
  if (text.includes('/')) return parseRange(text);
  if (text.includes('%')) return refuse(text, 'an address with a zone means something else on every machine', null);
  const address = parseAddress(text);
  return address === null ? parseName(text) : takeAddress(text, address);
}

/** The text of a pattern in canonical form; {@link parsePattern} gives the same pattern back. */
export function patternText(pattern: HostPattern): string {
  if (pattern.kind === 'any') return '*';
  if (pattern.kind === 'address') return pattern.address.text;
  if (pattern.kind === 'range') return pattern.cidr.text;
  return pattern.kind === 'below' ? `*.${pattern.name}` : pattern.name;
}

function parseName(text: string): PatternReading {
  const reading = parseHostName(text);
  if (reading.ok) return { ok: true, pattern: { kind: 'name', name: reading.name } };
  const isForeign = reading.fault === 'not-ascii';
  const suggestion = isForeign ? 'Write the name as it stands in the DNS, with labels that begin with "xn--".' : null;
  return refuse(text, HOST_NAME_FAULTS[reading.fault], suggestion);
}

function parseBelow(text: string): PatternReading {
  const bare = text.replace(/^[*.]+/, '');
  const reading = parseHostName(bare);
  const isDeep = reading.ok && reading.name.includes('.');
  if (!text.startsWith('*.') || bare.length !== text.length - 2) {
    const meant =
      isDeep && /^[*.]/.test(text) ? `Write ${quote(`*.${bare}`)}, and ${quote(bare)} for the name itself.` : null;
    return refuse(text, 'a star stands only for all labels at the beginning, as in "*.example.com"', meant);
  }
  if (!reading.ok) return refuse(text, HOST_NAME_FAULTS[reading.fault], null);
  if (isDeep) return { ok: true, pattern: { kind: 'below', name: reading.name } };
  return refuse(
    text,
    'it stands for everything below a top-level name',
    'Name at least two labels, as in "*.example.com".',
  );
}

function parseRange(text: string): PatternReading {
  const reading = parseCidr(text);
  if (!reading.ok) return refuse(text, reading.fault, reading.meant === null ? null : write(reading.meant));
  const { cidr } = reading;
  const mapped = parseCidr(MAPPED);
  if (mapped.ok && cidr.prefix >= mapped.cidr.prefix && cidrContains(mapped.cidr, cidr.address)) {
    const plain = `${unmapped(cidr.address).text}/${cidr.prefix - mapped.cidr.prefix}`;
    return refuse(text, 'it is a range of IPv4 addresses', write(plain));
  }
  if (cidr.prefix === 8 * cidr.address.bytes.length)
    return { ok: true, pattern: { kind: 'address', address: cidr.address } };
  return { ok: true, pattern: { kind: 'range', cidr } };
}

function takeAddress(text: string, address: Address): PatternReading {
  const plain = unmapped(address);
  const isPlain = plain.family === 4 ? plain.text === text : true;
  if (!isPlain) return refuse(text, 'it is an IPv4 address in an unusual form', write(plain.text));
  return { ok: true, pattern: { kind: 'address', address: plain } };
}

function write(text: string): string {
  return `Write ${quote(text)}.`;
}

function refuse(text: string, fault: string, suggestion: string | null): PatternReading {
  return { ok: false, message: `${quote(text)} is no host of a rule: ${fault}.`, suggestion };
}
