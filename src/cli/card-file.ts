import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { type ErrorCode, SpawnError } from '../base/errors.ts';
import { CARD_BYTES_MAX } from '../base/limits.ts';
import { ok, type Result, refused } from '../base/result.ts';
import type { CardText } from '../client/api.gen.ts';

/** What a command line says for a card on standard input. */
export const STANDARD_INPUT = '-';

/**
 * The text of a card named on the command line. A `.toml` file is TOML, any
 * other JSON; on standard input the first character tells.
 * Throws `card.unreadable`, `card.too-large` or `card.syntax`.
 */
export async function readCardText(path: string): Promise<CardText> {
  const read = await tryCardText(path);
  if (read.ok) return read.value;
  const [problem] = read.problems;
  throw new SpawnError(problem?.code ?? 'card.unreadable', `${cardSource(path)}: ${problem?.message}`);
}

/** As {@link readCardText}; what is wrong is a value. */
export async function tryCardText(path: string): Promise<Result<CardText>> {
  const isInput = path === STANDARD_INPUT;
  const read = isInput ? ok(await readStream(process.stdin)) : readCardFile(path);
  if (!read.ok) return read;
  if (read.value.length > CARD_BYTES_MAX) {
    return refuse('card.too-large', `The card is larger than ${CARD_BYTES_MAX} bytes.`);
  }
  const text = decode(read.value);
  if (text === null) return refuse('card.syntax', 'The card is not UTF-8.');
  const isToml = isInput ? !/^\s*[{[]/.test(text) : path.endsWith('.toml');
  return ok({ text, format: isToml ? 'toml' : 'json', source: cardSource(path) });
}

/** What messages call a card of the command line. */
export function cardSource(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path;
}

/** Loading the asynchronous functions would cost 1 ms of each start, and there is nothing else to do meanwhile. */
function readCardFile(path: string): Result<Uint8Array> {
  try {
    return ok(readFileSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return refuse('card.unreadable', REASONS[code ?? ''] ?? `The card cannot be read: ${code}.`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file.',
  EACCES: 'The card may not be read: permission denied.',
  EISDIR: 'This is a directory, not a card.',
};

function refuse(code: ErrorCode, message: string): Result<never> {
  return refused([{ code, pointer: '', message }]);
}

async function readStream(stream: Readable): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > CARD_BYTES_MAX) break;
  }
  return Buffer.concat(pieces);
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
