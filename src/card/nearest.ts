import { distance } from 'fastest-levenshtein';

/** Longest misspelt word that is compared with the right ones. */
export const COMPARED_MAX: number = 64;

/** The candidate that a misspelt or cut word was meant to be, or null when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > COMPARED_MAX) return null;
  const plain = plainWord(word);
  const near = candidates
    .map((candidate) => ({ candidate, steps: distance(plain, plainWord(candidate)) }))
    .filter(({ candidate, steps }) => steps <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.steps - b.steps);
  const longer = plain.length < 3 ? undefined : candidates.find((candidate) => plainWord(candidate).startsWith(plain));
  return near[0]?.candidate ?? longer ?? null;
}

/** `agentId`, `Agent-ID` and `agent id` are all spellings of `agent_id`. */
export function plainWord(word: string): string {
  return word
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-. ]/g, '_')
    .toLowerCase();
}
