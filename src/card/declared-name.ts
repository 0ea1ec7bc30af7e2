import { isAgentId } from '../base/ids.ts';
import type { Problem } from '../base/result.ts';
import type { CardFormat } from './reading.ts';

/** What the name of a file in the cards directory says of its card. */
export interface CardFile {
  readonly id: string;
  readonly name: string;
  readonly format: CardFormat;
}

/** The declared card of a file name, `ID.json` or `ID.toml`; null for a file that is none. */
export function declaredName(name: string): CardFile | null {
  const match = /^(.+)\.(json|toml)$/.exec(name);
  const id = match?.[1] ?? '';
  const format = match?.[2];
  return (format === 'json' || format === 'toml') && isAgentId(id) ? { id, name, format } : null;
}

/** What is wrong with a declared card of this id in a file of this name, or null. */
export function idMismatch({ id, name }: CardFile, agentId: string): Problem | null {
  if (agentId === id) return null;
  return {
    code: 'card.id-mismatch',
    pointer: '/agent_id',
    message: `The card is ${name}, but its agent_id is "${agentId}"; the two must be the same.`,
    suggestion: `Write "agent_id": "${id}", or rename the file.`,
  };
}
