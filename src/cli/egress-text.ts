import type { AgentView } from '../client/api.gen.ts';
import { hostPort } from './audit-text.ts';
import { escapeText } from './escape.ts';

/** Refusals that are named in one line. */
const NAMED_MAX = 3;

/** What an agent was refused, most frequent first, and where to read more; null when nothing was. */
export function refusalsText({ id, egress }: AgentView): string | null {
  if (egress === null || egress.refused === 0) return null;
  const named = egress.topRefusals.slice(0, NAMED_MAX);
  const parts = named.map(({ host, port, reason, count }) => {
    const times = count === 1 ? '' : ` ${count} times`;
    return `${hostPort(host, port)}${times} (${reason})`;
  });
  const rest = egress.refused - named.reduce((sum, { count }) => sum + count, 0);
  if (rest > 0) parts.push(named.length === 0 ? countText(rest) : `and ${rest} more`);
  return `${escapeText(parts.join(', '))}; see: agentctl audit ${id} --denied`;
}

/** What came of an agent's requests, in a few words; null when it made none. */
export function requestsText({ egress }: AgentView): string | null {
  if (egress === null) return null;
  return `${egress.allowed} allowed, ${egress.refused} refused`;
}

function countText(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`;
}
