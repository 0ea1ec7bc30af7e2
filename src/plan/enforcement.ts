import type { Problem } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';

/**
 * What a card may say but this version cannot hold. Each is refused, never
 * ignored: an agent that starts has everything its card promises.
 */
export function unenforced(card: ResolvedCard): readonly Problem[] {
  const problems: Problem[] = [];
  const isHeld = (provider: string): boolean => card.apiKeyDelivery === 'env' && provider !== 'git';
  if (card.credentials.some(({ keyFile, provider }) => keyFile !== null && !isHeld(provider))) {
    problems.push(refuse('/api_key_file', 'API keys are not delivered to agents yet', 'Remove the key.'));
  }
  return problems;
}

function refuse(pointer: string, cause: string, suggestion: string): Problem {
  return {
    code: 'plan.not-enforced',
    pointer,
    message: `This version refuses ${pointer.slice(1)}: ${cause}.`,
    suggestion,
  };
}
