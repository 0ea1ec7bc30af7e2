import type { AgentView, OutcomeView } from '../client/api.gen.ts';
import { refusalsText } from './egress-text.ts';
import { escapeText } from './escape.ts';
import { bytesText, durationText, secondsBetween } from './quantity.ts';

/** One line about an agent that ended: outcome, duration, what it used. */
export function summaryLine(agent: AgentView): string {
  const { usage, outcome, startedAt, endedAt } = agent;
  const seconds = secondsBetween(startedAt, endedAt);
  const parts = [
    `${outcome === null ? agent.state : outcomeText(outcome)}${seconds === null ? '' : ` after ${durationText(seconds)}`}`,
  ];
  if (usage.memoryPeakBytes !== null) {
    parts.push(`peak memory ${bytesText(usage.memoryPeakBytes)} of ${bytesText(usage.memoryMaxBytes)}`);
  }
  if (usage.cpuSeconds !== null) parts.push(`CPU ${durationText(usage.cpuSeconds)}`);
  if (usage.forksRefused !== null && usage.forksRefused > 0) parts.push(`${usage.forksRefused} forks refused`);
  if (agent.restarts > 0) parts.push(`${agent.restarts} restarts`);
  return `agent ${agent.id}: ${parts.join(' · ')}`;
}

/** As {@link summaryLine}, with what it was refused on a line of its own. */
export function summaryText(agent: AgentView): string {
  const refusals = refusalsText(agent);
  return `${summaryLine(agent)}\n${refusals === null ? '' : `agent ${agent.id}: refused ${refusals}\n`}`;
}

/** How an agent ended, in a few words. */
export function outcomeText(outcome: OutcomeView): string {
  switch (outcome.kind) {
    case 'exited':
      return `exited ${outcome.status}`;
    case 'signalled':
      return `killed by ${outcome.signal}`;
    case 'ttl':
      return 'time limit reached';
    case 'oom':
      return 'out of memory';
    case 'stopped':
      return 'stopped';
    case 'start-failed':
      return `failed to start (${escapeText(outcome.message)})`;
    case 'lost':
      return 'ended unobserved';
  }
}
