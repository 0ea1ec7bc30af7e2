import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { writeAll } from './descriptor-writer.ts';

/** The reader of one of our own streams is gone, or it cannot be written to. */
export class BrokenOutput extends Error {
  override readonly name = 'BrokenOutput';

  constructor(descriptor: number, cause: unknown) {
    super(`cannot write to ${descriptor === 1 ? 'standard output' : 'standard error'}`, { cause });
  }

  /** Whether there is just nobody who reads any more, as after `| head`. */
  get isPipe(): boolean {
    return (this.cause as NodeJS.ErrnoException).code === 'EPIPE';
  }
}

/**
 * Passes everything an agent writes to a descriptor of ours, no faster than
 * that takes it. Resolves when the agent's end is closed. Throws `BrokenOutput`;
 * the agent's end is closed then, and its next write fails as on a pipe.
 */
export async function relayOutput(
  connection: Socket,
  descriptor: number,
  seen: (piece: Uint8Array) => void,
): Promise<void> {
  try {
    for await (const piece of piecesOf(connection)) {
      seen(piece);
      await writeAll(descriptor, piece).catch((error: unknown) => {
        throw new BrokenOutput(descriptor, error);
      });
    }
  } finally {
    connection.destroy();
  }
}

/** A connection that breaks has ended: what arrived before is all there is. */
async function* piecesOf(connection: Socket): AsyncGenerator<Uint8Array, void, void> {
  const pieces: AsyncIterator<Buffer> = connection[Symbol.asyncIterator]();
  for (;;) {
    const next = await pieces.next().catch(() => null);
    if (next === null || next.done === true) return;
    yield next.value;
  }
}

/**
 * Passes our standard input to an agent, no faster than it reads, and its end
 * too. `input` null is an input that ended already.
 */
export function relayInput(connection: Socket, input: Readable | null): void {
  // An agent that does not read its input to the end is nothing unusual.
  connection.on('error', () => connection.destroy());
  // PID 1 shuts down the other direction; reading it to its end lets the socket close.
  connection.resume();
  if (input === null || input.readableEnded || input.destroyed) {
    connection.end();
    return;
  }
  // Not `pipe`: it asks for `process.stdout`, and Node makes a pipe non-blocking when that is first asked for.
  input.on('data', (piece: Uint8Array) => {
    if (!connection.write(piece)) input.pause();
  });
  connection.on('drain', () => input.resume());
  connection.once('close', () => input.pause());
  input.once('error', () => connection.end());
  input.once('end', () => connection.end());
}
