import type { ServerResponse } from 'node:http';

/** Sends one JSON value. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  mediaType: string = 'application/json',
): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'content-type': mediaType, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** Sends that there is nothing to say. */
export function sendEmpty(response: ServerResponse): void {
  response.writeHead(204);
  response.end();
}

/**
 * Sends one JSON value per line as they come. When `signal` stops it, the
 * response ends without its last chunk, so that a caller sees it was cut.
 */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  for await (const event of events) {
    if (signal.aborted) break;
    // A reader that is slow holds back what is read for it.
    if (!response.write(`${JSON.stringify(event)}\n`)) await drained(response, signal);
  }
  if (signal.aborted) response.destroy();
  else response.end();
}

/** Resolves when a response takes more, or when nobody wants it any more. */
function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.on('drain', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
