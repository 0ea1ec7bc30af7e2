import type { Random } from '../card/random.ts';

/** What HTTP parsers are known to read differently, or a policy may look at. */
const HTTP_TOKENS: readonly [string, ...string[]] = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  ' ',
  '\t',
  '\0',
  '\x0b',
  '\x7f',
  '\xa0',
  '\xff',
  ':',
  ',',
  ';',
  '/',
  '\\',
  '?',
  '#',
  '@',
  '%2e',
  '%2f',
  '..',
  '[::1]',
  '127.1',
  ':80',
  ':443',
  'b.example',
  '\r\nHost: b.example',
  '\r\nContent-Length: 3',
  '\r\nContent-Length: 0',
  '\r\nTransfer-Encoding: chunked',
  '\r\nTransfer-Encoding: identity',
  '\r\nConnection: close',
  '\r\nConnection: Upgrade\r\nUpgrade: websocket',
  '\r\nUpgrade: h2c',
  '\r\nExpect: 100-continue',
  '\r\nX: ',
  '\r\n ',
  'HTTP/1.0',
  'CONNECT ',
  'POST ',
  'https:',
  '0\r\n\r\n',
  'f',
];

/** A copy of bytes of HTTP in which one to three things are put in, doubled, replaced or cut out. */
export function mutateHttp(random: Random, bytes: Uint8Array): Buffer {
  return mutate(random, bytes, () => Buffer.from(random.pick(HTTP_TOKENS), 'latin1'));
}

/** The same for binary protocols: bytes of chance, and such as stand at the edge of a length. */
export function mutateBinary(random: Random, bytes: Uint8Array): Buffer {
  return mutate(random, bytes, () => Buffer.of(random.pick([0, 1, 0xff, 0x7f, random.below(256)])));
}

function mutate(random: Random, bytes: Uint8Array, invent: () => Buffer): Buffer {
  let mutated = Buffer.from(bytes);
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const from = random.below(mutated.length + 1);
    const to = Math.min(mutated.length, from + random.below(10));
    const inserted = random.pick([invent(), invent(), mutated.subarray(from, to), Buffer.alloc(0)]);
    // The same length as often as not: a length field then still fits.
    const goesOn = random.once(2) ? Math.min(mutated.length, from + inserted.length) : random.once(3) ? to : from;
    mutated = Buffer.concat([mutated.subarray(0, from), inserted, mutated.subarray(goesOn)]);
  }
  return mutated;
}

/** The same bytes in pieces whose sizes are chance. */
export function cutAtChance(random: Random, bytes: Uint8Array): readonly Uint8Array[] {
  const largest = random.pick([1, 3, 20, 200]);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + random.below(largest);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
