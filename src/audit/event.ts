import { sha256 } from '../base/digest.ts';
import { AUDIT_PATH_MAX } from '../base/limits.ts';
import { quote } from '../base/quote.ts';
import type { Address } from '../policy/address.ts';
import type { Decision } from '../policy/decision.ts';
import { destinationText, type EgressIntent } from '../policy/intent.ts';
import type { ProviderName } from '../policy/provider.ts';
import type { AgentTable, EgressPolicy, EgressRule, EgressSummary, GatewayUsage } from '../policy/table.ts';
import type {
  AuditEvent,
  ClosedEvent,
  DecisionEvent,
  ModelCallEvent,
  ModelTotalsEvent,
  OpenedEvent,
  RulesChangedEvent,
  TunnelClosedEvent,
} from './event.gen.ts';

/** Members that the log itself adds to an event. */
type Frame = 'version' | 'sequence' | 'time' | 'agent' | 'previous' | 'hash';

/** An event before it has a place in the log. */
export type Draft<E extends AuditEvent> = E extends AuditEvent ? Omit<E, Frame> : never;

/** What can be written to the log. */
export type AuditDraft = Draft<AuditEvent>;

/** What is known of a request that is to be written down; null where it could not be read. Hosts and methods may be anything. */
export interface AuditSubject {
  readonly form: EgressIntent['form'] | null;
  readonly method: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
}

/** Nothing is known: the head of the request could not be read. */
export const UNREADABLE: AuditSubject = { form: null, method: null, host: null, port: null, path: null };

/** A name in lower-case letters, digits, `-`, `_` and dots, or an address: what may stand as it is. */
const PLAIN_HOST = /^[a-z0-9._-]{1,255}$|^[0-9a-f:.]{2,45}$/;
const PLAIN_METHOD = /^[A-Za-z-]{1,32}$/;
/** A rule's host: also a wildcard or a range. */
const PLAIN_RULE_HOST = /^[a-z0-9._:*/-]{1,300}$/;
const UNPRINTABLE = /[^\x21-\x7e]+/g;
const PORT_MAX = 65_535;

/** The subject of a request that was read. */
export function auditSubject(intent: EgressIntent): AuditSubject {
  const { form, method, destination, port, path } = intent;
  return { form, method, host: destinationText(destination), port, path };
}

/** A request that was decided; `address` is what will be dialled, null when nothing is. */
export function decisionDraft(
  subject: AuditSubject,
  decision: Decision,
  address: Address | null,
): Draft<DecisionEvent> {
  return {
    kind: 'decision',
    verdict: decision.verdict,
    reason: decision.reason,
    rule: decision.rule,
    form: subject.form,
    method: subject.method === null ? null : shown(subject.method, PLAIN_METHOD),
    host: subject.host === null ? null : shownHost(subject.host),
    port: shownPort(subject.port),
    path: subject.path === null ? null : shownPath(subject.path),
    address: address === null ? null : address.text,
  };
}

/** A tunnel that has ended; the bytes are those of its payload. */
export function tunnelClosedDraft(
  subject: { readonly host: string; readonly port: number; readonly address: Address | null },
  traffic: { readonly bytesSent: number; readonly bytesReceived: number; readonly durationMs: number },
): Draft<TunnelClosedEvent> {
  return {
    kind: 'tunnel-closed',
    host: shownHost(subject.host),
    port: subject.port,
    address: subject.address?.text ?? null,
    bytesSent: traffic.bytesSent,
    bytesReceived: traffic.bytesReceived,
    durationMs: Math.max(0, Math.round(traffic.durationMs)),
  };
}

/** One request through a gateway that is over. */
export interface FinishedCall {
  readonly mount: string;
  readonly provider: ProviderName;
  /** Status of the answer, 0 without one. */
  readonly status: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** What counts as tokens when the answer of a model states none, else 0. */
  readonly estimatedTokens: number;
  /** All of the gateway so far, this call included. */
  readonly totals: GatewayUsage;
}

