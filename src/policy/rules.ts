import { EGRESS_RULES_MAX } from '../base/limits.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import { type Address, unmapped } from './address.ts';
import { classifyAddress, formsOf } from './address-class.ts';
import { cidrContains } from './cidr.ts';
import { type HostPattern, parsePattern } from './host-pattern.ts';
import { plainPercents } from './path-prefix.ts';
import type { EgressPolicy, EgressRule } from './table.ts';

/** A rule with its parts ready to be asked. */
export interface CompiledRule {
  readonly rule: EgressRule;
  readonly pattern: HostPattern;
  /** Null for every port. */
  readonly ports: ReadonlySet<number> | null;
  readonly methods: ReadonlySet<string> | null;
  /** In the form of the paths of requests. */
  readonly paths: readonly string[] | null;
}

/** Rules by what they are looked up with; in each list in the order of the card. */
export interface RuleIndex {
  readonly all: readonly CompiledRule[];
  readonly names: ReadonlyMap<string, readonly CompiledRule[]>;
  /** By the name that the hosts lie below. */
  readonly below: ReadonlyMap<string, readonly CompiledRule[]>;
  readonly any: readonly CompiledRule[];
  /** By the text of the address. */
  readonly addresses: ReadonlyMap<string, readonly CompiledRule[]>;
  /** Longest prefix first. */
  readonly ranges: readonly CompiledRule[];
}

/** A policy that is ready to decide; made by {@link compilePolicy} only. */
export interface CompiledPolicy {
  readonly allow: RuleIndex;
  readonly deny: RuleIndex;
}

/** Makes a policy ready; refuses it whole when one rule of it cannot be understood, with that rule's pointer. */
export function compilePolicy(policy: EgressPolicy): Result<CompiledPolicy> {
  const problems: Problem[] = [];
  const compileAll = (rules: readonly EgressRule[], needsPorts: boolean): readonly CompiledRule[] => {
    if (rules.length > EGRESS_RULES_MAX) problems.push(tooMany(rules));
    return rules.slice(0, EGRESS_RULES_MAX).flatMap((rule) => {
      const compiled = compileRule(rule, needsPorts);
      if (compiled.ok) return [compiled.value];
      problems.push(...compiled.problems);
      return [];
    });
  };
  const allow = compileAll(policy.allow, true);
  const deny = compileAll(policy.deny, false);
  return problems.length > 0 ? refused(problems) : ok({ allow: indexRules(allow), deny: indexRules(deny) });
}

/**
 * The rules for a host name, most specific first, each group as specific as the others of it: the name, then what
 * lies below its parents from the nearest on, then `*`. The name is canonical.
 */
export function rulesForName(index: RuleIndex, name: string): readonly (readonly CompiledRule[])[] {
  const groups = [index.names.get(name) ?? []];
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1))
    groups.push(index.below.get(name.slice(dot + 1)) ?? []);
  return [...groups, index.any].filter((group) => group.length > 0);
}

/** The rules that write an address out, most specific first: the address itself, then ranges from the narrowest on. */
export function rulesForAddress(index: RuleIndex, address: Address): readonly (readonly CompiledRule[])[] {
  const plain = unmapped(address);
  const exact = index.addresses.get(plain.text) ?? [];
  const around = index.ranges.filter(({ pattern }) => pattern.kind === 'range' && cidrContains(pattern.cidr, plain));
  const groups = new Map<number, CompiledRule[]>();
  for (const compiled of around) {
    const prefix = compiled.pattern.kind === 'range' ? compiled.pattern.cidr.prefix : 0;
    groups.set(prefix, [...(groups.get(prefix) ?? []), compiled]);
  }
  return [exact, ...groups.values()].filter((group) => group.length > 0);
}

/**
 * Whether `*` covers an address that is asked for itself: a public one, as long as no host name is denied. An address
 * does not tell which name is behind it, so it would be a way around what is denied.
 */
export function anyCoversAddress({ deny }: CompiledPolicy, address: Address): boolean {
  return deny.names.size === 0 && deny.below.size === 0 && classifyAddress(address) === 'public';
}

/** Deny rules for an address in any of its forms, as itself or as a part of a range; and those for everything. */
export function denialsOfAddress({ deny }: CompiledPolicy, address: Address): readonly CompiledRule[] {
  const forms = formsOf(address);
  // Ranges of IPv6 that hold mapped addresses hold the mapped form.
  const raw = deny.ranges.filter(({ pattern }) => pattern.kind === 'range' && cidrContains(pattern.cidr, address));
  return [...forms.flatMap((form) => rulesForAddress(deny, form).flat()), ...raw, ...deny.any];
}

function compileRule(rule: EgressRule, needsPorts: boolean): Result<CompiledRule> {
  const reading = parsePattern(rule.host);
  if (!reading.ok) {
    const problem = { code: 'card.host-pattern' as const, pointer: rule.pointer, message: reading.message };
    return refused([reading.suggestion === null ? problem : { ...problem, suggestion: reading.suggestion }]);
  }
  const fault = ruleFault(rule, needsPorts);
  if (fault !== null) return refused([{ code: 'card.out-of-range', pointer: rule.pointer, message: fault }]);
  return ok({
    rule,
    pattern: reading.pattern,
    ports: rule.ports === null ? null : new Set(rule.ports),
    methods: rule.methods === null ? null : new Set(rule.methods),
    paths: rule.paths === null ? null : rule.paths.map(plainPercents),
  });
}

/** What is wrong with the numbers and lists of a rule, as a sentence, or null. */
function ruleFault({ host, ports, methods, paths }: EgressRule, needsPorts: boolean): string | null {
  if (ports === null && needsPorts) return `The rule for "${host}" allows no port.`;
  if (
    ports !== null &&
    (ports.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
  )
    return `The rule for "${host}" has ports that are none between 1 and 65535.`;
  if (methods?.some((method) => !/^[A-Z][A-Z-]*$/.test(method)) === true)
    return `The rule for "${host}" has methods that are not in capitals.`;
  if (paths?.some((path) => !path.startsWith('/')) === true)
    return `The rule for "${host}" has paths that do not begin with a slash.`;
  return null;
}

function tooMany(rules: readonly EgressRule[]): Problem {
  const pointer = rules[EGRESS_RULES_MAX]?.pointer ?? '';
  return { code: 'card.out-of-range', pointer, message: `There are more than ${EGRESS_RULES_MAX} rules.` };
}

function indexRules(rules: readonly CompiledRule[]): RuleIndex {
  const names = new Map<string, CompiledRule[]>();
  const below = new Map<string, CompiledRule[]>();
  const addresses = new Map<string, CompiledRule[]>();
  const any: CompiledRule[] = [];
  const ranges: CompiledRule[] = [];
  const file = (map: Map<string, CompiledRule[]>, key: string, compiled: CompiledRule): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [compiled]);
    else list.push(compiled);
  };
  for (const compiled of rules) {
    const { pattern } = compiled;
    if (pattern.kind === 'any') any.push(compiled);
    else if (pattern.kind === 'range') ranges.push(compiled);
    else if (pattern.kind === 'address') file(addresses, pattern.address.text, compiled);
    else file(pattern.kind === 'name' ? names : below, pattern.name, compiled);
  }
  return { all: rules, names, below, any, addresses, ranges: ranges.sort((a, b) => prefixOf(b) - prefixOf(a)) };
}

function prefixOf({ pattern }: CompiledRule): number {
  return pattern.kind === 'range' ? pattern.cidr.prefix : 0;
}
