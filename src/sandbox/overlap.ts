import { isWithin } from '../base/paths.ts';
import type { Problem } from '../base/result.ts';
import type { Plan } from '../plan/plan.ts';
import type { Registry } from './registry.ts';

/**
 * A workspace belongs to one uid. Two agents of one real user may share that
 * user's checkout; any other overlap would take files from one agent and give
 * them to the other, or let one move what the other's sandbox is built on.
 */
export function overlapProblems(registry: Registry, plan: Plan): readonly Problem[] {
  const other = registry.all().find((agent) => {
    const { id, origin, user, card } = agent.record;
    if (id === plan.id || user.uid === plan.user.uid || user.name === '') return false;
    return (agent.isLive || origin === 'declared') && overlaps(card.workspace, plan.workspace.path);
  });
  if (other === undefined) return [];
  const { id, card } = other.record;
  return [
    {
      code: 'plan.workspace-refused',
      pointer: '/workspace',
      message: `The workspace ${plan.workspace.path} overlaps ${card.workspace}, the workspace of the agent "${id}".`,
      suggestion: 'Give each agent a directory of its own.',
    },
  ];
}

function overlaps(a: string, b: string): boolean {
  return isWithin(a, b) || isWithin(b, a);
}
