import type { Address } from './address.ts';
import { type AddressClass, classifyAddress, needsLiteral } from './address-class.ts';
import type { EgressIntent } from './intent.ts';
import type { ReasonCode } from './reasons.ts';
import { misfitOf } from './rule-fit.ts';
import { type CompiledPolicy, type CompiledRule, rulesForAddress } from './rules.ts';

/** Whether a rule writes out one address. */
export function isExact({ pattern }: CompiledRule): boolean {
  return pattern.kind === 'address';
}

/** Whether an allow rule that takes the request writes an address out well enough for what it is. */
export function isWrittenOut(
  { allow }: CompiledPolicy,
  intent: EgressIntent,
  place: { readonly address: Address; readonly isOwn: boolean },
): boolean {
  const literalOnly = place.isOwn || needsLiteral(classifyAddress(place.address));
  return rulesForAddress(allow, place.address)
    .flat()
    .some((compiled) => (!literalOnly || isExact(compiled)) && misfitOf(compiled, intent) === null);
}

/** The reason to refuse an address of a class, `otherwise` for those that are neither of this machine nor of its cloud. */
export function reasonOfClass(kind: AddressClass, otherwise: ReasonCode): ReasonCode {
  if (kind === 'metadata') return 'egress.metadata-address';
  return needsLiteral(kind) ? 'egress.own-address' : otherwise;
}
