import { addressOf } from './address.ts';
import { specialRanges } from './address-class.ts';
import { type Cidr, cidrAround, cidrContains } from './cidr.ts';
import { type HostPattern, patternText } from './host-pattern.ts';
import { escapeExpression, groupRules, type RuleGroup } from './rule-group.ts';
import type { CompiledPolicy, CompiledRule } from './rules.ts';

const HEAD: readonly string[] = [
  '# Allowlist of an agent for squid, made by agent-spawn. Include it in squid.conf in place of its http_access lines.',
  '# It stands behind the rules of agent-spawn and does not replace them. Squid does not check what a tunnel carries:',
  '# neither the name in the TLS handshake nor HTTP inside. It compares paths as they are written. It refuses a name as',
  '# soon as one of its addresses may not be reached, and does not know the addresses of the machine of the agent.',
];

/** Names of the lists that more than one line uses. */
const CONNECT = 'agent_spawn_connect';
const LITERAL = 'agent_spawn_literal';
const SPECIAL = 'agent_spawn_special';
const GUARDED = 'agent_spawn_guarded';
const NAMED = 'agent_spawn_named';
const PORT = 'agent_spawn_port_';

/** Length of the prefix of IPv4-mapped addresses, bits. */
const MAPPED_BITS = 96;

/** One kind of hosts of a group as an access list: with `dst` squid looks names up, with `-n` it does not. */
interface HostList {
  readonly name: string;
  readonly kind: 'names' | 'below' | 'any' | 'addresses' | 'ranges';
  readonly type: string;
  readonly values: readonly string[];
}

/** Lists and the lines that use them; squid wants every list before its first use. */
interface Lines {
  readonly lists: readonly string[];
  readonly access: readonly string[];
}

/**
 * The policy as access rules of squid 5 and later, closed at the end. No name is looked up before it is known to be
 * listed. What squid cannot express is let through and named in comments, never refused.
 */
export function renderSquid({ allow, deny }: CompiledPolicy): string {
  const denied = groupRules(deny.all).map((group, index) => ({ name: `agent_spawn_deny_${index}`, group }));
  const allowed = groupRules(allow.all).map((group, index) => ({ name: `agent_spawn_allow_${index}`, group }));
  // An address tells nothing of the names behind it, so with denied names "*" covers names only.
  const literal = deny.names.size + deny.below.size > 0 ? [`!${LITERAL}`] : [];
  const parts: readonly (readonly [string, readonly Lines[]])[] = [
    ['Denied hosts.', denied.map(({ name, group }) => renderHosts(name, 'deny', group, () => []))],
    [
      'Addresses that are written out.',
      allowed.map(({ name, group }) => renderHosts(name, 'allow', group, onlyAddresses)),
    ],
    ['Nothing that is not listed is looked up.', [renderNamed(allow.all)]],
    ['Names that lead to denied addresses.', denied.map(({ name, group }) => renderFound(name, group))],
    ['Names that lead to addresses that are neither public nor written out.', [renderSpecial(allow.all)]],
    [
      'Allowed names.',
      allowed.map(({ name, group }) =>
        renderHosts(name, 'allow', group, ({ kind }) => conditionsOfNames(kind, literal)),
      ),
    ],
  ];
  const limits = [...denied, ...allowed].flatMap(({ name, group }) => limitLists(name, group));
  return [
    ...HEAD,
    `acl ${CONNECT} method CONNECT`,
    ...acl(LITERAL, 'dstdom_regex -n', ['^[0-9.]+$', '^\\[']),
    ...limits,
    ...parts.flatMap(([, lines]) => lines.flatMap(({ lists }) => lists)),
    ...parts.flatMap(([title, lines]) => [`# ${title}`, ...lines.flatMap(({ access }) => access)]),
    'http_access deny all',
    '',
  ].join('\n');
}

function onlyAddresses({ kind }: HostList): readonly string[] | null {
  if (kind === 'ranges') return [`!${GUARDED}`];
  return kind === 'addresses' ? [] : null;
}

