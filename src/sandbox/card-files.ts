import { CARD_BYTES_MAX, DECLARED_CARDS_MAX } from '../base/limits.ts';
import type { Problem } from '../base/result.ts';
import { type CardFile, declaredName, idMismatch } from '../card/declared-name.ts';
import { parseCard } from '../card/parse.ts';
import { type ResolvedCard, resolveCard } from '../card/resolve.ts';
import type { WrittenCard } from '../card/same-card.ts';
import type { EngineContext } from './context.ts';

/** What a card file says. */
export interface CardRead {
  readonly id: string;
  readonly path: string;
  /** With an empty text when it cannot be read. */
  readonly written: WrittenCard;
  /** Null for a text that is no card. */
  readonly card: ResolvedCard | null;
  readonly problems: readonly Problem[];
}

/** The cards there are, in order of name; of two for one id the `.json` one counts. */
export async function* readCards(context: EngineContext): AsyncGenerator<CardRead, void, void> {
  const seen = new Set<string>();
  for (const name of await context.host.files.list(context.paths.cardsDirectory)) {
    const file = declaredName(name);
    if (file === null || seen.has(file.id)) continue;
    const read = await readFile(context, file);
    if (read === null) continue;
    yield read;
    seen.add(file.id);
    if (seen.size === DECLARED_CARDS_MAX) return;
  }
}

/** The card of an id, or null when there is none. */
export async function readCard(context: EngineContext, id: string): Promise<CardRead | null> {
  for (const format of ['json', 'toml'] as const) {
    const read = await readFile(context, { id, name: `${id}.${format}`, format });
    if (read !== null) return read;
  }
  return null;
}

/** Null for a file that is not there, and for a symlink to nothing. */
async function readFile(context: EngineContext, file: CardFile): Promise<CardRead | null> {
  const { id, format } = file;
  const path = `${context.paths.cardsDirectory}/${file.name}`;
  let bytes: Uint8Array | null;
  try {
    bytes = await context.host.files.readLinked(path, CARD_BYTES_MAX + 1);
  } catch (error) {
    const message = `The card cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    const problem = { code: 'card.unreadable', pointer: '', message } as const;
    return { id, path, written: { text: '', format }, card: null, problems: [problem] };
  }
  if (bytes === null) return null;
  const parsed = parseCard(bytes, { format });
  const written = { text: new TextDecoder().decode(bytes), format };
  if (!parsed.ok) return { id, path, written, card: null, problems: parsed.problems };
  const card = resolveCard(parsed.value, 'declared');
  const mismatch = idMismatch(file, card.agentId);
  return { id, path, written, card, problems: mismatch === null ? [] : [mismatch] };
}
