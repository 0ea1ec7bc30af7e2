import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../../helpers/checkout.ts';

/** What a real client sent, recorded once. */
export interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Recorded samples: heads of requests to a proxy, or TLS ClientHellos. */
export function readCorpus(kind: 'heads' | 'hellos'): readonly Sample[] {
  const directory = join(CHECKOUT, 'test/unit/policy/corpus', kind);
  const names = readdirSync(directory).filter((name) => name.endsWith('.hex'));
  return names.sort().map((name) => ({
    name: name.replace(/\.hex$/, ''),
    bytes: Buffer.from(readFileSync(join(directory, name), 'latin1').replaceAll('\n', ''), 'hex'),
  }));
}

/** The same bytes in pieces of one size. */
export function piecesOf(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

/** The last reading of a reader that takes pieces until it has read something. */
export function readPieces<Reading extends { readonly kind: string }>(
  reader: { readonly add: (piece: Uint8Array) => Reading },
  pieces: readonly Uint8Array[],
): Reading | undefined {
  let reading: Reading | undefined;
  for (const piece of pieces) {
    reading = reader.add(piece);
    if (reading.kind !== 'incomplete') return reading;
  }
  return reading;
}
