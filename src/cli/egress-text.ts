import type { AgentView, BudgetView, KeyUsageView, KeyView } from '../client/api.gen.ts';
import { hostPort } from './audit-text.ts';
import { escapeText } from './escape.ts';
import { bytesText } from './quantity.ts';

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

/** How an agent comes by the use of one credential. */
export function credentialText({ provider, delivery, address, leadsTo, variable, source }: KeyView): string {
  const key = source === null ? ', without a key' : '';
  if (delivery === 'gateway') return `${provider} by the gateway ${address} to ${leadsTo}${key}`;
  return variable === null
    ? `${provider} without a key`
    : `${provider} in the agent's environment as ${variable}, where it can be given away`;
}

/** What was used of a gateway, in a few words. */
export function credentialUsageText(usage: KeyUsageView): string {
  const { requests, bytesSent, bytesReceived, inputTokens, outputTokens, estimatedTokens } = usage;
  if (requests === 0) return 'not used yet';
  const traffic = `${countText(requests)}, ${bytesText(bytesSent)} sent, ${bytesText(bytesReceived)} received`;
  const stated = inputTokens + outputTokens === 0 ? '' : `, ${inputTokens} tokens read, ${outputTokens} written`;
  const estimated = estimatedTokens === 0 ? '' : `, ${estimatedTokens} tokens estimated`;
  return `${traffic}${stated}${estimated}`;
}

/** What an agent may use of models, and how much of it is left. */
export function budgetText({ requests, tokens, requestsLeft, tokensLeft }: BudgetView): string {
  const parts = [boundText(requests, requestsLeft, 'calls of a model'), boundText(tokens, tokensLeft, 'tokens')];
  return parts.filter((part) => part !== null).join(', ');
}

function boundText(most: number | null, left: number | null, what: string): string | null {
  if (most === null) return null;
  return left === null ? `at most ${most} ${what}` : `${left} of ${most} ${what} left`;
}

function countText(count: number): string {
  return count === 1 ? '1 request' : `${count} requests`;
}