function conditionsOfNames(kind: HostList['kind'], literal: readonly string[]): readonly string[] | null {
  if (kind === 'addresses' || kind === 'ranges') return null;
  return kind === 'any' ? literal : [];
}

/** Access lines for the hosts of a group; `extra` gives further conditions for a list, or null to leave it out. */
function renderHosts(
  name: string,
  verdict: 'allow' | 'deny',
  group: RuleGroup,
  extra: (list: HostList) => readonly string[] | null,
): Lines {
  const chosen = hostLists(name, group.rules).flatMap((list) => {
    const conditions = extra(list);
    return conditions === null ? [] : [{ list, conditions }];
  });
  const access = chosen.flatMap(({ list, conditions }) =>
    limitsOf(name, verdict, group).map((limit) => accessLine(verdict, [list.name, ...conditions, ...limit])),
  );
  return { lists: chosen.flatMap(({ list }) => acl(list.name, list.type, list.values)), access };
}

/** The lists of ports, methods and paths of a group. */
function limitLists(name: string, { ports, methods, paths }: RuleGroup): readonly string[] {
  return [
    ...acl(`${name}_ports`, 'port', (ports ?? []).map(String)),
    ...acl(`${name}_methods`, 'method', methods ?? []),
    ...acl(`${name}_paths`, 'urlpath_regex', (paths ?? []).map(pathExpression)),
  ];
}

/** Conditions besides the host, one list for each access line: a rule that limits methods or paths allows no tunnel, and denies all. */
function limitsOf(name: string, verdict: 'allow' | 'deny', group: RuleGroup): readonly (readonly string[])[] {
  const ports = group.ports === null ? [] : [`${name}_ports`];
  if (group.methods === null && group.paths === null) return [ports];
  const methods = group.methods === null ? [] : [`${name}_methods`];
  const paths = group.paths === null ? [] : [`${name}_paths`];
  const visible = [...ports, `!${CONNECT}`, ...methods, ...paths];
  return verdict === 'allow' ? [visible] : [visible, [...ports, CONNECT]];
}

function hostLists(name: string, rules: readonly CompiledRule[]): readonly HostList[] {
  const of = (...kinds: readonly HostPattern['kind'][]): readonly HostPattern[] =>
    rules.map(({ pattern }) => pattern).filter(({ kind }) => kinds.includes(kind));
  const lists: readonly Omit<HostList, 'name'>[] = [
    { kind: 'names', type: 'dstdomain -n', values: of('name').map(patternText) },
    { kind: 'below', type: 'dstdom_regex -n -i', values: of('below').map(belowExpression) },
    { kind: 'any', type: 'dstdom_regex -n', values: of('any').length > 0 ? ['.'] : [] },
    { kind: 'addresses', type: 'dst -n', values: outermost(of('address')) },
    { kind: 'ranges', type: 'dst -n', values: outermost(of('range')) },
  ];
  return lists.filter(({ values }) => values.length > 0).map((list) => ({ ...list, name: `${name}_${list.kind}` }));
}

/** Denied addresses once more, for names that lead to them. */
function renderFound(name: string, group: RuleGroup): Lines {
  const addresses = outermost(group.rules.map(({ pattern }) => pattern));
  const limits = addresses.length === 0 ? [] : limitsOf(name, 'deny', group);
  const list = `${name}_found`;
  return { lists: acl(list, 'dst', addresses), access: limits.map((limit) => accessLine('deny', [list, ...limit])) };
}

/** Refuses every name that no rule lists. */
function renderNamed(rules: readonly CompiledRule[]): Lines {
  const patterns = rules.map(({ pattern }) => pattern);
  if (patterns.some(({ kind }) => kind === 'any')) return { lists: [], access: [] };
  const names = patterns.filter(({ kind }) => kind === 'name').map((one) => `^${escapeExpression(patternText(one))}$`);
  const below = patterns.filter(({ kind }) => kind === 'below').map(belowExpression);
  const lists = acl(NAMED, 'dstdom_regex -n -i', [...names, ...below]);
  return { lists, access: [accessLine('deny', lists.length === 0 ? ['all'] : [`!${NAMED}`])] };
}

