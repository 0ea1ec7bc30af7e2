/** What a ClientHello that a test builds says. */
export interface HelloParts {
  /** Name in the server_name extension; undefined for none. */
  readonly serverName?: string;
  /** With an encrypted_client_hello extension as real clients and those that only pretend send it. */
  readonly encrypted?: boolean;
  /** Extension 21 (padding) of so many bytes. */
  readonly padding?: number;
  /** Size of the records it is cut into, bytes; by default one. */
  readonly recordBytes?: number;
  /** Minor version in the record header: 1 (TLS 1.0) by default. */
  readonly minor?: number;
}

/** A TLS ClientHello (RFC 8446, section 4.1.2) in records, one character for a byte. */
export function rawHello(parts: HelloParts): string {
  const extensions = [
    ...(parts.serverName === undefined ? [] : [extension(0, vector(2, [0, ...vector(2, ascii(parts.serverName))]))]),
    // Outer, HKDF-SHA256, AES-128-GCM, configuration 1, and made-up key and payload (RFC 9849, section 5).
    ...(parts.encrypted === true
      ? [extension(0xfe0d, [0, 0, 1, 0, 1, 1, ...vector(2, zeros(32)), ...vector(2, zeros(64))])]
      : []),
    extension(43, [2, 3, 4]),
    extension(10, vector(2, [0, 29])),
    extension(13, vector(2, [4, 3])),
    ...(parts.padding === undefined ? [] : [extension(21, zeros(parts.padding))]),
  ];
  const body = [3, 3, ...zeros(32), ...vector(1, zeros(32)), ...vector(2, [0x13, 0x01]), ...vector(1, [0])];
  const message = [1, ...vector(3, [...body, ...vector(2, extensions.flat())])];
  const size = parts.recordBytes ?? 16_384;
  const records: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    records.push(22, 3, parts.minor ?? 1, ...vector(2, message.slice(at, at + size)));
  }
  return Buffer.from(records).toString('latin1');
}

function extension(type: number, content: readonly number[]): readonly number[] {
  return [type >> 8, type & 255, ...vector(2, content)];
}

/** Content with its length before it, in so many bytes. */
function vector(lengthBytes: number, content: readonly number[]): readonly number[] {
  const length = Array.from(
    { length: lengthBytes },
    (_, index) => (content.length >> (8 * (lengthBytes - 1 - index))) & 255,
  );
  return [...length, ...content];
}

function ascii(text: string): readonly number[] {
  return [...Buffer.from(text, 'latin1')];
}

function zeros(count: number): readonly number[] {
  return Array<number>(count).fill(0);
}
