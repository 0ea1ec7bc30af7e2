import { quote } from '../base/quote.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { parseAddress } from './address.ts';
import { parsePattern, patternText } from './host-pattern.ts';

/** A host as a card lists it. */
export interface Entry {
  /** In canonical form, as an `EgressRule` has it: an IPv6 address without brackets. */
  readonly host: string;
  /** Null when the entry names none. */
  readonly port: number | null;
}

/** Ports of a rule that names none: HTTP and HTTPS. */
export const DEFAULT_PORTS: readonly number[] = [80, 443];

/** Largest TCP port. */
const PORT_MAX = 65_535;

/** The parts of an entry, or why it has none. */
type Parts =
  | { readonly ok: true; readonly host: string; readonly port: string | null }
  | { readonly ok: false; readonly fault: string; readonly meant: readonly string[] };

/**
 * Reads a host of a card's list, also the `host` of an entry that is an object: a pattern of `parsePattern`, with or
 * without a port after a colon. IPv6 in brackets when a port follows (`[2001:db8::1]:443`, `[2001:db8::/32]:443`),
 * otherwise with or without. Refusals have the code `card.host-pattern` and the pointer that is given.
 */
export function parseEntry(text: string, pointer: string): Result<Entry> {
  const problem = (message: string, suggestion: string | null): Result<Entry> =>
    refused([problemOf(pointer, message, suggestion)]);
  const parts = splitEntry(text);
  if (!parts.ok) {
    const meant = parts.meant.filter((one) => one !== text && splitEntry(one).ok && parseEntry(one, pointer).ok);
    const suggestion = meant.length === 0 ? null : `Write ${meant.map(quote).join(' or ')}.`;
    return problem(`${quote(text)} is no host of a rule: ${parts.fault}.`, suggestion);
  }
  const reading = parsePattern(parts.host);
  if (!reading.ok) return problem(reading.message, reading.suggestion);
  const port = parts.port === null ? null : Number(parts.port);
  return ok({ host: patternText(reading.pattern), port });
}

/** The entry as a card would hold it; {@link parseEntry} gives the same back. Default ports are left out. */
export function entryText(host: string, port: number | null): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === null ? shown : `${shown}:${port}`;
}

function problemOf(pointer: string, message: string, suggestion: string | null): Problem {
  const problem = { code: 'card.host-pattern' as const, pointer, message };
  return suggestion === null ? problem : { ...problem, suggestion };
}

function splitEntry(text: string): Parts {
  if (text.length > 0 && /\s/.test(text)) return { ok: false, fault: 'it holds white space', meant: [text.trim()] };
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text) || text.includes('@')) {
    const meant = withoutPath(text.replace(/^[A-Za-z0-9+.-]*:\/\//, '').replace(/^[^/?#]*@/, ''));
    return { ok: false, fault: 'a host is written without scheme, user and path', meant: [meant] };
  }
  if (text.startsWith('[')) return splitBracketed(text);
  const [, range, rangePort] = /^([0-9A-Fa-f:.]+\/[0-9]{1,3})(?::([^:]*))?$/.exec(text) ?? [];
  if (range !== undefined) return takePort(range, rangePort);
  if (/[/?#\\]/.test(text)) return { ok: false, fault: 'a host is written without path', meant: [withoutPath(text)] };
  const colons = text.split(':').length - 1;
  if (colons === 0) return { ok: true, host: text, port: null };
  if (colons > 1) return splitBare(text);
  const at = text.indexOf(':');
  return takePort(text.slice(0, at), text.slice(at + 1));
}

/** `[ADDRESS]`, `[ADDRESS/PREFIX]` and `[ADDRESS]/PREFIX`, each with or without a port. */
function splitBracketed(text: string): Parts {
  const [, address, prefix = '', port] = /^\[([^[\]]*)\](\/[0-9]{1,3})?(?::([^:]*))?$/.exec(text) ?? [];
  if (address === undefined) return { ok: false, fault: 'its brackets hold no address', meant: [] };
  if (!address.includes(':') || (prefix !== '' && address.includes('/'))) {
    const plain = /^[^/]*$/.test(address) ? [`${address}${prefix}${port === undefined ? '' : `:${port}`}`] : [];
    return { ok: false, fault: 'brackets are for IPv6 addresses', meant: plain };
  }
  return takePort(`${address}${prefix}`, port);
}

/** An IPv6 address without brackets, unless its last group may have been meant as a port. */
function splitBare(text: string): Parts {
  const [, before = '', digits] = /^(.*):([0-9]+)$/.exec(text) ?? [];
  const mayBePort = digits !== undefined && parseAddress(before) !== null;
  if (!mayBePort) return { ok: true, host: text, port: null };
  const meant = [`[${before}]:${digits}`, `[${text}]`];
  return { ok: false, fault: 'its last number may be a port or a part of the address', meant };
}

function takePort(host: string, port: string | undefined): Parts {
  if (port === undefined) return { ok: true, host, port: null };
  const isPort = /^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= PORT_MAX;
  const fault = `its port is none between 1 and ${PORT_MAX}`;
  return isPort ? { ok: true, host, port } : { ok: false, fault, meant: [entryText(host, null)] };
}

function withoutPath(text: string): string {
  return text.replace(/[/?#\\].*$/s, '');
}
