import { assert } from '../base/assert.ts';
import { type Address, addressOf, unmapped } from './address.ts';
import { type Cidr, cidrAround, cidrContains, parseCidr } from './cidr.ts';

/** What an address is for. Everything that is not `public` is reached only where a card writes it out. */
export type AddressClass =
  | 'public'
  | 'metadata'
  | 'loopback'
  | 'unspecified'
  | 'link-local'
  | 'private'
  | 'cgnat'
  | 'unique-local'
  | 'multicast'
  | 'broadcast'
  | 'reserved';

/** Classes that not even a range of a card opens, only the address itself: a range is written without thinking of them. */
const LITERAL_ONLY: readonly AddressClass[] = ['metadata', 'loopback', 'unspecified'];

/**
 * Addresses at which clouds hand out credentials and settings of the machine, for example of Amazon (.169.254,
 * .170.2, .170.23), Azure, Alibaba, Oracle, Tencent (.0.23), Scaleway (.42.42), Google and Akamai.
 */
const METADATA: readonly Cidr[] = ranges(
  '169.254.169.254/32 169.254.170.2/32 169.254.170.23/32 169.254.0.23/32 169.254.42.42/32 100.100.100.200/32',
  '168.63.129.16/32 192.0.0.192/32 fd00:ec2::/32 fd20:ce::254/128 fd00:c1::a9fe:a9fe/128 fd00:42::42/128',
  'fd00:a9fe:a9fe::1/128 fd00:100::100:200/128 fe80::a9fe:a9fe/128',
);

/**
 * Special-purpose ranges, the first that holds an address decides (IANA IPv4 and IPv6 Special-Purpose Address
 * Registries, RFC 6890). Assignments that the registries call globally reachable but where no host of the internet
 * lives count as reserved: 192.0.0.0/24, and 2001::/23 with TURN, AMT and ORCHID.
 */
const SPECIAL: readonly (readonly [AddressClass, readonly Cidr[]])[] = [
  ['metadata', METADATA],
  ['unspecified', ranges('0.0.0.0/32 ::/128')],
  ['loopback', ranges('127.0.0.0/8 ::1/128')],
  ['link-local', ranges('169.254.0.0/16 fe80::/10')],
  ['private', ranges('10.0.0.0/8 172.16.0.0/12 192.168.0.0/16')],
  ['cgnat', ranges('100.64.0.0/10')],
  ['unique-local', ranges('fc00::/7')],
  ['broadcast', ranges('255.255.255.255/32')],
  ['multicast', ranges('224.0.0.0/4 ff00::/8')],
  [
    'reserved',
    ranges(
      '0.0.0.0/8 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4',
      '2001::/23 2001:db8::/32 3fff::/20',
    ),
  ],
];

/** The only range that global unicast addresses have been given out from. */
const GLOBAL_UNICAST: readonly Cidr[] = ranges('2000::/3');

/** How an IPv6 address carries an IPv4 one. */
interface Carrier {
  readonly range: Cidr;
  /** Places of the four bytes; several where the range does not tell. */
  readonly layouts: readonly (readonly [number, number, number, number])[];
  /** Whether the bytes are inverted. */
  readonly isInverted?: boolean;
  /** Whether an address of the range may be public when the carried one is. */
  readonly mayBePublic: boolean;
}

/**
 * Ranges whose addresses carry an IPv4 address to which a gateway leads on: NAT64 (RFC 6052 §2.2, RFC 8215), 6to4
 * (RFC 3056), Teredo with the addresses of its server and, inverted, of its client (RFC 4380 §4), IPv4-translated
 * (RFC 2765 §2.1) and IPv4-compatible (RFC 4291 §2.5.5.1). Mapped addresses are IPv4 ones before this is asked.
 */
const CARRIERS: readonly Carrier[] = [
  { range: range('64:ff9b::/96'), layouts: [[12, 13, 14, 15]], mayBePublic: true },
  {
    range: range('64:ff9b:1::/48'),
    layouts: [
      [12, 13, 14, 15],
      [6, 7, 9, 10],
      [7, 9, 10, 11],
      [9, 10, 11, 12],
    ],
    mayBePublic: false,
  },
  { range: range('2002::/16'), layouts: [[2, 3, 4, 5]], mayBePublic: true },
  { range: range('2001::/32'), layouts: [[4, 5, 6, 7]], mayBePublic: true },
  { range: range('2001::/32'), layouts: [[12, 13, 14, 15]], isInverted: true, mayBePublic: true },
  { range: range('::ffff:0:0:0/96'), layouts: [[12, 13, 14, 15]], mayBePublic: false },
  { range: range('::/96'), layouts: [[12, 13, 14, 15]], mayBePublic: false },
];

