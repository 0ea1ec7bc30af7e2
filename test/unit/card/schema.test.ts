import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { CARD_KEYS } from '../../../src/card/card-keys.gen.ts';
import { FORMS } from '../../../src/card/forms.ts';
import { parseCard } from '../../../src/card/parse.ts';
import { resolveCard } from '../../../src/card/resolve.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { cardWith, parse, problemLine } from './verdict.ts';

/** One key of the schema, as far as these tests look at it. */
interface KeySchema {
  readonly title?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly pattern?: string;
  readonly not?: unknown;
  readonly type?: string | readonly string[];
  readonly maxLength?: number;
  readonly maximum?: number;
  readonly minimum?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly items?: KeySchema;
  readonly definitions?: Readonly<Record<string, KeySchema>>;
  readonly $schema?: string;
  readonly $id?: string;
}

const schema = JSON.parse(readFileSync(join(CHECKOUT, 'schema/agent-card.schema.json'), 'utf8')) as KeySchema;

/** Titled keys with their pointers, at every level. */
function keysBelow(key: KeySchema, pointer: string): readonly (readonly [string, KeySchema])[] {
  const own = Object.entries(key.properties ?? {}).flatMap(([name, value]) => [
    [`${pointer}/${name}`, value] as const,
    ...keysBelow(value, `${pointer}/${name}`),
  ]);
  return key.items?.properties === undefined ? own : [...own, ...keysBelow(key.items, `${pointer}/*`)];
}

const keys = keysBelow(schema, '');

/** Card files of a directory with their problems. */
function judgeDirectory(directory: string): readonly (readonly [string, readonly string[]])[] {
  return readdirSync(join(CHECKOUT, directory))
    .filter((name) => /\.(json|toml)$/.test(name))
    .sort()
    .map((name) => {
      const format = name.endsWith('.toml') ? 'toml' : 'json';
      const result = parseCard(readFileSync(join(CHECKOUT, directory, name)), { format });
      if (result.ok) resolveCard(result.value, 'declared');
      return [name, result.ok ? [] : result.problems.map(problemLine)] as const;
    });
}

test('the cards that people write today are valid', () => {
  const names = ['alpha-001-full', 'alpha-001', 'dev-minimal', 'dev', 'kubernetes-default', 'worker-a2a'];
  assert.deepEqual(
    judgeDirectory('test/cards'),
    names.map((name) => [`${name}.json`, []]),
  );
});

test('every example is a valid card, and all the keys there are stand in one of them', () => {
  const examples = judgeDirectory('schema/examples');
  assert.deepEqual(
    examples.filter(([, problems]) => problems.length > 0),
    [],
  );
  for (const name of ['minimal.json', 'full.json', 'shell.json', 'nightly.toml', 'key-in-environment.json']) {
    assert.ok(
      examples.some(([example]) => example === name),
      name,
    );
  }
  // A key that the agent gets itself contradicts a budget.
  assert.deepEqual(keysMissingIn('full.json'), ['/credentials/*/variable']);
  assert.ok(!keysMissingIn('key-in-environment.json').includes('/credentials/*/variable'));
});

/** Pointers of the keys that an example does not have. */
function keysMissingIn(name: string): readonly string[] {
  const card: unknown = JSON.parse(readFileSync(join(CHECKOUT, 'schema/examples', name), 'utf8'));
  return keys.map(([pointer]) => pointer).filter((pointer) => !isGiven(card, pointer.split('/').slice(1)));
}

/** Whether something stands at the end of some steps; `*` is any element of a list. */
function isGiven(value: unknown, steps: readonly string[]): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return value !== undefined;
  if (typeof value !== 'object' || value === null) return false;
  if (step === '*') return Object.values(value).some((element) => isGiven(element, rest));
  return isGiven((value as Readonly<Record<string, unknown>>)[step], rest);
}

test('the examples and defaults in the schema are valid where they stand', () => {
  const values = keys.flatMap(([pointer, { examples = [], default: fallback }]) =>
    [...examples, ...(fallback === undefined ? [] : [fallback])].map((value) => [pointer, value] as const),
  );
  assert.ok(values.length >= keys.length);
  const cards = values.map(([pointer, value]) => [pointer, cardFor(pointer, value)] as const);
  assert.deepEqual(
    cards.filter(([, card]) => !parse(card).ok),
    [],
  );
});

/** A card with a value at a pointer, and what cannot be missing beside it. */
function cardFor(pointer: string, value: unknown): unknown {
  return cardWith({ ...BESIDE[pointer], ...nest(pointer.split('/').slice(1), value) });
}