/** Refuses names that lead to special addresses, unless a rule writes them out for the port. */
function renderSpecial(rules: readonly CompiledRule[]): Lines {
  const { literalOnly, others } = specialRanges();
  const written = rules.filter(({ pattern }) => pattern.kind === 'address' || pattern.kind === 'range');
  const ports = [...new Set(written.flatMap((compiled) => [...(compiled.ports ?? [])]))].sort((a, b) => a - b);
  const open = ports.map((port): Lines => {
    const here = written.filter((compiled) => compiled.ports?.has(port) === true).map(({ pattern }) => pattern);
    const exact = outermost(here.filter(({ kind }) => kind === 'address'));
    const name = `${PORT}${port}`;
    const lists = [...acl(name, 'port', [String(port)]), ...acl(`${name}_open`, 'dst', outermost(here))];
    const guarded = [name, GUARDED, ...(exact.length > 0 ? [`!${name}_exact`] : [])];
    return {
      lists: [...lists, ...acl(`${name}_exact`, 'dst', exact)],
      access: [accessLine('deny', [name, SPECIAL, `!${name}_open`]), accessLine('deny', guarded)],
    };
  });
  const elsewhere = ports.map((port) => `!${PORT}${port}`);
  const special = [...acl(SPECIAL, 'dst', outermost(others)), ...acl(GUARDED, 'dst', outermost(literalOnly))];
  return {
    lists: [...special, ...open.flatMap(({ lists }) => lists)],
    access: [
      ...open.flatMap(({ access }) => access),
      accessLine('deny', [SPECIAL, ...elsewhere]),
      accessLine('deny', [GUARDED, ...elsewhere]),
    ],
  };
}

/** Addresses and ranges without those that lie in another one: of two that overlap squid keeps the smaller and drops the larger. */
function outermost(places: readonly (HostPattern | Cidr)[]): readonly string[] {
  const ranges = places.flatMap((place): readonly Cidr[] => {
    if (!('kind' in place)) return [place];
    if (place.kind === 'range') return [place.cidr];
    return place.kind === 'address' ? [cidrAround(place.address, 8 * place.address.bytes.length)] : [];
  });
  const isInside = (inner: Cidr): boolean =>
    ranges.some((outer) => outer.prefix < inner.prefix && cidrContains(outer, inner.address));
  return ranges
    .filter((one) => !isInside(one))
    .flatMap(splitForSquid)
    .map(({ text }) => text);
}

/**
 * A range as ranges that squid takes as they are meant. It reads 0.0.0.0/0 as everything with IPv6, and keeps IPv4
 * addresses as mapped ones, which lie in every IPv6 range around those.
 */
function splitForSquid(range: Cidr): readonly Cidr[] {
  const mapped = addressOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);
  if (range.address.family === 4)
    return range.prefix > 0 ? [range] : [0, 128].map((first) => cidrAround(addressOf([first, 0, 0, 0]), 1));
  if (range.prefix >= MAPPED_BITS || !cidrContains(range, mapped)) return [range];
  return Array.from({ length: MAPPED_BITS - range.prefix }, (_, index) => {
    const bit = range.prefix + index;
    const beside = mapped.bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (0x80 >> (bit & 7)) : byte));
    return cidrAround(addressOf(beside), bit + 1);
  });
}

function accessLine(verdict: 'allow' | 'deny', conditions: readonly string[]): string {
  return ['http_access', verdict, ...conditions].join(' ');
}

/** Only below the name: `dstdomain .example.com` would hold the name itself, too. */
function belowExpression(pattern: HostPattern): string {
  return `^([a-z0-9-]+\\.)+${escapeExpression(patternText(pattern).slice(2))}$`;
}

/** A path with or without query, of which `prefix` is the beginning up to the end of a segment. */
function pathExpression(prefix: string): string {
  return prefix.endsWith('/') ? `^${escapeExpression(prefix)}` : `^${escapeExpression(prefix)}(/|\\?|$)`;
}

/** Lines of one access list, one for each value; none for no values. */
function acl(name: string, type: string, values: readonly string[]): readonly string[] {
  return [...new Set(values)].map((value) => `acl ${name} ${type} ${value}`);
}