/** What an address counts as that may carry several others, most dangerous first; the rest is reserved or public. */
const GRAVEST_FIRST: readonly AddressClass[] = [
  'metadata',
  'loopback',
  'link-local',
  'private',
  'cgnat',
  'broadcast',
  'multicast',
];

/** Whether only its own literal opens an address, however wide a range is. */
export function needsLiteral(kind: AddressClass): boolean {
  return LITERAL_ONLY.includes(kind);
}

/** What an address is for; one that carries an IPv4 address is at least as special as that. */
export function classifyAddress(address: Address): AddressClass {
  const plain = unmapped(address);
  const special = SPECIAL.find(([, list]) => list.some((entry) => cidrContains(entry, plain)))?.[0];
  if (plain.family === 4) return special ?? 'public';
  // :: and ::1 lie in the range of the compatible addresses, but are none.
  if (special !== undefined && special !== 'reserved') return special;
  const carriers = CARRIERS.filter((carrier) => cidrContains(carrier.range, plain));
  if (carriers.length > 0) return classOfCarrier(plain, carriers);
  return special ?? (GLOBAL_UNICAST.some((entry) => cidrContains(entry, plain)) ? 'public' : 'reserved');
}

/** The address and every IPv4 address that it may lead to. What is denied by one of them is denied. */
export function formsOf(address: Address): readonly Address[] {
  const plain = unmapped(address);
  const forms = plain === address ? [address] : [address, plain];
  if (plain.family === 4) return forms;
  return [
    ...forms,
    ...CARRIERS.filter(({ range }) => cidrContains(range, plain)).flatMap((one) => carried(plain, one)),
  ];
}

/**
 * Ranges of the addresses that are not public, for programs that know ranges only; `literalOnly` are those that no
 * range of a card opens. IPv6 beyond the assigned ranges is left out: nothing answers there.
 */
export function specialRanges(): { readonly literalOnly: readonly Cidr[]; readonly others: readonly Cidr[] } {
  const pick = (wanted: boolean): readonly Cidr[] =>
    SPECIAL.filter(([kind]) => needsLiteral(kind) === wanted).flatMap(([, list]) => list.flatMap(withCarried));
  return {
    literalOnly: pick(true),
    others: [...pick(false), ...ranges('64:ff9b:1::/48 100::/64 5f00::/16 fec0::/10')],
  };
}

/** A range of IPv4 with the ranges in which NAT64 and 6to4 carry it. */
function withCarried(cidr: Cidr): readonly Cidr[] {
  if (cidr.address.family === 6) return [cidr];
  const { bytes } = cidr.address;
  const nat64 = addressOf([0, 0x64, 0xff, 0x9b, ...new Array<number>(8).fill(0), ...bytes]);
  const sixToFour = addressOf([0x20, 0x02, ...bytes, ...new Array<number>(10).fill(0)]);
  return [cidr, cidrAround(nat64, 96 + cidr.prefix), cidrAround(sixToFour, 16 + cidr.prefix)];
}

function classOfCarrier(address: Address, carriers: readonly Carrier[]): AddressClass {
  const classes = carriers.flatMap((carrier) => carried(address, carrier)).map(classifyAddress);
  const gravest = GRAVEST_FIRST.find((one) => classes.includes(one));
  const isPublic = carriers.every(({ mayBePublic }) => mayBePublic) && classes.every((one) => one === 'public');
  return gravest ?? (isPublic ? 'public' : 'reserved');
}

function carried(address: Address, { layouts, isInverted }: Carrier): readonly Address[] {
  return layouts.map((places) => {
    const bytes = places.map((place) => address.bytes[place] ?? 0);
    return addressOf(isInverted === true ? bytes.map((byte) => 0xff ^ byte) : bytes);
  });
}

function ranges(...lists: readonly string[]): readonly Cidr[] {
  return lists.flatMap((list) => list.split(' ').map(range));
}

function range(text: string): Cidr {
  const reading = parseCidr(text);
  assert(reading.ok, `no range: ${text}`);
  return reading.cidr;
}
