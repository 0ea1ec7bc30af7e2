import type { CompiledRule } from './rules.ts';

/** Rules that differ in their hosts only. */
export interface RuleGroup {
  readonly ports: readonly number[] | null;
  readonly methods: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly rules: readonly CompiledRule[];
}

/** Rules put together that allow or deny the same of their hosts, in the order in which they first occur. */
export function groupRules(rules: readonly CompiledRule[]): readonly RuleGroup[] {
  const groups = new Map<string, CompiledRule[]>();
  for (const compiled of rules) {
    const { ports, methods, paths } = partsOf(compiled);
    const key = JSON.stringify([ports, methods, paths]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [compiled]);
    else group.push(compiled);
  }
  return [...groups.values()].flatMap((group) =>
    group[0] === undefined ? [] : [{ ...partsOf(group[0]), rules: group }],
  );
}

function partsOf({ ports, methods, paths }: CompiledRule): Omit<RuleGroup, 'rules'> {
  return {
    ports: ports === null ? null : [...ports].sort((a, b) => a - b),
    methods: methods === null ? null : [...methods].sort(),
    paths,
  };
}

/** A text with every character that means something in a POSIX or JavaScript regular expression made plain. */
export function escapeExpression(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
