import { type AuditDraft, type AuditSubject, auditSubject, decisionDraft } from '../audit/event.ts';
import type { Address } from '../policy/address.ts';
import { authorityText } from '../policy/authority.ts';
import type { Decision } from '../policy/decision.ts';
import { decideGateway, decideGatewayAddresses, gatewayUpstream } from '../policy/gateway-decision.ts';
import { gatewaySecrets } from '../policy/gateway-fields.ts';
import type { EgressIntent } from '../policy/intent.ts';
import { REASONS, type ReasonCode } from '../policy/reasons.ts';
import type { CompiledPolicy } from '../policy/rules.ts';
import { secretForms } from '../policy/scrub.ts';
import type { AgentTable, EgressRule, Gateway, UpstreamProxy } from '../policy/table.ts';
import { type AuditLog, AuditUnwritable } from './audit-log.ts';
import { Judge } from './judge.ts';
import type { Meter } from './meter.ts';
import type { ModelMeter } from './model-meter.ts';
import { denial } from './refuse.ts';
import { Lookups } from './resolve.ts';
import type { Surroundings } from './surroundings.ts';

/** A request that may go on, or the refusal, which is counted and in the audit already. */
export type Admission<P extends Passage> = P | { readonly kind: 'refused'; readonly decision: Decision };

/** Where a request may go. It is in the audit with the first of the addresses. */
export interface Passage {
  readonly kind: 'pass';
  readonly decision: Decision;
  /** To dial in this order; empty when an upstream proxy resolves the name. */
  readonly addresses: readonly Address[];
  readonly upstream: UpstreamProxy | null;
}

/** Where a request may go that a rule allows. */
export interface RulePassage extends Passage {
  readonly rule: EgressRule;
}

/** Where a request to a gateway may go. */
export interface GatewayPassage extends Passage {
  /** As it is now: the credential is the one to use. */
  readonly gateway: Gateway;
}

/** What an agent may reach. */
export interface Rules {
  readonly table: AgentTable;
  readonly policy: CompiledPolicy;
}

/** What a gate is made of. */
export interface GateParts {
  readonly surroundings: Surroundings;
  readonly log: AuditLog;
  readonly meter: Meter;
  readonly models: ModelMeter;
}

/** Judges the requests of one agent: by its rules, its caps and the addresses that names lead to, in that order. */
export class Gate {
  readonly surroundings: Surroundings;
  readonly meter: Meter;
  readonly models: ModelMeter;
  readonly lookups: Lookups;
  readonly #log: AuditLog;
  readonly #running = new Set<Promise<unknown>>();
  #isClosed = false;
  #rules: Rules;
  #judge: Judge;
  #secretForms: readonly Buffer[];

  constructor(rules: Rules, { surroundings, log, meter, models }: GateParts) {
    this.surroundings = surroundings;
    this.meter = meter;
    this.models = models;
    this.lookups = new Lookups(surroundings);
    this.#log = log;
    this.#rules = rules;
    this.#judge = new Judge(rules.policy);
    this.#secretForms = secretFormsOf(rules);
  }

  get rules(): Rules {
    return this.#rules;
  }

  /** Every way in which an answer may spell one of the agent's keys. */
  get secretForms(): readonly Buffer[] {
    return this.#secretForms;
  }

  /** Waits for what was begun with {@link track} and is being cut; then nothing is allowed or written any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
    this.#isClosed = true;
  }

  /** Something whose end is to be in the audit. */
  async track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** From here on others apply. */
  replace(rules: Rules): void {
    this.#rules = rules;
    this.#judge = new Judge(rules.policy);
    this.#secretForms = secretFormsOf(rules);
  }

  /** What the rules say of a request now; nothing is counted or written. */
  judge(intent: EgressIntent): Decision {
    return intent.form === 'gateway' ? this.#judgeGateway(intent) : this.#judge.decide(intent);
  }

  /**
   * Judges a request to its end. `kept` is the address that an open connection to the same place leads to: as long as
   * that may be reached, no name is looked up.
   */
  async admit(intent: EgressIntent, kept: Address | null): Promise<Admission<RulePassage>> {
    const decision = this.#judge.decide(intent);
    const { matched } = decision;
    if (decision.verdict === 'deny' || matched === null) return this.#refused(intent, decision);
    const cap = this.meter.admit();
    if (cap !== null) return this.#refused(intent, plainDenial(cap, intent));
    const { upstream } = this.#rules.table;
    if (upstream !== null && intent.destination.kind === 'name') {
      return this.#allowed(intent, { kind: 'pass', decision, rule: matched, addresses: [], upstream });
    }
    const candidates = kept === null ? await this.#candidates(intent) : [kept];
    if ('verdict' in candidates) return this.#refused(intent, candidates);
    const own = this.surroundings.ownAddresses();
    const judged = this.#judge.decideAddresses(intent, matched, { candidates, own });
    if (judged.verdict === 'deny') return this.#refused(intent, judged);
    return this.#allowed(intent, { kind: 'pass', decision, rule: matched, addresses: judged.addresses, upstream });
  }

