import type { EgressIntent } from './intent.ts';
import { liesBelow } from './path-prefix.ts';
import type { CompiledRule } from './rules.ts';

/** What keeps a rule for the right host from applying, from the coarsest to the finest; `null` when nothing does. */
export type Misfit = 'port' | 'method-hidden' | 'method' | 'path' | null;

/** From furthest off to a fit. */
const ORDER: readonly Misfit[] = ['port', 'method-hidden', 'method', 'path', null];

/** Whether a rule for the host applies to port, method and path too. A tunnel hides both from a rule that limits them. */
export function misfitOf({ ports, methods, paths }: CompiledRule, intent: EgressIntent): Misfit {
  const { path } = intent;
  if (ports !== null && !ports.has(intent.port)) return 'port';
  if (intent.form === 'tunnel') return methods === null && paths === null ? null : 'method-hidden';
  if (methods !== null && !methods.has(intent.method)) return 'method';
  if (paths === null) return null;
  return path !== null && paths.some((prefix) => liesBelow(path, prefix)) ? null : 'path';
}

/** Whether a deny rule for the host applies: also where it cannot be seen whether it does. */
export function denies(compiled: CompiledRule, intent: EgressIntent): boolean {
  const misfit = misfitOf(compiled, intent);
  return misfit === null || misfit === 'method-hidden';
}

/** The rule that came closest, with what kept it from applying; undefined for none. The first of equals wins. */
export function closestRule(
  rules: readonly CompiledRule[],
  intent: EgressIntent,
): { readonly compiled: CompiledRule; readonly misfit: Misfit } | undefined {
  return rules
    .map((compiled) => ({ compiled, misfit: misfitOf(compiled, intent) }))
    .sort((a, b) => ORDER.indexOf(b.misfit) - ORDER.indexOf(a.misfit))[0];
}
