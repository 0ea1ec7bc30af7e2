import type { Problem } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';

/** What a card may say although nothing holds it yet. */
interface Unenforced {
  readonly pointer: string;
  readonly isAsked: (card: ResolvedCard) => boolean;
  readonly cause: string;
  readonly suggestion: string;
}

/** This version holds all that a card can say. */
const UNENFORCED: readonly Unenforced[] = [];

/**
 * What a card may say but this version cannot hold. Each is refused, never
 * ignored: an agent that starts has everything its card promises.
 */
export function unenforced(card: ResolvedCard): readonly Problem[] {
  return UNENFORCED.filter(({ isAsked }) => isAsked(card)).map(({ pointer, cause, suggestion }) => {
    const message = `This version refuses ${pointer.slice(1)}: ${cause}.`;
    return { code: 'plan.not-enforced', pointer, message, suggestion };
  });
}