  /** Judges a request to a gateway to its end, as {@link admit} does: what is denied stays so, nothing needs to allow it. */
  async admitGateway(intent: EgressIntent, kept: Address | null): Promise<Admission<GatewayPassage>> {
    const decision = this.#judgeGateway(intent);
    const { gateway } = decision;
    if (decision.verdict === 'deny' || gateway === null) return this.#refused(intent, decision);
    const cap = this.meter.admit();
    if (cap !== null) return this.#refused(intent, plainDenial(cap, intent));
    const upstream = gatewayUpstream(gateway, this.#rules.table.upstream);
    if (upstream !== null) return this.#allowed(intent, { kind: 'pass', decision, gateway, addresses: [], upstream });
    const candidates = kept === null ? await this.#candidates(intent) : [kept];
    if ('verdict' in candidates) return this.#refused(intent, candidates);
    const judged = decideGatewayAddresses(this.#rules.policy, gateway, intent, candidates);
    if (judged.verdict === 'deny') return this.#refused(intent, judged);
    return this.#allowed(intent, { kind: 'pass', decision, gateway, addresses: judged.addresses, upstream });
  }

  /** Writes down that an allowed request goes to a further address; false when that cannot be written. */
  redirect(intent: EgressIntent, { decision }: Passage, address: Address): boolean {
    return this.#write(decisionDraft(auditSubject(intent), decision, address));
  }

  /** Counts a refusal and writes it down. What cannot be written is refused all the same. */
  refuse(subject: AuditSubject, decision: Decision): void {
    const { host, port } = subject;
    this.meter.refused(decision.reason, host === null || port === null ? null : { host, port });
    this.#write(decisionDraft(subject, decision, null));
  }

  /** Writes an event that nothing depends on; false when it cannot be written. */
  note(draft: AuditDraft): boolean {
    return this.#write(draft);
  }

  async #candidates(intent: EgressIntent): Promise<readonly Address[] | Decision> {
    if (intent.destination.kind === 'address') return [intent.destination.address];
    const resolution = await this.lookups.resolve(intent.destination.name);
    if (resolution.kind === 'addresses') return resolution.addresses;
    const reason = resolution.kind === 'late' ? 'egress.upstream-timeout' : 'egress.name-unknown';
    return denial(
      reason,
      reason === 'egress.name-unknown'
        ? `The name of ${authorityText(intent)} was not found.`
        : `The name of ${authorityText(intent)} was not found in time.`,
    );
  }

  #judgeGateway(intent: EgressIntent): ReturnType<typeof decideGateway> {
    const { policy, table } = this.#rules;
    return decideGateway(policy, table.gateways, intent);
  }

  #allowed<P extends Passage>(intent: EgressIntent, passage: P): Admission<P> {
    const isWritten = this.#write(decisionDraft(auditSubject(intent), passage.decision, passage.addresses[0] ?? null));
    if (!isWritten) return this.#refused(intent, plainDenial('egress.audit-unwritable', intent));
    this.meter.allowed();
    return passage;
  }

  #refused(intent: EgressIntent, decision: Decision): { readonly kind: 'refused'; readonly decision: Decision } {
    this.refuse(auditSubject(intent), decision);
    return { kind: 'refused', decision };
  }

  #write(draft: AuditDraft): boolean {
    if (this.#isClosed) return false;
    try {
      this.#log.write(draft);
      return true;
    } catch (error) {
      if (!(error instanceof AuditUnwritable)) throw error;
      if (error.isFirst) this.surroundings.onOutage?.(error);
      return false;
    }
  }
}

function secretFormsOf({ table }: Rules): readonly Buffer[] {
  return secretForms(gatewaySecrets(table.gateways));
}

/** A denial with the sentence of its reason, and where it was to go. */
export function plainDenial(reason: ReasonCode, intent: EgressIntent): Decision {
  return denial(reason, `${REASONS[reason].sentence.slice(0, -1)}, so not to ${authorityText(intent)} either.`);
}
