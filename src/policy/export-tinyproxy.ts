import type { Address } from './address.ts';
import type { Cidr } from './cidr.ts';
import { type HostPattern, patternText } from './host-pattern.ts';
import { escapeExpression } from './rule-group.ts';
import type { CompiledPolicy, CompiledRule } from './rules.ts';

/** Configuration of tinyproxy: lines for tinyproxy.conf, and the file of expressions that they name. */
export interface TinyproxyFiles {
  readonly configuration: string;
  readonly filter: string;
}

/** Where the configuration expects the file of expressions. */
export const TINYPROXY_FILTER_PATH = '/etc/tinyproxy/agent-spawn.filter';

const HEAD: readonly string[] = [
  '# Allowlist of an agent for tinyproxy, made by agent-spawn. Add these lines to tinyproxy.conf, in place of its lines',
  `# of the same names, and put the expressions into ${TINYPROXY_FILTER_PATH}.`,
  '# They stand behind the rules of agent-spawn and do not replace them. Tinyproxy looks at hosts only: it limits ports',
  '# for tunnels alone and for all hosts together, it looks neither at methods, paths and addresses that names lead to',
  '# nor at what a tunnel carries, and it has no exceptions.',
];

/** A host name and no address: its last label has a letter, which no address has. */
const NAME_EXPRESSION = '^([a-z0-9-]+\\.)*[a-z0-9-]*[a-z][a-z0-9-]*$';

/**
 * The policy as a filter of tinyproxy 1.11 and later that refuses by default. What tinyproxy cannot express is let
 * through and named in comments, never refused; only IPv6 ranges, which no expression fits, are left out.
 */
export function renderTinyproxy({ allow, deny }: CompiledPolicy): TinyproxyFiles {
  const tunnels = allow.all.filter(({ methods, paths }) => methods === null && paths === null);
  const ports = [...new Set(tunnels.flatMap(({ ports: some }) => [...(some ?? [])]))].sort((a, b) => a - b);
  const configuration = [
    ...HEAD,
    `Filter "${TINYPROXY_FILTER_PATH}"`,
    'FilterDefaultDeny Yes',
    'FilterExtended On',
    'FilterURLs Off',
    'FilterCaseSensitive Off',
    // Without any line every port would do; 0 is none.
    ...(ports.length === 0 ? [0] : ports).map((port) => `ConnectPort ${port}`),
    '',
  ];
  const whole = new Set(deny.all.filter(isWhole).map(({ pattern }) => patternText(pattern)));
  // An address tells nothing of the names behind it, so with denied names "*" covers names only.
  const any = deny.names.size + deny.below.size > 0 ? NAME_EXPRESSION : '.';
  const filter = [
    '# Hosts of an agent for tinyproxy, made by agent-spawn.',
    ...deny.all.map(({ pattern }) => `# Not expressed here: ${patternText(pattern)} is denied.`),
    ...allow.all.flatMap((compiled) => renderRule(compiled, whole, any)),
    '',
  ];
  return { configuration: configuration.join('\n'), filter: [...new Set(filter)].join('\n') };
}

/** Whether a deny rule leaves nothing of its hosts. */
function isWhole({ ports, methods, paths }: CompiledRule): boolean {
  return ports === null && methods === null && paths === null;
}

function renderRule(
  { pattern, methods, paths, ports }: CompiledRule,
  denied: ReadonlySet<string>,
  any: string,
): readonly string[] {
  const host = patternText(pattern);
  if (denied.has(host) || denied.has('*')) return [`# Denied altogether: ${host}`];
  const lost = [
    ...(ports === null ? [] : [`ports ${[...ports].join(' ')} for plain HTTP`]),
    ...(methods === null ? [] : [`methods ${[...methods].join(' ')}`]),
    ...(paths === null ? [] : [`paths ${paths.join(' ')}`]),
  ];
  const comment = lost.length === 0 ? [] : [`# ${host}, not expressed: ${lost.join(', ')}`];
  const expression = pattern.kind === 'any' ? any : expressionOf(pattern);
  return expression === null ? [`# Left out, no expression fits: ${host}`] : [...comment, expression];
}

function expressionOf(pattern: Exclude<HostPattern, { readonly kind: 'any' }>): string | null {
  if (pattern.kind === 'name') return `^${escapeExpression(pattern.name)}$`;
  if (pattern.kind === 'below') return `^([a-z0-9-]+\\.)+${escapeExpression(pattern.name)}$`;
  if (pattern.kind === 'range') return pattern.cidr.address.family === 4 ? rangeExpression(pattern.cidr) : null;
  return addressExpression(pattern.address);
}

function addressExpression({ text }: Address): string {
  return `^${escapeExpression(text)}$`;
}

/** The IPv4 addresses of a range: each byte a number between the first and the last of the range there. */
function rangeExpression({ address, prefix }: Cidr): string {
  const bytes = address.bytes.map((byte, index) => {
    const free = 8 - Math.min(8, Math.max(0, prefix - 8 * index));
    return byteExpression(byte, byte + 2 ** free - 1);
  });
  return `^${bytes.join('\\.')}$`;
}

/** Numbers from `first` to `last` without leading zeros, by tens: the line of a whole address stays below tinyproxy's 512 bytes. */
function byteExpression(first: number, last: number): string {
  if (first === last) return String(first);
  if (first === 0 && last === 255) return '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
  const tens = Array.from(
    { length: Math.floor(last / 10) - Math.floor(first / 10) + 1 },
    (_, index) => Math.floor(first / 10) + index,
  );
  const parts = tens.map((ten) => {
    const from = Math.max(first, 10 * ten) % 10;
    const to = Math.min(last, 10 * ten + 9) % 10;
    return `${ten === 0 ? '' : ten}${from === to ? from : `[${from}-${to}]`}`;
  });
  return `(${parts.join('|')})`;
}
