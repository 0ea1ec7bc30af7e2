import type { AuditDraft, FinishedCall } from '../../../src/audit/event.ts';
import {
  auditSubject,
  closedDraft,
  decisionDraft,
  modelCallDraft,
  modelTotalsDraft,
  openedDraft,
  rulesChangedDrafts,
  tunnelClosedDraft,
} from '../../../src/audit/event.ts';
import type { Address } from '../../../src/policy/address.ts';
import type { Decision } from '../../../src/policy/decision.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import type { AgentTable, EgressRule, GatewayUsage } from '../../../src/policy/table.ts';

/** A public address of the documentation (RFC 5737). */
export const ADDRESS: Address = { family: 4, bytes: [203, 0, 113, 7], text: '203.0.113.7' };

/** A rule of a card; keys may be replaced. */
export function rule(changes: Partial<EgressRule> = {}): EgressRule {
  return {
    host: 'api.example.com',
    ports: [80, 443],
    methods: null,
    paths: null,
    protocol: 'tls',
    pointer: '/allowed_hosts/0',
    reason: null,
    ...changes,
  };
}

/** A table of an agent with an upstream proxy that has a password. */
export const TABLE: AgentTable = {
  id: 'demo',
  policy: { allow: [rule()], deny: [] },
  upstream: { scheme: 'http', host: 'proxy.example.net', port: 8080, credentials: 'user:hunter2' },
  caps: { maxBytes: null, requestsPerMinute: null },
  gateways: [],
  budget: { requests: null, tokens: null },
};

/** What was used of a gateway; keys may be replaced. */
export function usage(changes: Partial<GatewayUsage> = {}): GatewayUsage {
  return {
    mount: '/anthropic',
    provider: 'anthropic',
    requests: 3,
    modelCalls: 2,
    bytesSent: 5000,
    bytesReceived: 90_000,
    inputTokens: 1200,
    outputTokens: 340,
    estimatedTokens: 0,
    ...changes,
  };
}

/** Begin of the life of the agent in the samples, milliseconds since the epoch. */
export const SINCE: number = Date.UTC(2030, 0, 1);

/** A call of a model that is over; keys may be replaced. */
export function modelCall(changes: Partial<FinishedCall> = {}): FinishedCall {
  return {
    mount: '/anthropic',
    provider: 'anthropic',
    status: 200,
    bytesSent: 2000,
    bytesReceived: 40_000,
    inputTokens: 600,
    outputTokens: 170,
    estimatedTokens: 0,
    totals: usage(),
    ...changes,
  };
}

/** A tunnel to the host of {@link rule}. */
export const INTENT: EgressIntent = {
  form: 'tunnel',
  destination: { kind: 'name', name: 'api.example.com' },
  port: 443,
  method: 'CONNECT',
  path: null,
};

/** A decision; keys may be replaced. */
export function decision(changes: Partial<Decision> = {}): Decision {
  return {
    verdict: 'allow',
    reason: 'egress.allowed',
    rule: '/allowed_hosts/0',
    message: 'It is allowed.',
    suggestion: null,
    ...changes,
  };
}

/** A refusal of a host that no rule names. */
export function refusal(name: string, port: number = 443): AuditDraft {
  const intent: EgressIntent = { ...INTENT, destination: { kind: 'name', name }, port };
  return decisionDraft(auditSubject(intent), decision({ verdict: 'deny', reason: 'egress.no-rule', rule: null }), null);
}

/** One event of every kind that is made by a constructor, in the order of a run. */
export function drafts(): readonly AuditDraft[] {
  const traffic = { bytesSent: 1834, bytesReceived: 90_211, durationMs: 1200.4 };
  const live = rule({ host: '*.example.org', pointer: '/live/deny/0', ports: null });
  return [
    openedDraft(TABLE),
    decisionDraft(auditSubject(INTENT), decision(), ADDRESS),
    refusal('evil.example'),
    modelCallDraft(modelCall(), SINCE),
    modelTotalsDraft(usage(), SINCE),
    ...rulesChangedDrafts(TABLE.policy, { ...TABLE.policy, deny: [live] }),
    { kind: 'repeated', reason: 'egress.no-rule', host: null, port: null, count: 3, since: '2030-01-01T00:00:00.000Z' },
    { kind: 'recovered', cause: 'torn-line', bytesRemoved: 12, unwritten: 0 },
    { kind: 'rotated', olderBytes: 8_388_000 },
    tunnelClosedDraft({ host: 'api.example.com', port: 443, address: ADDRESS }, traffic),
    closedDraft({ allowed: 1, refused: 4, bytesSent: 1834, bytesReceived: 90_211 }),
  ];
}
