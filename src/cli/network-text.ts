import type { EgressRule, PlanView } from '../client/api.gen.ts';
import { escapeText } from './escape.ts';
import { renderTable } from './table.ts';

/** How an agent would be connected: what it may reach with where each rule comes from, and what bounds it. */
export function networkText({ mode, isEnforced, explanation, egress }: PlanView['network']): string {
  const title = `${escapeText(mode)}${isEnforced ? '' : ' (not enforced)'}: ${escapeText(explanation)}`;
  if (egress === null) return title;
  const { allow, deny, upstream, upstreamFrom, hasCredentials, maxBytes, requestsPerMinute } = egress;
  const bounds = [
    ...(upstream === null
      ? []
      : [
          `Upstream proxy: ${escapeText(upstream)}${hasCredentials ? ', with credentials' : ''}${upstreamFrom === 'config.json' ? ' (from config.json)' : ''}`,
        ]),
    ...(maxBytes === null ? [] : [`At most ${maxBytes} bytes`]),
    ...(requestsPerMinute === null ? [] : [`At most ${requestsPerMinute} requests per minute`]),
  ];
  const rows = [...allow.map((rule) => ruleRow('allow', rule)), ...deny.map((rule) => ruleRow('deny', rule))];
  const table = rows.length === 0 ? 'No host may be reached.' : renderTable(COLUMNS, rows, null).trimEnd();
  return [title, '', table, ...(bounds.length === 0 ? [] : ['', ...bounds])].join('\n');
}

const COLUMNS = ['RULE', 'HOST', 'PORTS', 'LIMITS', 'FROM', 'REASON'];

function ruleRow(verdict: string, rule: EgressRule): readonly string[] {
  const { host, ports, methods, paths, protocol, pointer, reason } = rule;
  const limits = [...(protocol === 'tcp' ? ['any protocol'] : []), ...(methods ?? []), ...(paths ?? [])];
  return [verdict, host, ports === null ? 'all' : ports.join(' '), limits.join(' '), pointer, reason ?? ''];
}
