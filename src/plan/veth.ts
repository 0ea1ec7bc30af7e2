import { linkedNetworkPath, linkUnitName } from '../base/ids.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { DirectConnection, ResolvedCard } from '../card/resolve.ts';
import { type Address, addressOf, parseAddress, unmapped } from '../policy/address.ts';
import { classifyAddress } from '../policy/address-class.ts';
import { type Cidr, cidrContains, parseCidr } from '../policy/cidr.ts';
import type { NetworkTools } from './facts.ts';
import type { GeneratedFile } from './generated-files.ts';
import type { UnitProperty } from './unit-property.ts';
import { insideCommands, type Link, linkNeeds, linkWall, type Opening, outsideCommands } from './veth-texts.ts';

/** What {@link planVeth} decides on besides the card. */
export interface VethInput {
  /** Range of IPv4 addresses for all links of this host, `ADDRESS/PREFIX`. */
  readonly range: string;
  /** Number of the agent's link, no other agent's; null when all are taken. */
  readonly index: number | null;
  readonly tools: NetworkTools;
}

/** The link of one agent, and all that its unit (units/agent-veth@.service) reads. */
export interface VethPlan {
  readonly index: number;
  /** The agent's IPv4 address. */
  readonly address: string;
  /** Name of the link on the host. */
  readonly link: string;
  /** The agent's network namespace. */
  readonly namespacePath: string;
  /** Name servers that the card lets it reach. */
  readonly resolvers: readonly string[];
  /** For root alone. */
  readonly files: readonly GeneratedFile[];
}

/** Range of IPv4 addresses without a configuration: private, and not among those that routers and programs come with. */
export const DEFAULT_VETH_RANGE: string = '10.213.0.0/16';

/**
 * Range of IPv6 addresses of links. Unique local (RFC 4193 §3.2.2, the 40 bits were drawn by chance); each link has two
 * of them, and only where the card names an IPv6 address.
 */
const RANGE_6: Cidr = readRange('fd4c:9e07:d1a6::/64');

/** Name servers a resolver asks (MAXNS, resolv.conf(5)). */
const RESOLVERS_MAX = 3;
const DNS_PORT = 53;

/** Addresses of these kinds are no other host's, or nobody's. */
const UNREACHABLE = ['loopback', 'unspecified', 'multicast', 'broadcast'];

/** Links that a range has room for: a pair of addresses each, the first pair left out. */
export function linksOf(range: string): number {
  return 2 ** (31 - readRange(range).prefix) - 1;
}

/** The link of an agent in network mode `veth`, or why it cannot have one. */
export function planVeth(card: ResolvedCard, input: VethInput): Result<VethPlan> {
  const range = readRange(input.range);
  const openings = card.network.allow.map((entry, index) => opening(entry, index, range));
  const problems = [...toolProblems(input.tools), ...openings.flatMap((one) => (one.ok ? [] : one.problems))];
  const { index } = input;
  if (index === null) return refused([...problems, fullRange(input.range)]);
  if (problems.length > 0) return refused(problems);
  const link = linkOf(
    card.agentId,
    index,
    range,
    openings.flatMap((one) => (one.ok ? [one.value] : [])),
  );
  const names = link.openings.filter(({ port }) => port === DNS_PORT).map(({ address }) => address.text);
  return ok({
    index,
    address: link.inside4.text,
    link: link.name,
    namespacePath: linkedNetworkPath(card.agentId),
    resolvers: [...new Set(names)].slice(0, RESOLVERS_MAX),
    files: [
      { name: 'veth.needs', content: linkNeeds(link) },
      { name: 'veth.nft', content: linkWall(link) },
      { name: 'veth-outside.ip', content: outsideCommands(link) },
      { name: 'veth-inside.ip', content: insideCommands(link) },
    ],
  });
}

/** What the agent's unit has because of its link: it runs in that network, and no longer than its wall is guarded. */
export function linkProperties(id: string, plan: VethPlan): readonly UnitProperty[] {
  const unit = [linkUnitName(id)];
  return [
    { name: 'BindsTo', signature: 'as', value: unit },
    { name: 'After', signature: 'as', value: unit },
    { name: 'NetworkNamespacePath', signature: 's', value: plan.namespacePath },
  ];
}

/** The two addresses of a family: the host's end, which is nobody's address and only the way, and the agent's. */
function pairOf({ address }: Cidr, index: number): readonly [Address, Address] {
  const pair = [2 * index, 2 * index + 1].map((offset) => {
    const bytes = [...address.bytes];
    for (let at = bytes.length - 1, rest = offset; rest > 0; at -= 1, rest = Math.floor(rest / 256)) {
      bytes[at] = (bytes[at] ?? 0) | (rest % 256);
    }
    return addressOf(bytes);
  });
  return pair as unknown as readonly [Address, Address];
}

function linkOf(id: string, index: number, range: Cidr, openings: readonly Opening[]): Link {
  const [outside4, inside4] = pairOf(range, index);
  const [outside6, inside6] = pairOf(RANGE_6, index);
  const ranges = [range.text];
  const distinct = new Map(openings.map((one) => [`${one.address.text} ${one.protocol} ${one.port}`, one]));
  const has6 = openings.some(({ address }) => address.family === 6);
  return {
    id,
    index,
    name: `agv${index}`,
    openings: [...distinct.values()],
    ranges: has6 ? [...ranges, RANGE_6.text] : ranges,
    outside4,
    inside4,
    six: has6 ? { outside: outside6, inside: inside6 } : null,
  };
}

function opening(entry: DirectConnection, index: number, range: Cidr): Result<Opening> {
  const pointer = `/network/allow/${index}/address`;
  const read = parseAddress(entry.address);
  if (read === null) return refused([refuse(pointer, `"${entry.address}" is no address.`, 'Write an IP address.')]);
  const address = unmapped(read);
  const kind = classifyAddress(address);
  if (UNREACHABLE.includes(kind) || (kind === 'link-local' && address.family === 6)) {
    const message = `${address.text} is a ${kind} address, which nothing outside the agent's network answers at.`;
    return refused([refuse(pointer, message, 'Let the service listen at another address of its host, and name that.')]);
  }
  if (cidrContains(range, address) || cidrContains(RANGE_6, address)) {
    const message = `${address.text} lies in the range of the agents' own links, and agents do not reach one another.`;
    return refused([refuse(pointer, message, 'Publish the port of the other agent, and allow that address.')]);
  }
  return ok({ address, port: entry.port, protocol: entry.protocol });
}

function toolProblems(tools: NetworkTools): readonly Problem[] {
  const packages = { nft: 'nftables', ip: 'iproute2' } as const;
  return (['nft', 'ip'] as const)
    .filter((name) => tools[name] === null)
    .map((name) => ({
      code: 'host.network-tools-missing',
      pointer: '/network/mode',
      message: `${name}, which the network mode "veth" needs, is not installed on this host.`,
      suggestion: `Install the package "${packages[name]}", or use the network mode "isolated".`,
    }));
}

function fullRange(range: string): Problem {
  const message = `All ${linksOf(range)} links that ${range} has room for belong to other agents.`;
  return refuse('/network/mode', message, 'Set "veth_range" in /etc/agent-spawn/config.json to a larger range.');
}

function refuse(pointer: string, message: string, suggestion: string): Problem {
  return { code: 'plan.network-refused', pointer, message, suggestion };
}

function readRange(text: string): Cidr {
  const read = parseCidr(text);
  if (!read.ok) throw new Error(`${text}: ${read.fault}`);
  return read.cidr;
}
