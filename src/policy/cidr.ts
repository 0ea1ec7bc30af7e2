import { type Address, addressOf, parseAddress } from './address.ts';

/** A range of addresses, in canonical form: no bit beyond the prefix is set. */
export interface Cidr {
  readonly address: Address;
  /** Bits, 0 to 32 or 128. */
  readonly prefix: number;
  /** `ADDRESS/PREFIX`. */
  readonly text: string;
}

/** A range, or why there is none, as a clause and, where one is likely meant, the right text. */
export type CidrReading =
  | { readonly ok: true; readonly cidr: Cidr }
  | { readonly ok: false; readonly fault: string; readonly meant: string | null };

/** Reads `ADDRESS/PREFIX`; the address is a plain IPv4 or IPv6 one, with no bit set beyond the prefix. */
export function parseCidr(text: string): CidrReading {
  const [, given = '', digits = ''] = /^([0-9A-Fa-f:.]+)\/([0-9]{1,3})$/.exec(text) ?? [];
  const address = parseAddress(given);
  if (address === null) return { ok: false, fault: 'it is no range of addresses such as 10.0.0.0/8', meant: null };
  const prefix = Number(digits);
  if (address.family === 4 && address.text !== given)
    return { ok: false, fault: 'its address is not in plain form', meant: `${address.text}/${prefix}` };
  const bits = 8 * address.bytes.length;
  if (prefix > bits) return { ok: false, fault: `its prefix has more than ${bits} bits`, meant: null };
  const cidr = cidrAround(address, prefix);
  if (cidr.address.text !== address.text)
    return { ok: false, fault: `bits beyond its prefix of ${prefix} are set`, meant: cidr.text };
  return { ok: true, cidr };
}

/** The range of a prefix length that holds an address. */
export function cidrAround(address: Address, prefix: number): Cidr {
  const first = addressOf(address.bytes.map((byte, index) => byte & maskByte(prefix, index)));
  return { address: first, prefix, text: `${first.text}/${prefix}` };
}

/** Whether a range holds an address. IPv4-mapped addresses are IPv6 ones here. */
export function cidrContains(cidr: Cidr, address: Address): boolean {
  if (cidr.address.family !== address.family) return false;
  return cidr.address.bytes.every(
    (byte, index) => byte === ((address.bytes[index] ?? 0) & maskByte(cidr.prefix, index)),
  );
}

/** The bits of one byte that belong to a prefix. */
function maskByte(prefix: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefix - 8 * index));
  return 0xff & (0xff << (8 - bits));
}
