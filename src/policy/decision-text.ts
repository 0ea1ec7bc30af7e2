import { pointerSteps } from '../base/pointer.ts';
import { oneOf, quote } from '../base/quote.ts';
import type { Address } from './address.ts';
import type { AddressClass } from './address-class.ts';
import { destinationText, type EgressIntent } from './intent.ts';
import { DEFAULT_PORTS, entryText } from './pattern.ts';
import type { EgressRule } from './table.ts';

/** What people call the addresses of each class. */
export const CLASS_NAMES: Readonly<Record<AddressClass, string>> = {
  public: 'a public address',
  metadata: 'the address of a metadata service',
  loopback: 'an address of this machine itself',
  unspecified: 'an address of this machine itself',
  'link-local': 'a link-local address',
  private: 'a private address',
  cgnat: 'an address of a carrier network',
  'unique-local': 'a private address',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  reserved: 'a reserved address',
};

/** `host:port` of a request. */
export function endpointText(intent: EgressIntent): string {
  return entryText(destinationText(intent.destination), intent.port);
}

/** Where a rule stands, for a sentence: `allowed_hosts[0]`, with the author's reason when there is one. */
export function ruleText({ pointer, reason }: EgressRule): string {
  return reason === null ? placeText(pointer) : `${placeText(pointer)} (${quote(reason)})`;
}

/** `allowed_hosts[0]` for `/allowed_hosts/0`; a rule made at run time says so. */
export function placeText(pointer: string): string {
  const [first = '', ...rest] = pointerSteps(pointer);
  if (first === 'live') return `a rule given at run time`;
  return `${first}${rest.map((step) => (/^[0-9]+$/.test(step) ? `[${step}]` : `.${step}`)).join('')}`;
}

/** What to add so that a host is allowed on a port. */
export function addText(host: string, port: number): string {
  return `Add ${quote(entryText(host, DEFAULT_PORTS.includes(port) ? null : port))} to allowed_hosts.`;
}

/** What to take away so that a denied host is reached, or null when it does not stand in the card. */
export function removeText({ pointer, host }: EgressRule): string | null {
  const [list = ''] = pointerSteps(pointer);
  return list === 'live' ? null : `Take ${quote(host)} out of ${list} if the agent may go there.`;
}

/** `port 443`, `ports 80 or 443`. */
export function portsText(ports: readonly number[]): string {
  return `${ports.length === 1 ? 'port' : 'ports'} ${oneOf(ports.map(String))}`;
}

/** What to add so that an address is reached that is not public. */
export function writeOutText(address: Address, port: number, kind: AddressClass): string {
  const add = addText(address.text, port);
  return kind === 'metadata' ? `${add.slice(0, -1)} if the agent may have the credentials of this machine.` : add;
}