/** An object that holds a value at the end of some steps; `*` is the first element of a list. */
function nest(steps: readonly string[], value: unknown): Readonly<Record<string, unknown>> {
  const [step = '', ...rest] = steps;
  const inner = rest.length === 0 ? value : nest(rest, value);
  const mode = step === 'allow' ? { mode: 'veth' } : {};
  if (rest[0] !== '*') return { [step]: inner, ...mode };
  const element = (inner as Readonly<Record<string, unknown>>)['*'];
  if (typeof element !== 'object') return { [step]: [element] };
  const { provider } = element as { readonly provider?: string };
  const required =
    step === 'credentials' ? CREDENTIALS[provider ?? CREDENTIAL_FOR[rest[1] ?? ''] ?? 'custom'] : REQUIRED[step];
  return { [step]: [{ ...required, ...element }], ...mode };
}

/** What a key cannot be without. */
const BESIDE: Readonly<Record<string, object>> = {
  '/proxy_credentials_file': { proxy: 'http://squid:3128' },
  '/budget': { api_key_file: '/run/key' },
  '/budget/requests': { api_key_file: '/run/key' },
  '/budget/tokens': { api_key_file: '/run/key' },
  '/credentials/*/variable': { api_key_delivery: 'env' },
};

/** What a credential of each provider must have. */
const CREDENTIALS: Readonly<Record<string, object>> = {
  anthropic: { provider: 'anthropic', api_key_file: '/run/key' },
  openai: { provider: 'openai', api_key_file: '/run/key' },
  google: { provider: 'google', api_key_file: '/run/key' },
  ollama: { provider: 'ollama' },
  custom: { provider: 'custom', api_key_file: '/run/key', base_url: 'https://api.example.org' },
  git: { provider: 'git', api_key_file: '/run/key', base_url: 'https://git.example.org' },
};

/** Whose credentials some keys are for. */
const CREDENTIAL_FOR: Readonly<Record<string, string>> = { username: 'git' };

/** What an element of each list of objects must have. */
const REQUIRED: Readonly<Record<string, object>> = {
  publish: { port: 8080 },
  allow: { address: '192.0.2.10', port: 5432 },
  allowed_hosts: { host: 'example.org' },
  denied_hosts: { host: 'example.org' },
};

test('every key has a title, a description that ends as a sentence, an example and bounds', () => {
  const bounded = (key: KeySchema): boolean =>
    key.type === 'integer'
      ? key.minimum !== undefined && key.maximum !== undefined
      : key.type !== 'array' || key.maxItems !== undefined;
  const poor = keys.filter(([, key]) => {
    const described = key.title !== undefined && /\S.*\.$/.test(key.description ?? '') && key.examples !== undefined;
    return !(described && bounded(key));
  });
  assert.deepEqual(poor, []);
});

test('every number is taken at its bounds and refused beyond them', () => {
  const numbers = keys.filter(([, key]) => key.type === 'integer');
  assert.ok(numbers.length >= 12);
  for (const [pointer, { minimum = 0, maximum = 0 }] of numbers) {
    // A memory limit of its own keeps the bounds of memory_high_mb apart from the rule between the two.
    const card = (value: number): unknown => {
      const { resource_limits: limits, ...rest } = nest(pointer.split('/').slice(1), value);
      return cardWith({
        ...BESIDE[pointer],
        ...rest,
        resource_limits: { memory_mb: 16_777_216, ...(limits as object | undefined) },
      });
    };
    const verdicts = [minimum - 1, minimum, maximum, maximum + 1].map((value) => parse(card(value)).ok);
    assert.deepEqual(verdicts, [false, true, true, false], pointer);
  }
});

test('every text is bounded, and no object takes keys that it does not know', () => {
  const texts = Object.entries(schema.definitions ?? {}).filter(([name]) => name !== 'ownDirectory');
  assert.deepEqual(
    texts.filter(([, { maxLength, pattern }]) => maxLength === undefined || pattern === undefined),
    [],
  );
  const objects = [['', schema] as const, ...keys].filter(([, key]) => key.properties !== undefined);
  assert.deepEqual(
    objects.filter(([, key]) => key.additionalProperties !== false),
    [],
  );
});

test('every form of a text has its words, and there are words for no other', () => {
  assert.deepEqual(Object.keys(FORMS).sort(), Object.keys(schema.definitions ?? {}).sort());
});

test('every key of the schema is known to messages', () => {
  const known = new Set(CARD_KEYS.map(({ pointer }) => pointer));
  assert.deepEqual(
    keys.map(([pointer]) => pointer).filter((pointer) => !known.has(pointer)),
    [],
  );
});

test('the schema is a draft-07 schema that a strict validator takes', () => {
  assert.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#');
  assert.equal(schema.$id, 'urn:agent-spawn:agent-card');
  const ajv = new Ajv({ strict: true, strictTuples: false, allowUnionTypes: true });
  assert.equal(ajv.validateSchema(schema), true);
  assert.equal(ajv.compile(schema)(cardWith({})), true);
});

test('a reference stands alone, because draft-07 ignores what stands beside it', () => {
  const besides: string[] = [];
  JSON.stringify(schema, (_, value: unknown) => {
    if (typeof value === 'object' && value !== null && '$ref' in value && Object.keys(value).length > 1) {
      besides.push(JSON.stringify(value));
    }
    return value;
  });
  assert.deepEqual(besides, []);
});
