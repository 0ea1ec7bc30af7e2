import { CARD_BYTES_MAX, DECLARED_CARDS_MAX } from '../base/limits.ts';
import type { Problem } from '../base/result.ts';
import { type CardFile, declaredName, idMismatch } from '../card/declared-name.ts';
import { parseCard } from '../card/parse.ts';
import { type ResolvedCard, resolveCard } from '../card/resolve.ts';
import type { EngineContext } from './context.ts';

/** What a card file says. */
export interface CardRead {
  /** As it is written; empty when it cannot be read. */
  readonly text: string;
  /** Null for a text that is no card. */
  readonly card: ResolvedCard | null;
  readonly problems: readonly Problem[];
}

/** Where a card file is. */
export function cardPath(context: EngineContext, file: CardFile): string {
  return `${context.paths.cardsDirectory}/${file.name}`;
}

/** Card files in order of name; of two for one id the `.json` one counts. */
export async function listCardFiles(context: EngineContext): Promise<readonly CardFile[]> {
  const files = new Map<string, CardFile>();
  for (const name of await context.host.files.list(context.paths.cardsDirectory)) {
    const file = declaredName(name);
    if (file === null || files.has(file.id)) continue;
    files.set(file.id, file);
    if (files.size === DECLARED_CARDS_MAX) break;
  }
  return [...files.values()];
}

/** The card file of an id, or null when there is none. */
export async function findCardFile(context: EngineContext, id: string): Promise<CardFile | null> {
  return (await listCardFiles(context)).find((file) => file.id === id) ?? null;
}

/** Reads one card file. */
export async function readCardFile(context: EngineContext, file: CardFile): Promise<CardRead> {
  const path = cardPath(context, file);
  let bytes: Uint8Array | null;
  try {
    bytes = await context.host.files.read(path, CARD_BYTES_MAX + 1);
  } catch (error) {
    return unread(`The card cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (bytes === null) return unread(`The card ${path} does not exist any more.`);
  const parsed = parseCard(bytes, { format: file.format });
  const text = new TextDecoder().decode(bytes);
  if (!parsed.ok) return { text, card: null, problems: parsed.problems };
  const card = resolveCard(parsed.value, 'declared');
  const mismatch = idMismatch(file, card.agentId);
  return { text, card, problems: mismatch === null ? [] : [mismatch] };
}

function unread(message: string): CardRead {
  return { text: '', card: null, problems: [{ code: 'card.unreadable', pointer: '', message }] };
}
