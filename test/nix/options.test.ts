import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { evaluateNix } from '../helpers/nix.ts';
import { makeScratch } from '../helpers/scratch.ts';
import { type Schema, shapeOfKeys, type TextPlace, textPlaces } from './schema-shape.ts';

/** Texts that are tried at each place. */
const SAMPLES = 300;

/** What texts are varied with. */
const CHARACTERS = [...'aZ09-._:/*@ []~%?#,"\\$ä\n\t'];

const SOURCES = [
  { schema: 'schema/agent-card.schema.json', options: 'nix/module/card.gen.nix' },
  { schema: 'schema/config.schema.json', options: 'nix/module/config.gen.nix' },
];

for (const { schema: path, options } of SOURCES) {
  const schema = JSON.parse(readFileSync(join(CHECKOUT, path), 'utf8')) as Schema;

  test(`the options of ${options} are the keys of ${path}, with their types`, async () => {
    const { shape } = await judge(options, []);
    assert.deepEqual(shape, shapeOfKeys(schema, schema));
  });

  test(`the options of ${options} take every text that ${path} takes`, async () => {
    const places = textPlaces(schema, schema).map((place) => ({ ...place, values: samplesOf(place, schema) }));
    const { taken } = await judge(options, places);
    for (const [index, { path: place, form, values }] of places.entries()) {
      const definition = schema.definitions?.[form] ?? {};
      const differing = values.filter((value, at) => {
        const isTaken = taken[index]?.[at];
        return isExact(definition) ? isTaken !== isGood(value, definition) : !isTaken && isGood(value, definition);
      });
      assert.deepEqual(differing, [], `${place.join('.')}: ${form}`);
    }
    const known = places.filter(({ form }) => isExact(schema.definitions?.[form] ?? {}));
    assert.ok(known.length > 0);
    const refused = taken.flat().filter((isTaken) => !isTaken);
    assert.ok(refused.length > SAMPLES, 'types that refuse nothing');
  });
}

interface Judgement {
  readonly shape: unknown;
  readonly taken: readonly (readonly boolean[])[];
}

async function judge(
  options: string,
  places: readonly (TextPlace & { values: readonly string[] })[],
): Promise<Judgement> {
  await using scratch = await makeScratch();
  const samples = join(scratch.path, 'samples.json');
  await writeFile(samples, JSON.stringify(places.map(({ path, values }) => ({ path, values }))));
  const call = `import ./test/nix/judge-texts.nix { options = ./${options}; samples = ${samples}; }`;
  return evaluateNix(call) as Judgement;
}

/** Whether the schema takes a text, but for texts that it excludes one by one. */
function isGood(value: string, { pattern = '', maxLength = Number.POSITIVE_INFINITY }: Schema): boolean {
  return new RegExp(pattern, 'u').test(value) && [...value].length <= maxLength;
}

/** Whether Nix can say all of it: no lookaheads, no characters beyond ASCII. */
function isExact({ pattern = '' }: Schema): boolean {
  return !/\(\?!|\\u/.test(pattern);
}

/** Good and bad texts for a place: its example, as long as can be and longer, and what a few changes make of them. */
function samplesOf({ form, example }: TextPlace, schema: Schema): readonly string[] {
  const definition = schema.definitions?.[form] ?? {};
  const { maxLength = 0 } = definition;
  const random = randomNumbers(form.length + maxLength);
  const first = typeof example === 'string' ? example : 'a';
  const samples = ['', first, first + (first.at(-1) ?? '').repeat(Math.min(maxLength, 4096) - first.length)];
  samples.push(`${samples.at(-1)}${first.at(-1)}`, ...samplesByHand);
  const roots = [first, ...samplesByHand.filter((value) => isGood(value, definition))];
  while (samples.length < SAMPLES) {
    let text = roots[random(roots.length)] ?? '';
    for (let change = random(3); change >= 0; change -= 1) {
      const at = random(text.length + 1);
      const added = CHARACTERS[random(CHARACTERS.length)] ?? '';
      text = text.slice(0, at) + (random(3) > 0 ? added : '') + text.slice(at + random(2));
    }
    samples.push(text);
  }
  return samples;
}

/** Texts that are good in some places and bad in others. */
const samplesByHand: readonly string[] = [
  ...['/a/b', '/[x]^y~z', 'credential:a.b-c_d', 'https://[::1]:8443/v1/[a]^b', 'http://10.0.0.1:65535', 'x-api-key: a'],
  ...['*', '*.example.org:443', '[2001:db8::]/32', '192.0.2.0/24', '::ffff:192.0.2.1', '127.0.0.1:1', '[::1]:65535'],
  ...[
    '255.249.199.99',
    '256.0.0.1',
    '255.249.199.99:6553',
    '1.2.3.4:65536',
    'http://a:65529',
    '10.0.0.0/24',
    '10.0.0.0/25',
  ],
  ...['M-SEARCH', 'GET', '10.0.0.0/8', 'Grüße an alle', 'a:b', '/', '~', ']', '^'],
];

/** Whole numbers below a bound, the same in every run. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
