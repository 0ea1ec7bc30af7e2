import { type Address, unmapped } from './address.ts';
import { classifyAddress, formsOf } from './address-class.ts';
import type { AddressDecision } from './decision.ts';
import * as text from './decision-text.ts';
import type { EgressIntent } from './intent.ts';
import type { ReasonCode } from './reasons.ts';
import { denies } from './rule-fit.ts';
import { type CompiledPolicy, denialsOfAddress } from './rules.ts';
import type { EgressRule } from './table.ts';
import { isWrittenOut, reasonOfClass } from './written-address.ts';

/** Addresses that a request may end at. */
export interface Places {
  /** What the host leads to: answers of the one lookup in their order, or the address that was asked for itself. */
  readonly candidates: readonly Address[];
  /** Addresses of this machine's own interfaces. */
  readonly own: readonly Address[];
}

/** Why an address is not dialled. */
interface Refusal {
  readonly reason: ReasonCode;
  readonly rule: string | null;
  readonly message: string;
  readonly suggestion: string | null;
}

/** Which refusal is told when addresses were refused for several reasons: the one that says most comes first. */
const TOLD_FIRST: readonly ReasonCode[] = ['egress.denied-host', 'egress.metadata-address', 'egress.own-address'];

/**
 * Decides where a request that {@link decide} allowed may be connected to. Public addresses are; others, and those of
 * this machine, only where an allow rule that takes the request writes them out; denied ones never. Those that may not
 * be dialled are left out, and none left is a refusal. `matched` is the rule that allowed the request.
 */
export function decideAddresses(
  policy: CompiledPolicy,
  intent: EgressIntent,
  matched: EgressRule,
  places: Places,
): AddressDecision {
  const addresses: Address[] = [];
  const refusals: Refusal[] = [];
  const own = new Set(places.own.flatMap((address) => [address.text, unmapped(address).text]));
  const seen = new Set<string>();
  for (const address of places.candidates) {
    if (seen.has(address.text)) continue;
    seen.add(address.text);
    const isOwn = formsOf(address).some((form) => own.has(form.text));
    const refusal = refuseAddress(policy, intent, { address, isOwn });
    if (refusal === null) addresses.push(address);
    else refusals.push(refusal);
  }
  const endpoint = text.endpointText(intent);
  if (addresses.length > 0) {
    const message = `${text.ruleText(matched)} allows ${endpoint}.`;
    const allowed = { verdict: 'allow', reason: 'egress.allowed', rule: matched.pointer, message } as const;
    return { ...allowed, suggestion: null, addresses };
  }
  const told = TOLD_FIRST.map((reason) => refusals.find((refusal) => refusal.reason === reason)).find(Boolean);
  const refusal = told ?? refusals[0] ?? unknownName(endpoint);
  return { verdict: 'deny', ...refusal, addresses };
}

/** Why one address may not be dialled, or null when it may. */
function refuseAddress(
  policy: CompiledPolicy,
  intent: EgressIntent,
  place: { readonly address: Address; readonly isOwn: boolean },
): Refusal | null {
  const { address, isOwn } = place;
  const endpoint = text.endpointText(intent);
  const leads = intent.destination.kind === 'name' ? `${endpoint} leads to ${address.text}` : endpoint;
  const denial = denialsOfAddress(policy, address).find((compiled) => denies(compiled, intent))?.rule;
  if (denial !== undefined) {
    const message = `${leads}${intent.destination.kind === 'name' ? ', which' : ' is what'} ${text.ruleText(denial)} denies.`;
    return { reason: 'egress.denied-host', rule: denial.pointer, message, suggestion: text.removeText(denial) };
  }
  const kind = classifyAddress(address);
  if ((kind === 'public' && !isOwn) || isWrittenOut(policy, intent, place)) return null;
  const reason = isOwn ? 'egress.own-address' : reasonOfClass(kind, 'egress.private-address');
  const what = isOwn ? text.CLASS_NAMES.loopback : text.CLASS_NAMES[kind];
  const message = `${leads}${intent.destination.kind === 'name' ? ',' : ' is'} ${what}.`;
  return { reason, rule: null, message, suggestion: text.writeOutText(unmapped(address), intent.port, kind) };
}

function unknownName(endpoint: string): Refusal {
  const message = `The name of ${endpoint} leads to no address.`;
  return { reason: 'egress.name-unknown', rule: null, message, suggestion: null };
}
