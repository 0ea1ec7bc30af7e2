import type { ResolvedCard } from '../card/resolve.ts';
import { type PlannedCredential, planCredentials } from '../plan/gateways.ts';
import { RELAY_URL } from '../plan/network.ts';
import type { EgressSummary, Gateway, GatewayBase, GatewayUsage } from '../policy/table.ts';
import type { BudgetView, KeyUsageView, KeyView } from './views.ts';

/** The credentials of a card as callers see them, in its order, and what was used of each; never a key. */
export function credentialViews(card: ResolvedCard, summary: EgressSummary | null): readonly KeyView[] {
  const planned = planCredentials(card);
  return planned.ok ? planned.value.map((credential) => credentialView(credential, summary)) : [];
}

/** What a card lets its agent use of models, and what is left of it; null without a bound. */
export function budgetView({ budget }: ResolvedCard, summary: EgressSummary | null): BudgetView | null {
  const { requests, tokens } = budget;
  if (requests === null && tokens === null) return null;
  const spent = summary === null ? null : sumOf(summary.gateways);
  return {
    requests,
    tokens,
    requestsSpent: spent?.requests ?? null,
    tokensSpent: spent?.tokens ?? null,
    requestsLeft: leftOf(requests, spent?.requests),
    tokensLeft: leftOf(tokens, spent?.tokens),
  };
}

function credentialView({ credential, gateway, variable }: PlannedCredential, summary: EgressSummary | null): KeyView {
  const usage = summary?.gateways.find(({ mount }) => mount === gateway?.mount);
  return {
    provider: credential.provider,
    delivery: gateway === null ? 'env' : 'gateway',
    source: credential.keyFile,
    address: gateway === null ? null : addressOf(gateway),
    leadsTo: gateway === null ? null : baseUrl(gateway.base),
    variable,
    usage: usage === undefined ? null : usageView(usage),
  };
}

function usageView({ mount: _mount, provider: _provider, ...counts }: GatewayUsage): KeyUsageView {
  return counts;
}

/** For git the path at the server is the same at the proxy. */
function addressOf({ provider, mount, base }: Gateway): string {
  return `${RELAY_URL}${mount}${provider === 'git' ? base.path : ''}`;
}

function baseUrl({ scheme, host, port, path }: GatewayBase): string {
  return new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`).href.replace(/\/$/, '');
}

function sumOf(gateways: readonly GatewayUsage[]): { readonly requests: number; readonly tokens: number } {
  const total = (count: (usage: GatewayUsage) => number): number => gateways.reduce((sum, one) => sum + count(one), 0);
  return {
    requests: total(({ modelCalls }) => modelCalls),
    tokens: total(({ inputTokens, outputTokens, estimatedTokens }) => inputTokens + outputTokens + estimatedTokens),
  };
}

function leftOf(most: number | null, spent: number | undefined): number | null {
  return most === null || spent === undefined ? null : Math.max(0, most - spent);
}
