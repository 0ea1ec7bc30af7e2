import type { AgentDetail, AgentView, KeyView } from '../client/api.gen.ts';
import { budgetText, credentialText, credentialUsageText, refusalsText, requestsText } from './egress-text.ts';
import { escapeText } from './escape.ts';
import { planText } from './plan-text.ts';
import { bytesText, durationText, secondsBetween } from './quantity.ts';
import { shellLine } from './shell-quote.ts';
import { outcomeText, summaryLine } from './summary.ts';
import { renderTable } from './table.ts';

/** How texts for people are made. */
export interface TextOptions {
  /** Now, as RFC 3339. */
  readonly now: string;
  /** Cells of a line of the terminal, or null when it is none. */
  readonly width: number | null;
}

/** Agents as a table. */
export function agentTable(agents: readonly AgentView[], { now, width }: TextOptions): string {
  if (agents.length === 0) return 'No agents.\n';
  const rows = agents.map((agent) => [
    agent.id,
    agent.outcome === null ? agent.state : outcomeText(agent.outcome),
    ageText(agent.endedAt ?? agent.startedAt, now),
    agent.network,
    agent.description,
  ]);
  return renderTable(['ID', 'STATE', 'SINCE', 'NETWORK', 'DESCRIPTION'], rows, width);
}

/** One agent as a list of its properties. */
export function agentText(agent: AgentView, { now }: TextOptions): string {
  const properties: readonly (readonly [name: string, value: string | null])[] = [
    ['Unit', agent.unit],
    ['Description', agent.description === '' ? null : agent.description],
    ['State', stateText(agent, now)],
    ['Ends', agent.expiresAt === null ? null : `${agent.expiresAt}, in ${ageText(now, agent.expiresAt)}`],
    ['Outcome', agent.outcome === null ? null : agent.outcome.message],
    ['Origin', agent.origin],
    ['User', `${agent.user} (uid ${agent.uid})`],
    ['Workspace', agent.workspace],
    ['Network', agent.network],
    ['Requests', requestsText(agent)],
    ['Refused', refusalsText(agent)],
    ...agent.published.map(({ port, listen }) => ['Published', `port ${port} at ${listen}`] as const),
    ...agent.credentials.flatMap(credentialProperties),
    ['Budget', agent.budget === null ? null : budgetText(agent.budget)],
    ['Command', shellLine(agent.command)],
    ['Labels', labelsText(agent)],
    ...usageProperties(agent),
    ...agent.notices.map((notice) => ['Note', notice] as const),
  ];
  const present = properties.flatMap(([name, value]) =>
    value === null ? [] : [`  ${name.padEnd(12)} ${escapeText(value)}`],
  );
  return `agent ${agent.id}\n${present.join('\n')}\n`;
}

/** One agent with its card and its plan. */
export function detailText(agent: AgentDetail, options: TextOptions): string {
  const card = escapeText(JSON.stringify(agent.card, null, 2)).replaceAll('\\n', '\n');
  return `${agentText(agent, options)}\n# Card\n\n${card}\n\n${planText(agent.plan)}`;
}

/** One line about what became of an agent. */
export function changeLine(agent: AgentView): string {
  if (agent.state === 'ended') return `${summaryLine(agent)}\n`;
  return `agent ${agent.id}: ${agent.state}\n${agent.notices.map((notice) => `  note: ${escapeText(notice)}\n`).join('')}`;
}

function credentialProperties(credential: KeyView): readonly (readonly [string, string | null])[] {
  const { usage } = credential;
  return [
    ['Key', credentialText(credential)],
    ['', usage === null ? null : credentialUsageText(usage)],
  ];
}

function stateText(agent: AgentView, now: string): string {
  const { state, startedAt, endedAt, mainPid, restarts } = agent;
  const parts: string[] = [state];
  if (endedAt !== null && state === 'ended') parts[0] = `${state} at ${endedAt}, ${ageText(endedAt, now)} ago`;
  else if (startedAt !== null) parts[0] = `${state} since ${startedAt}, for ${ageText(startedAt, now)}`;
  if (mainPid !== null) parts.push(`main process ${mainPid}`);
  if (restarts > 0) parts.push(`${restarts} restarts`);
  return parts.join(', ');
}

function usageProperties({ usage }: AgentView): readonly (readonly [string, string | null])[] {
  const { memoryBytes, memoryPeakBytes, memoryMaxBytes, tasks, tasksMax, cpuSeconds, forksRefused } = usage;
  const memory = memoryBytes === null ? '' : `${bytesText(memoryBytes)}, `;
  const peak = memoryPeakBytes === null ? '' : `peak ${bytesText(memoryPeakBytes)}, `;
  const refused = forksRefused === null || forksRefused === 0 ? '' : `, ${forksRefused} forks refused`;
  return [
    ['Memory', `${memory}${peak}at most ${bytesText(memoryMaxBytes)}`],
    ['Tasks', `${tasks === null ? '' : `${tasks}, `}at most ${tasksMax}${refused}`],
    ['CPU', cpuSeconds === null ? null : durationText(cpuSeconds)],
  ];
}

function labelsText({ labels }: AgentView): string | null {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? null : pairs.join(' ');
}

function ageText(from: string | null, to: string): string {
  const seconds = secondsBetween(from, to);
  return seconds === null ? '-' : durationText(seconds);
}
