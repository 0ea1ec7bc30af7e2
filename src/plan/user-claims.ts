import type { Problem } from '../base/result.ts';
import type { UserClaims } from './facts.ts';

/**
 * Refuses an agent whose user's name means something on this host already:
 * PID 1 would run it as that user, or give it the groups that list the name.
 */
export function userClaimProblems(user: string, claims: UserClaims): readonly Problem[] {
  const suggestion = 'Choose another agent_id.';
  if (claims.isUser) {
    const message = `The agent would run as the user "${user}", and this host has a user of that name already.`;
    return [{ code: 'plan.user-taken', pointer: '/agent_id', message, suggestion }];
  }
  const [group] = claims.groups;
  if (group === undefined) return [];
  const message = `The agent would run as the user "${user}", whom the group "${group}" of this host lists as a member.`;
  return [{ code: 'plan.user-taken', pointer: '/agent_id', message, suggestion }];
}
