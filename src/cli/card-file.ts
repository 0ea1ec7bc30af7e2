import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { SpawnError } from '../base/errors.ts';
import { CARD_BYTES_MAX } from '../base/limits.ts';
import type { CardText } from '../client/api.gen.ts';

/** What a command line says for a card on standard input. */
export const STANDARD_INPUT = '-';

/**
 * The text of a card named on the command line. A `.toml` file is TOML, any
 * other JSON; on standard input the first character tells.
 * Throws `card.unreadable`, `card.too-large` or `card.syntax`.
 */
export async function readCardText(path: string): Promise<CardText> {
  const isInput = path === STANDARD_INPUT;
  const source = isInput ? 'standard input' : path;
  const bytes = isInput ? await readStream(process.stdin) : readCardFile(path);
  if (bytes.length > CARD_BYTES_MAX) {
    throw new SpawnError('card.too-large', `${source}: The card is larger than ${CARD_BYTES_MAX} bytes.`);
  }
  const text = decode(bytes, source);
  const isToml = isInput ? !/^\s*[{[]/.test(text) : path.endsWith('.toml');
  return { text, format: isToml ? 'toml' : 'json', source };
}

/** Loading the asynchronous functions would cost 1 ms of each start, and there is nothing else to do meanwhile. */
function readCardFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SpawnError('card.unreadable', `${path}: ${REASONS[code ?? ''] ?? `The card cannot be read: ${code}.`}`, {
      cause,
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file.',
  EACCES: 'The card may not be read: permission denied.',
  EISDIR: 'This is a directory, not a card.',
};

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

function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SpawnError('card.syntax', `${source}: The card is not UTF-8.`, { cause });
  }
}
