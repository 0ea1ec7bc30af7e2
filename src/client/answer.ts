import { API_HEADER_BYTES_MAX } from '../base/limits.ts';
import { ByteReader } from './byte-reader.ts';

/** The beginning of an HTTP response, and its body as it comes. */
export interface Answer {
  readonly status: number;
  /** Content-Type without parameters, '' when there is none. */
  readonly mediaType: string;
  readonly body: AsyncIterable<Buffer>;
}

/** What arrived is not the HTTP the daemon speaks. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** Longest line that gives the size of a chunk, bytes. */
const CHUNK_LINE_BYTES_MAX = 64;

/**
 * Reads one HTTP/1.1 response (RFC 9112) from a connection that carries one:
 * a body with Content-Length or in chunks, which is all the daemon sends.
 * Throws `MalformedAnswer`, or `EndedEarly` when the connection closes too soon.
 */
export async function readAnswer(source: AsyncIterable<Buffer>): Promise<Answer> {
  const reader = new ByteReader(source);
  const first = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(await reader.line(API_HEADER_BYTES_MAX));
  if (first === null) throw new MalformedAnswer('the response does not begin with HTTP/1.1');
  const status = Number(first[1]);
  const fields = await readFields(reader);
  const [mediaType = ''] = (fields.get('content-type') ?? '').split(';');
  return { status, mediaType: mediaType.trim(), body: readBody(reader, status, fields) };
}

async function readFields(reader: ByteReader): Promise<ReadonlyMap<string, string>> {
  const fields = new Map<string, string>();
  for (let left = API_HEADER_BYTES_MAX; ; ) {
    const line = await reader.line(left);
    if (line === '') return fields;
    left -= line.length;
    const colon = line.indexOf(':');
    if (colon < 1) throw new MalformedAnswer('a header field has no name');
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
}

async function* readBody(
  reader: ByteReader,
  status: number,
  fields: ReadonlyMap<string, string>,
): AsyncGenerator<Buffer, void, void> {
  if (status === 204) return;
  if (fields.get('transfer-encoding') !== 'chunked') {
    const length = fields.get('content-length') ?? '';
    if (!/^\d{1,15}$/.test(length)) throw new MalformedAnswer('the response does not say how long it is');
    yield* reader.bytes(Number(length));
    return;
  }
  for (;;) {
    const size = /^([0-9a-f]{1,8})$/i.exec(await reader.line(CHUNK_LINE_BYTES_MAX))?.[1];
    if (size === undefined) throw new MalformedAnswer('a chunk does not say how long it is');
    const length = Number.parseInt(size, 16);
    if (length > 0) yield* reader.bytes(length);
    if ((await reader.line(CHUNK_LINE_BYTES_MAX)) !== '') throw new MalformedAnswer('a chunk is longer than it says');
    if (length === 0) return;
  }
}
