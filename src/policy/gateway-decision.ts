import { type Address, parseAddress } from './address.ts';
import { classifyAddress } from './address-class.ts';
import type { AddressDecision, Decision } from './decision.ts';
import * as text from './decision-text.ts';
import { baseDestination, isOfBase } from './gateway-path.ts';
import { destinationText, type EgressIntent } from './intent.ts';
import type { ReasonCode } from './reasons.ts';
import { denies } from './rule-fit.ts';
import { type CompiledPolicy, denialsOfAddress, rulesForName } from './rules.ts';
import type { EgressRule, Gateway, UpstreamProxy } from './table.ts';

/**
 * Decides about a request to a gateway, of form `gateway`: what the rules deny is denied here too, and nothing needs to
 * allow it. A request of a gateway that is no more, or that leads elsewhere now, is refused.
 */
export function decideGateway(
  policy: CompiledPolicy,
  gateways: readonly Gateway[],
  intent: EgressIntent,
): Decision & { readonly gateway: Gateway | null } {
  const gateway = gateways.find((candidate) => leadsTo(candidate, intent)) ?? null;
  const endpoint = text.endpointText(intent);
  if (gateway === null) {
    const message = `The gateway to ${endpoint} is no longer there.`;
    return { ...refusal('egress.no-gateway', null, message), gateway };
  }
  const { destination } = intent;
  const rules =
    destination.kind === 'name'
      ? rulesForName(policy.deny, destination.name).flat()
      : denialsOfAddress(policy, destination.address);
  const denial = rules.find((compiled) => denies(compiled, intent))?.rule;
  return { ...(denial === undefined ? allowance(gateway, intent) : denied(denial, `denies ${endpoint}`)), gateway };
}

/**
 * Decides which addresses of an API may be dialled: all but the denied ones. Its certificate shows that it is the right
 * one, wherever it is; what has none is the address that the card writes out.
 */
export function decideGatewayAddresses(
  policy: CompiledPolicy,
  gateway: Gateway,
  intent: EgressIntent,
  candidates: readonly Address[],
): AddressDecision {
  const judged = candidates.map((address) => {
    const denial = denialsOfAddress(policy, address).find((compiled) => denies(compiled, intent));
    return { address, denial: denial?.rule };
  });
  const addresses = judged.flatMap(({ address, denial }) => (denial === undefined ? [address] : []));
  if (addresses.length > 0) return { ...allowance(gateway, intent), addresses };
  const endpoint = text.endpointText(intent);
  const [first] = judged;
  if (first?.denial === undefined) {
    return { ...refusal('egress.name-unknown', null, `The name of ${endpoint} leads to no address.`), addresses };
  }
  return { ...denied(first.denial, `denies ${first.address.text}, which is where ${endpoint} leads`), addresses };
}

/**
 * The upstream proxy on the way to an API, or null for none: to a proxy elsewhere, this machine's loopback is its own,
 * and what has no TLS is the address that is meant and nobody between.
 */
export function gatewayUpstream({ base }: Gateway, upstream: UpstreamProxy | null): UpstreamProxy | null {
  const address = parseAddress(base.host);
  const isDirect = base.scheme === 'http' || (address !== null && classifyAddress(address) === 'loopback');
  return isDirect ? null : upstream;
}

function leadsTo(gateway: Gateway, intent: EgressIntent): boolean {
  const { mount, base } = gateway;
  if (mount !== intent.mount || base.port !== intent.port) return false;
  if (destinationText(baseDestination(base)) !== destinationText(intent.destination)) return false;
  return isOfBase(gateway, intent.path ?? '');
}

function allowance({ mount, pointer }: Gateway, intent: EgressIntent): Decision {
  const message = `The gateway ${mount} leads to ${text.endpointText(intent)}.`;
  return { verdict: 'allow', reason: 'egress.allowed', rule: pointer, message, suggestion: null };
}

function denied(rule: EgressRule, what: string): Decision {
  const message = `${text.ruleText(rule)} ${what}.`;
  return { ...refusal('egress.denied-host', rule.pointer, message), suggestion: text.removeText(rule) };
}

function refusal(reason: ReasonCode, rule: string | null, message: string): Decision {
  return { verdict: 'deny', reason, rule, message, suggestion: null };
}
