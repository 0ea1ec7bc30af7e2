import type { AuditDraft } from '../../../src/audit/event.ts';
import {
  auditSubject,
  closedDraft,
  decisionDraft,
  openedDraft,
  rulesChangedDrafts,
  tunnelClosedDraft,
} from '../../../src/audit/event.ts';
import type { Address } from '../../../src/policy/address.ts';
import type { Decision } from '../../../src/policy/decision.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import type { AgentTable, EgressRule } from '../../../src/policy/table.ts';

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
    ...rulesChangedDrafts(TABLE.policy, { ...TABLE.policy, deny: [live] }),
    { kind: 'repeated', reason: 'egress.no-rule', host: null, port: null, count: 3, since: '2030-01-01T00:00:00.000Z' },
    { kind: 'recovered', cause: 'torn-line', bytesRemoved: 12, unwritten: 0 },
    { kind: 'rotated', olderBytes: 8_388_000 },
    tunnelClosedDraft({ host: 'api.example.com', port: 443, address: ADDRESS }, traffic),
    closedDraft({ allowed: 1, refused: 4, bytesSent: 1834, bytesReceived: 90_211 }),
  ];
}
