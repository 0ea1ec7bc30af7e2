import type { Random } from './random.ts';

/** Values that are wrong for most keys, and some that are just at the edge. */
const ODD_VALUES: readonly [unknown, ...unknown[]] = [
  null,
  true,
  '',
  '0',
  'a',
  '/etc',
  '/usr/bin/x',
  '/',
  '/a/../b',
  '/a//b',
  '/a/',
  'a/b',
  '\0',
  'a\nb',
  'a\u202eb',
  '\ud800',
  '-',
  'A',
  'x'.repeat(5000),
  'http://u:p@h',
  '127.0.0.1:0',
  0,
  1,
  -1,
  0.5,
  16,
  1e21,
  2 ** 31,
  [],
  ['/'],
  [''],
  [[]],
  {},
  { a: 1 },
  { constructor: 'x' },
  { HTTP_PROXY: '' },
  { port: 1 },
];

const ODD_KEYS: readonly [string, ...string[]] = [
  'x',
  '',
  'agent_id',
  'memory_mb',
  'constructor',
  '__proto__',
  'toString',
  'http_proxy',
  'AGENT_ID',
  'a b',
  'a/b~c',
  '\u0000',
  'listen',
];

/** A copy of a card in which one to three things somewhere are changed. */
export function mutateValue(random: Random, card: unknown): unknown {
  let mutated = structuredClone(card);
  for (let count = 1 + random.below(3); count > 0; count -= 1) mutated = mutateOnce(random, mutated);
  return mutated;
}

function mutateOnce(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return oddValue(random);
  const keys = Object.keys(value);
  const key = keys[random.below(Math.max(1, keys.length))];
  if (Array.isArray(value)) {
    if (key === undefined || random.once(3)) value.push(oddValue(random));
    else value[Number(key)] = mutateOnce(random, value[Number(key)]);
    return value;
  }
  const members = value as Record<string, unknown>;
  const choice = random.below(8);
  if (choice === 0 && key !== undefined) delete members[key];
  else if (choice === 1 || key === undefined) define(members, random.pick(ODD_KEYS), oddValue(random));
  else if (choice === 2) members[key] = oddValue(random);
  else members[key] = mutateOnce(random, members[key]);
  return value;
}

/** A copy, because a later change may go inside it. */
function oddValue(random: Random): unknown {
  return structuredClone(random.pick(ODD_VALUES));
}

/** Sets an own property, also one called `__proto__`. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Bytes that mean something to JSON, TOML or UTF-8. */
const TELLING_BYTES: readonly [number, ...number[]] = [
  0x00, 0x0a, 0x20, 0x22, 0x27, 0x2c, 0x2d, 0x2e, 0x30, 0x39, 0x3a, 0x3d, 0x5b, 0x5c, 0x5d, 0x65, 0x7b, 0x7d, 0x80,
  0xc3, 0xff,
];

/** A copy of a text in which one to four bytes or runs of bytes are changed, moved, doubled or cut off. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let mutated = Uint8Array.from(bytes);
  for (let count = 1 + random.below(4); count > 0; count -= 1) {
    const from = random.below(mutated.length + 1);
    const to = Math.min(mutated.length, from + random.below(12));
    const run = mutated.subarray(from, to);
    const inserted = random.pick([Uint8Array.of(random.pick(TELLING_BYTES)), run, new Uint8Array(0)]);
    const end = random.once(10) ? new Uint8Array(0) : mutated.subarray(random.once(2) ? from : to);
    mutated = Uint8Array.from([...mutated.subarray(0, from), ...inserted, ...end]);
  }
  return mutated;
}