/** A request through a gateway is over; `since` is the begin of the agent's life, milliseconds since the epoch. */
export function modelCallDraft(call: FinishedCall, since: number): Draft<ModelCallEvent> {
  const { mount, provider, status, totals, ...counts } = call;
  const isEstimated = counts.estimatedTokens > 0;
  return { kind: 'model-call', mount, provider, status, ...counts, isEstimated, totals: totalsOf(totals, since) };
}

/** What was used of a gateway until here. */
export function modelTotalsDraft(usage: GatewayUsage, since: number): Draft<ModelTotalsEvent> {
  const { mount, provider } = usage;
  return { kind: 'model-totals', mount, provider, totals: totalsOf(usage, since) };
}

/** The counts, in the order of the schema. */
function totalsOf(
  { mount: _mount, provider: _provider, ...counts }: GatewayUsage,
  since: number,
): ModelTotalsEvent['totals'] {
  return { since: new Date(since).toISOString(), ...counts };
}

/** The rules of an agent were installed. Credentials of an upstream proxy are left out. */
export function openedDraft(table: AgentTable): Draft<OpenedEvent> {
  const { policy, upstream } = table;
  return {
    kind: 'opened',
    allowRules: policy.allow.length,
    denyRules: policy.deny.length,
    policy: Buffer.from(sha256(JSON.stringify([policy.allow, policy.deny]))).toString('hex'),
    upstream: upstream === null ? null : `${shownHost(upstream.host)}:${upstream.port}`,
    ...(upstream?.from === undefined ? {} : { upstreamFrom: upstream.from }),
  };
}

/** One event for each rule that one policy has and the other has not, told apart by pointer and content. */
export function rulesChangedDrafts(before: EgressPolicy, after: EgressPolicy): readonly Draft<RulesChangedEvent>[] {
  return (['deny', 'allow'] as const).flatMap((action) => [
    ...missing(after[action], before[action]).map((rule) => ruleDraft('added', action, rule)),
    ...missing(before[action], after[action]).map((rule) => ruleDraft('removed', action, rule)),
  ]);
}

/** The end of an agent's run. */
export function closedDraft(
  summary: Pick<EgressSummary, 'allowed' | 'refused' | 'bytesSent' | 'bytesReceived'>,
): Draft<ClosedEvent> {
  const { allowed, refused, bytesSent, bytesReceived } = summary;
  return { kind: 'closed', allowed, refused, bytesSent, bytesReceived };
}

function missing(rules: readonly EgressRule[], others: readonly EgressRule[]): readonly EgressRule[] {
  const known = new Set(others.map((rule) => JSON.stringify(rule)));
  return rules.filter((rule) => !known.has(JSON.stringify(rule)));
}

function ruleDraft(
  change: RulesChangedEvent['change'],
  action: RulesChangedEvent['action'],
  rule: EgressRule,
): Draft<RulesChangedEvent> {
  const { pointer, ports } = rule;
  return { kind: 'rules-changed', change, action, rule: pointer, host: shown(rule.host, PLAIN_RULE_HOST), ports };
}

/** A host as it is, or what a stranger put in its place: without what may be a password or a query, quoted and cut. */
function shownHost(host: string): string {
  if (PLAIN_HOST.test(host)) return host;
  const [authority = ''] = host.split(/[/?#]/, 1);
  return quote(authority.slice(authority.lastIndexOf('@') + 1));
}

function shown(text: string, plain: RegExp): string {
  return plain.test(text) ? text : quote(text);
}

function shownPort(port: number | null): number | null {
  return port !== null && Number.isInteger(port) && port >= 0 && port <= PORT_MAX ? port : null;
}

/** The path alone, percent-encoded where it is not printable, cut when long. */
function shownPath(path: string): string {
  const [bare = ''] = path.split(/[?#]/, 1);
  const printable = bare.slice(0, AUDIT_PATH_MAX + 1).replace(UNPRINTABLE, percentEncoded);
  return printable.length <= AUDIT_PATH_MAX ? printable : `${printable.slice(0, AUDIT_PATH_MAX)}...`;
}

function percentEncoded(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
