import { HelloReader, type HelloReading } from '../policy/client-hello.ts';
import type { ClientReader } from './client-reader.ts';
import type { Deadline } from './deadline.ts';

/** What a tunnel turns out to carry, with all that was read to find out. */
export interface Peek {
  readonly reading: Exclude<HelloReading, { readonly kind: 'incomplete' | 'not-tls' }> | { readonly kind: PeekKind };
  readonly bytes: readonly Uint8Array[];
}

/** `http` looks like a request; `other` is neither that nor TLS; `end` and `late`: the client sent too little. */
export type PeekKind = 'http' | 'other' | 'end' | 'late';

/** A method and the blank after it (RFC 9112 section 3.1); whether the rest is a request shows when it is read. */
const METHOD_MAX = 32;

/** Reads from a tunnel until it shows what it carries. The reader bounds what that takes. */
export async function peek(reader: ClientReader, deadline: Deadline): Promise<Peek> {
  const bytes: Uint8Array[] = [];
  const hello = new HelloReader();
  for (;;) {
    const piece = await reader.read(deadline);
    if (typeof piece === 'string') return { reading: { kind: piece }, bytes };
    bytes.push(piece);
    const reading = hello.add(piece);
    if (reading.kind === 'not-tls') return await peekMethod(reader, deadline, bytes);
    if (reading.kind !== 'incomplete') return { reading, bytes };
  }
}

async function peekMethod(reader: ClientReader, deadline: Deadline, bytes: Uint8Array[]): Promise<Peek> {
  for (;;) {
    const text = Buffer.concat(bytes).toString('latin1', 0, METHOD_MAX + 1);
    if (/^[A-Z-]+ /.test(text)) return { reading: { kind: 'http' }, bytes };
    if (!/^[A-Z-]+$/.test(text) || text.length > METHOD_MAX) return { reading: { kind: 'other' }, bytes };
    const piece = await reader.read(deadline);
    if (typeof piece === 'string') return { reading: { kind: piece }, bytes };
    bytes.push(piece);
  }
}
