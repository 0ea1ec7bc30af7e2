import { quote } from '../base/quote.ts';
import { type Address, unmapped } from './address.ts';
import { classifyAddress, needsLiteral } from './address-class.ts';
import type { Decision } from './decision.ts';
import * as text from './decision-text.ts';
import { HOST_NAME_FAULTS, parseHostName } from './host-name.ts';
import { destinationText, type EgressIntent } from './intent.ts';
import type { ReasonCode } from './reasons.ts';
import { closestRule, denies, type Misfit, misfitOf } from './rule-fit.ts';
import {
  anyCoversAddress,
  type CompiledPolicy,
  type CompiledRule,
  denialsOfAddress,
  rulesForAddress,
  rulesForName,
} from './rules.ts';
import type { EgressRule } from './table.ts';
import { isExact, reasonOfClass } from './written-address.ts';

/** A decision by rules, with the rule that decided: allowing or denying, or the one that came closest; null for none. */
export interface RuleDecision extends Decision {
  readonly matched: EgressRule | null;
}

/** Methods that have no place in a request that is passed on (RFC 9110 §9.3.6, §9.3.8). */
const NEVER_PASSED: readonly string[] = ['CONNECT', 'TRACE', 'TRACK'];

/**
 * Decides about a request by what it names, before anything is looked up. A deny rule that applies wins over
 * everything; otherwise any allow rule for the host that takes port, method and path is enough; otherwise it is
 * refused, for what the most specific rule lacks. Where the host leads to is for `decideAddresses` to judge.
 */
export function decide(policy: CompiledPolicy, intent: EgressIntent): RuleDecision {
  const { destination, form, method } = intent;
  const endpoint = text.endpointText(intent);
  if (form === 'http' && NEVER_PASSED.includes(method))
    return refuseFlat('egress.method-refused', `${method} is never passed on, so not to ${endpoint} either.`);
  if (destination.kind === 'address') return decideLiteral(policy, intent, destination.address);
  const reading = parseHostName(destination.name);
  if (!reading.ok) {
    const fault = HOST_NAME_FAULTS[reading.fault];
    return refuseFlat('egress.host-name', `${quote(destination.name)} is no plain host name: ${fault}.`);
  }
  const denial = rulesForName(policy.deny, reading.name)
    .flat()
    .find((compiled) => denies(compiled, intent));
  if (denial !== undefined) return refuseDenied(denial.rule, endpoint);
  const groups = rulesForName(policy.allow, reading.name);
  return decideByGroups(groups, intent) ?? refuseUnnamed(intent);
}

/** Allows by the first fitting rule, or refuses for the most specific one; null when there is no rule. */
function decideByGroups(groups: readonly (readonly CompiledRule[])[], intent: EgressIntent): RuleDecision | null {
  const fitting = groups.flat().filter((compiled) => misfitOf(compiled, intent) === null);
  // Of a tunnel's rules the one that lets it carry more counts, as any that allows is enough.
  const allowing = fitting.find(({ rule }) => intent.form === 'tunnel' && rule.protocol === 'tcp') ?? fitting[0];
  if (allowing !== undefined) return allow(allowing.rule, intent);
  const closest = closestRule(groups[0] ?? [], intent);
  return closest === undefined ? null : refuseMisfit(closest.compiled.rule, closest.misfit, intent);
}

/** An address that is asked for itself is reached only where an allow rule writes it out, or as a public one under `*`. */
function decideLiteral(policy: CompiledPolicy, intent: EgressIntent, address: Address): RuleDecision {
  const endpoint = text.endpointText(intent);
  const denial = denialsOfAddress(policy, address).find((compiled) => denies(compiled, intent));
  if (denial !== undefined) return refuseDenied(denial.rule, endpoint);
  const kind = classifyAddress(address);
  const groups = rulesForAddress(policy.allow, address);
  const open = needsLiteral(kind) ? groups.filter((group) => group.some(isExact)) : groups;
  const all = anyCoversAddress(policy, address) ? [...open, policy.allow.any] : open;
  return decideByGroups(all, intent) ?? refuseUnlisted(intent, address, policy.allow.any.length > 0);
}

/** The decision that allows. */
function allow(rule: EgressRule, intent: EgressIntent): RuleDecision {
  const message = `${text.ruleText(rule)} allows ${text.endpointText(intent)}.`;
  return { verdict: 'allow', reason: 'egress.allowed', rule: rule.pointer, message, suggestion: null, matched: rule };
}

function refuseDenied(rule: EgressRule, endpoint: string): RuleDecision {
  const message = `${text.ruleText(rule)} denies ${endpoint}.`;
  return refuse('egress.denied-host', rule, message, text.removeText(rule));
}

function refuseMisfit(rule: EgressRule, misfit: Misfit, intent: EgressIntent): RuleDecision {
  const host = destinationText(intent.destination);
  const endpoint = text.endpointText(intent);
  const name = text.ruleText(rule);
  const place = text.placeText(rule.pointer);
  if (misfit === 'port') {
    const message = `${name} allows ${host} on ${text.portsText(rule.ports ?? [])}, not ${endpoint}.`;
    return refuse('egress.port', rule, message, text.addText(host, intent.port));
  }
  if (misfit === 'method-hidden') {
    const message = `${name} limits methods or paths, which the tunnel to ${endpoint} hides.`;
    const suggestion = `${text.addText(host, intent.port).slice(0, -1)} without methods and paths, or ask by http.`;
    return refuse('egress.method-hidden', rule, message, suggestion);
  }
  if (misfit === 'method') {
    const message = `${name} does not allow ${quote(intent.method)} at ${endpoint}.`;
    return refuse('egress.method', rule, message, `Add ${quote(intent.method)} to the methods of ${place}.`);
  }
  const message = `${name} does not allow this path at ${endpoint}.`;
  return refuse('egress.path', rule, message, `Add the path to the paths of ${place}.`);
}

function refuseUnnamed(intent: EgressIntent): RuleDecision {
  const message = `No rule of the card names ${text.endpointText(intent)}.`;
  return refuse('egress.no-rule', null, message, text.addText(destinationText(intent.destination), intent.port));
}

function refuseUnlisted(intent: EgressIntent, address: Address, hasAny: boolean): RuleDecision {
  const kind = classifyAddress(address);
  const endpoint = text.endpointText(intent);
  const suggestion = text.writeOutText(unmapped(address), intent.port, kind);
  const what = kind === 'public' ? 'an address' : text.CLASS_NAMES[kind];
  const why = hasAny && kind === 'public' ? ', and with denied names "*" covers no addresses' : '';
  const message = `${endpoint} is ${what} that no rule of the card writes out${why}.`;
  return refuse(reasonOfClass(kind, 'egress.address-unlisted'), null, message, suggestion);
}

function refuseFlat(reason: ReasonCode, message: string): RuleDecision {
  return refuse(reason, null, message, null);
}

function refuse(reason: ReasonCode, rule: EgressRule | null, message: string, suggestion: string | null): RuleDecision {
  return { verdict: 'deny', reason, rule: rule?.pointer ?? null, message, suggestion, matched: rule };
}
