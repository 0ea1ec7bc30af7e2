import { ByteCursor } from './byte-cursor.ts';
import type { BadHello, ClientHello } from './client-hello.ts';
import { parseHostName } from './host-name.ts';

/** RFC 8446 section 4.1.2. */
const RANDOM_BYTES = 32;
const SESSION_ID_BYTES_MAX = 32;

const SERVER_NAME = 0;
/** RFC 9849; clients without a key send it with random contents. */
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;
/** Its forerunner in drafts, which encrypted the name alone. */
const ENCRYPTED_SERVER_NAME = 0xffce;

/** RFC 6066 section 3. */
const HOST_NAME = 0;

/** Parses the message without its type and length. */
export function parseHello(message: Uint8Array): ClientHello | BadHello {
  const cursor = new ByteCursor(message);
  cursor.number(2);
  cursor.bytes(RANDOM_BYTES);
  const sessionId = cursor.vector(1);
  const suites = cursor.vector(2);
  const compressions = cursor.vector(1);
  const isOdd = sessionId.length > SESSION_ID_BYTES_MAX || suites.length % 2 === 1;
  if (cursor.isBroken || isOdd || suites.length === 0 || compressions.length === 0) return malformed();
  // Before TLS 1.2 there were hellos without extensions.
  if (cursor.isAtEnd) return { kind: 'hello', serverName: null, encryptedClientHello: false };
  const extensions = readExtensions(cursor.vector(2));
  if (extensions === null || cursor.isBroken || !cursor.isAtEnd) return malformed();
  const encryptedClientHello = extensions.has(ENCRYPTED_CLIENT_HELLO) || extensions.has(ENCRYPTED_SERVER_NAME);
  const names = extensions.get(SERVER_NAME);
  if (names === undefined) return { kind: 'hello', serverName: null, encryptedClientHello };
  const serverName = readServerName(names);
  return typeof serverName === 'string' ? { kind: 'hello', serverName, encryptedClientHello } : serverName;
}

/** Contents by type; null when they do not fill the list or one comes twice, which servers read differently. */
function readExtensions(list: Uint8Array): ReadonlyMap<number, Uint8Array> | null {
  const extensions = new Map<number, Uint8Array>();
  const cursor = new ByteCursor(list);
  while (!cursor.isAtEnd) {
    const type = cursor.number(2);
    const contents = cursor.vector(2);
    if (cursor.isBroken || extensions.has(type)) return null;
    extensions.set(type, contents);
  }
  return extensions;
}

/** The one name of a server_name extension. */
function readServerName(extension: Uint8Array): string | BadHello {
  const outer = new ByteCursor(extension);
  const list = new ByteCursor(outer.vector(2));
  const type = list.number(1);
  const bytes = list.vector(2);
  if (outer.isBroken || !outer.isAtEnd || list.isBroken) return malformed();
  if (type !== HOST_NAME || !list.isAtEnd)
    return bad('The ClientHello names its server more than once or not as a host.');
  const { buffer, byteOffset, length } = bytes;
  const reading = parseHostName(Buffer.from(buffer, byteOffset, length).toString('latin1'));
  return reading.ok ? reading.name : bad('The ClientHello names a server that is not a plain host name.');
}

function malformed(): BadHello {
  return bad('The ClientHello is malformed.');
}

function bad(detail: string): BadHello {
  return { kind: 'bad', detail };
}
