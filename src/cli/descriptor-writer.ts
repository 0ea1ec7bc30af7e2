import { write } from 'node:fs';

/** Pause before a non-blocking descriptor that was full is tried again, milliseconds. */
const FULL_PAUSE_MS = 1;

/**
 * Writes all of `bytes` to a descriptor of this process. On a thread, unlike
 * `process.stdout`: a reader that stands still does not keep us from hearing
 * signals, and loading that stream costs 3 ms of each start.
 * Throws what write(2) reports, `EPIPE` when the reader is gone.
 */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const written = await writeSome(descriptor, bytes.subarray(done));
    // Another process made the descriptor it shares with us non-blocking.
    if (written === null) await new Promise((resolve) => setTimeout(resolve, FULL_PAUSE_MS));
    else done += written;
  }
}

/** Writes a text as {@link writeAll} does. */
export function writeText(descriptor: number, text: string): Promise<void> {
  return writeAll(descriptor, Buffer.from(text));
}

/** Bytes written, or null when the descriptor takes nothing now. */
function writeSome(descriptor: number, bytes: Uint8Array): Promise<number | null> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, (error, written) => {
      if (error === null) resolve(written);
      else if (error.code === 'EAGAIN') resolve(null);
      else reject(error);
    });
  });
}
