/** Parts of a ClientHello that tests vary. */
export interface HelloParts {
  /** Contents of extensions with their types, in order; null for a hello without the list. */
  readonly extensions: readonly (readonly [number, Uint8Array])[] | null;
  readonly sessionId?: Uint8Array;
  readonly suites?: Uint8Array;
  readonly compressions?: Uint8Array;
}

/** The extension of a server name with these entries. */
export function serverNames(...entries: readonly (readonly [number, string])[]): readonly [number, Uint8Array] {
  const list = entries.map(([type, name]) => Buffer.concat([Buffer.of(type), vector(2, Buffer.from(name, 'latin1'))]));
  return [0, vector(2, Buffer.concat(list))];
}

/** A ClientHello as a handshake message. */
export function helloMessage(parts: HelloParts): Buffer {
  const { extensions, sessionId = Buffer.alloc(32), suites = Buffer.of(0x13, 1), compressions = Buffer.of(0) } = parts;
  const list = (extensions ?? []).map(([type, contents]) => Buffer.concat([number(2, type), vector(2, contents)]));
  return handshake(
    1,
    Buffer.concat([
      Buffer.of(3, 3),
      Buffer.alloc(32, 7),
      vector(1, sessionId),
      vector(2, suites),
      vector(1, compressions),
      ...(extensions === null ? [] : [vector(2, Buffer.concat(list))]),
    ]),
  );
}

/** A handshake message of a type. */
export function handshake(type: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(type), vector(3, body)]);
}

/** A message cut into records of at most `size` bytes. */
export function records(message: Uint8Array, size = 2 ** 14, { type = 22, minor = 1 } = {}): Buffer {
  const count = Math.ceil(message.length / size);
  const parts = Array.from({ length: count }, (_, index) => message.subarray(index * size, (index + 1) * size));
  return Buffer.concat(parts.flatMap((part) => [Buffer.of(type, 3, minor), vector(2, part)]));
}

function vector(width: number, contents: Uint8Array): Buffer {
  return Buffer.concat([number(width, contents.length), contents]);
}

function number(width: number, value: number): Buffer {
  const bytes = Buffer.alloc(width);
  bytes.writeUIntBE(value, 0, width);
  return bytes;
}
