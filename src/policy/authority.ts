import { parseAddress } from './address.ts';
import { parseHostName } from './host-name.ts';
import { type Destination, destinationText } from './intent.ts';

/** Where a request says it goes: a host and a port, or null where none is written. */
export interface Authority {
  readonly destination: Destination;
  readonly port: number | null;
}

const PORT_MAX = 65_535;

/** Parses `host`, `host:port`, `[IPv6]` or `[IPv6]:port`; null for anything else, such as a port of 0 or user information. */
export function parseAuthority(text: string): Authority | null {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]*)\]|([^:[\]@]*))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const destination = bracketed === undefined ? parseDestination(plain) : parseSix(bracketed);
  if (destination === null) return null;
  if (digits === undefined) return { destination, port: null };
  const port = Number(digits);
  return port === 0 || port > PORT_MAX || digits.startsWith('0') ? null : { destination, port };
}

/** A host name or an IPv4 address in whatever form; null for anything else. */
function parseDestination(text: string): Destination | null {
  const reading = parseHostName(text);
  if (reading.ok) return { kind: 'name', name: reading.name };
  const address = parseAddress(text);
  return address === null ? null : { kind: 'address', address };
}

function parseSix(text: string): Destination | null {
  const address = parseAddress(text);
  return address?.family === 6 ? { kind: 'address', address } : null;
}

/** `host:port`, the port left out when it is the default one, an IPv6 address in brackets. */
export function authorityText(
  { destination, port }: { readonly destination: Destination; readonly port: number },
  defaultPort: number | null = null,
): string {
  const text = destinationText(destination);
  const host = text.includes(':') ? `[${text}]` : text;
  return port === defaultPort ? host : `${host}:${port}`;
}

/** Whether both name the same place. */
export function sameDestination(one: Destination, other: Destination): boolean {
  return one.kind === other.kind && destinationText(one) === destinationText(other);
}
