import { problemsError, SpawnError } from '../base/errors.ts';
import { LIVE_RULES_MAX } from '../base/limits.ts';
import { DEFAULT_PORTS, parseEntry } from '../policy/pattern.ts';
import type { AgentTable, EgressRule } from '../policy/table.ts';

/** A change of what a running agent may reach. */
export interface EgressChange {
  readonly action: 'allow' | 'deny';
  /** As an entry of a card: a pattern, with or without a port. */
  readonly host: string;
}

/** A table after a change, and the rule that stands for the change in it. */
export interface ChangedTable {
  readonly table: AgentTable;
  readonly rule: EgressRule;
}

const LIVE = /^\/live\/(?:allow|deny)\/([0-9]+)$/;

/**
 * A table with one more live rule. A rule that is there already stays as it
 * is; the opposite one, if it is live too, goes. Throws `card.host-pattern`
 * and `sandbox.live-rules`.
 */
export function changeTable(table: AgentTable, change: EgressChange): ChangedTable {
  const { action } = change;
  const opposite = action === 'allow' ? 'deny' : 'allow';
  const rule = liveRule(table, change);
  const present = table.policy[action].find((other) => isLive(other) && isSame(other, rule));
  const live = table.policy[action].filter(isLive);
  if (present === undefined && live.length >= LIVE_RULES_MAX) throw tooMany(table.id, action);
  const policy = {
    ...table.policy,
    [action]: present === undefined ? [...table.policy[action], rule] : table.policy[action],
    [opposite]: table.policy[opposite].filter((other) => !(isLive(other) && isSame(other, rule))),
  };
  return { table: { ...table, policy }, rule: present ?? rule };
}

/** A card's table with the live rules that another table of the agent has. */
export function carryLiveRules(from: AgentTable | null, to: AgentTable): AgentTable {
  const allow = from?.policy.allow.filter(isLive) ?? [];
  const deny = from?.policy.deny.filter(isLive) ?? [];
  return { ...to, policy: { allow: [...to.policy.allow, ...allow], deny: [...to.policy.deny, ...deny] } };
}

function liveRule(table: AgentTable, { action, host }: EgressChange): EgressRule {
  const entry = parseEntry(host, '/host');
  if (!entry.ok) throw problemsError(entry.problems, `a host for agent "${table.id}"`);
  const { port } = entry.value;
  return {
    host: entry.value.host,
    ports: port === null ? (action === 'allow' ? DEFAULT_PORTS : null) : [port],
    methods: null,
    paths: null,
    protocol: 'tls',
    pointer: `/live/${action}/${nextNumber(table)}`,
    reason: null,
  };
}

/** Numbers are not used twice among the rules there are, so that a pointer means one of them. */
function nextNumber({ policy }: AgentTable): number {
  const numbers = [...policy.allow, ...policy.deny].map(({ pointer }) => Number(LIVE.exec(pointer)?.[1] ?? -1));
  return Math.max(-1, ...numbers) + 1;
}

function isLive({ pointer }: EgressRule): boolean {
  return LIVE.test(pointer);
}

function isSame(a: EgressRule, b: EgressRule): boolean {
  return a.host === b.host && isSamePort(a, b);
}

function isSamePort(a: EgressRule, b: EgressRule): boolean {
  const one = a.ports ?? DEFAULT_PORTS;
  const other = b.ports ?? DEFAULT_PORTS;
  return one.length === other.length && one.every((port, index) => port === other[index]);
}

function tooMany(id: string, action: EgressChange['action']): SpawnError {
  return new SpawnError(
    'sandbox.live-rules',
    `The agent "${id}" has ${LIVE_RULES_MAX} live rules to ${action}, as many as it may.`,
    {
      remedy: 'Put them in its card.',
    },
  );
}
