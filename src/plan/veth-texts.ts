import { linkedNetworkName } from '../base/ids.ts';
import type { Address } from '../policy/address.ts';

/** One thing the agent may reach without the proxy. */
export interface Opening {
  readonly address: Address;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** Two ends of one wire: `outside` belongs to the host's network, `inside` to the agent's. */
export interface Link {
  readonly id: string;
  /** Number of the link on this host. */
  readonly index: number;
  /** Its name on the host, 15 bytes at most (IFNAMSIZ, netdevice(7)). Inside it is always `eth0`. */
  readonly name: string;
  readonly openings: readonly Opening[];
  /** Ranges that the addresses of links are from. */
  readonly ranges: readonly string[];
  /** Never an address of the host: packets are only sent its way. */
  readonly outside4: Address;
  readonly inside4: Address;
  /** Null where the agent has nothing to reach over IPv6: there is no such packet on the link then. */
  readonly six: { readonly outside: Address; readonly inside: Address } | null;
}

/** Name of every link of an agent on the host starts so. */
const LINK_PREFIX = 'agv';

/** What units/network-guard asks of the host before it makes the link. */
export function linkNeeds({ name, ranges, openings }: Link): string {
  const reached = new Set(openings.map(({ address }) => address.text));
  return lines([
    `link ${name}`,
    ...ranges.map((range) => `range ${range}`),
    ...[...reached].map((to) => `reach ${to}`),
  ]);
}

/**
 * Commands of ip(8) for the host's network. Neighbours are told, not asked: there is no ARP on the link, nor neighbour
 * discovery, and no address of the kernel's own making.
 */
export function outsideCommands(link: Link): string {
  const { name, inside4, six } = link;
  const [near, far] = hardware(link);
  const agents = six === null ? [inside4] : [inside4, six.inside];
  return lines([
    `link add name ${name} address ${near} type veth peer name eth0 address ${far} netns ${linkedNetworkName(link.id)}`,
    `link set dev ${name} addrgenmode none`,
    `link set dev ${name} arp off`,
    `link set dev ${name} up`,
    ...agents.map(({ text }) => `neighbour add ${text} lladdr ${far} nud permanent dev ${name}`),
    ...agents.map((agent) => `route add ${only(agent)} dev ${name}`),
  ]);
}

/** Commands of ip(8) for the agent's network. What the card does not name has not even a route. */
export function insideCommands(link: Link): string {
  const { inside4, outside4, six, openings } = link;
  const [near] = hardware(link);
  const reached = new Map(openings.map(({ address }) => [address.text, address]));
  const ends = [{ inside: inside4, outside: outside4 }, ...(six === null ? [] : [six])];
  const way = (to: Address): string | undefined => (to.family === 4 ? outside4 : six?.outside)?.text;
  return lines([
    'link set dev lo up',
    'link set dev eth0 addrgenmode none',
    'link set dev eth0 arp off',
    ...ends.map(({ inside }) => `address add ${only(inside)} dev eth0${inside.family === 6 ? ' nodad' : ''}`),
    'link set dev eth0 up',
    ...ends.map(({ outside }) => `neighbour add ${outside.text} lladdr ${near} nud permanent dev eth0`),
    ...[...reached.values()].map((to) => `route add ${only(to)} via ${way(to)} dev eth0 onlink`),
  ]);
}

/**
 * The wall: a table of nftables in the host's network that replaces an earlier one in the same moment. Nothing is
 * accepted for having been accepted before: a connection that was made while the table was gone ends with its return.
 * Answers are let in by the address that was asked, and by the state that the kernel keeps.
 */
export function linkWall(link: Link): string {
  const { id, name, openings, inside4, six } = link;
  const table = `inet ${tableName(id)}`;
  const agents = six === null ? [inside4] : [inside4, six.inside];
  const [, far] = hardware(link);
  const there = openings.map(
    (one) => `${ip(one.address)} daddr ${one.address.text} ${one.protocol} dport ${one.port} accept`,
  );
  const back = openings.map(
    (one) =>
      `${ip(one.address)} saddr ${one.address.text} ${one.protocol} sport ${one.port} ct state established accept`,
  );
  const failures = [...new Set(openings.map(({ address }) => address.family))].map((family) =>
    family === 4
      ? 'icmp type { destination-unreachable, time-exceeded } ct state related accept'
      : 'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } ct state related accept',
  );
  const base = (hook: string, priority: string, type = 'filter'): string =>
    `type ${type} hook ${hook} priority ${priority}; policy accept;`;
  const chains: readonly (readonly [string, readonly string[]])[] = [
    ['there', [...there, 'drop']],
    ['back', [...back, ...failures, 'drop']],
    [
      'spoofed',
      [
        base('prerouting', '-310'),
        `iifname != "${name}" accept`,
        ...agents.map((agent) => `ether saddr ${far} ${ip(agent)} saddr ${agent.text} accept`),
        'drop',
      ],
    ],
    ['to_host', [base('input', '-10'), `iifname "${name}" goto there`]],
    ['from_host', [base('output', '-10'), `oifname "${name}" goto back`]],
    [
      'through_host',
      [
        base('forward', '-10'),
        `iifname "${name}" oifname "${LINK_PREFIX}*" drop`,
        `iifname "${name}" goto there`,
        `oifname "${name}" goto back`,
      ],
    ],
    [
      'leaving',
      [base('postrouting', '100', 'nat'), ...agents.map((agent) => `${ip(agent)} saddr ${agent.text} masquerade`)],
    ],
  ];
  const body = chains.flatMap(([chain, rules]) => [`  chain ${chain} {`, ...rules.map((rule) => `    ${rule}`), '  }']);
  return lines([`table ${table}`, `delete table ${table}`, `table ${table} {`, ...body, '}']);
}

/** A name of nftables knows no hyphen, and an id no underscore. */
export function tableName(id: string): string {
  return `agent_${id.replaceAll('-', '_')}`;
}

/** Hardware addresses of both ends, administered by us (the bit 02 of IEEE 802) and distinct for every link. */
function hardware({ index }: Link): readonly [string, string] {
  const bytes = [16, 8, 0].map((shift) => ((index >> shift) & 0xff).toString(16).padStart(2, '0'));
  return [`02:61:${bytes.join(':')}:00`, `02:61:${bytes.join(':')}:01`];
}

function ip({ family }: Address): string {
  return family === 4 ? 'ip' : 'ip6';
}

/** The range that holds this address alone. */
function only({ text, family }: Address): string {
  return `${text}/${family === 4 ? 32 : 128}`;
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
