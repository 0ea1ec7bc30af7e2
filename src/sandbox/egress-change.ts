import { SpawnError } from '../base/errors.ts';
import type { EgressRule } from '../policy/table.ts';
import type { Agent } from './agent.ts';
import type { EngineContext } from './context.ts';
import { changeTable, type EgressChange } from './live-rules.ts';
import { storeRecord } from './record.ts';

/**
 * Changes what a running agent may reach; the rule that stands for the change
 * is in force when this resolves, is in the agent's record, and goes with the
 * agent. Throws `sandbox.not-running`, `sandbox.no-egress`,
 * `sandbox.live-rules`, `card.host-pattern` and `host.egress-unavailable`.
 */
export async function changeEgress(context: EngineContext, agent: Agent, change: EgressChange): Promise<EgressRule> {
  const { id } = agent;
  await agent.starting;
  if (!agent.isLive) {
    throw new SpawnError('sandbox.not-running', `The agent "${id}" is not running.`, {
      remedy: 'Put the host in its card.',
    });
  }
  const rules: EgressRule[] = [];
  const egressTable = await context.egress.change(id, (present) => {
    const { table, rule } = changeTable(present ?? refuse(agent), change);
    rules.push(rule);
    return table;
  });
  agent.record = { ...agent.record, egressTable };
  await storeRecord(context.host, context.paths, agent.record);
  const [rule = refuse(agent)] = rules;
  context.report({ kind: 'egress-changed', id, ...change, rule: rule.pointer });
  return rule;
}

function refuse(agent: Agent): never {
  const { id, card } = agent.record;
  throw new SpawnError(
    'sandbox.no-egress',
    `The agent "${id}" has no way out: its network mode is "${card.network.mode}".`,
  );
}
