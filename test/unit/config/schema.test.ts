import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { CONFIG_KEYS } from '../../../src/config/config-keys.gen.ts';
import { FORMS } from '../../../src/config/forms.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { judged } from './judged.ts';

/** One key of the schema, as far as these tests look at it. */
interface KeySchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A schema of a document. */
interface DocumentSchema {
  readonly $id: string;
  readonly examples: readonly unknown[];
  readonly properties: Readonly<Record<string, KeySchema>>;
  readonly definitions: Readonly<Record<string, unknown>>;
}

function readSchema(name: string): DocumentSchema {
  return JSON.parse(readFileSync(join(CHECKOUT, 'schema', name), 'utf8')) as DocumentSchema;
}

const schema = readSchema('config.schema.json');
const keys = Object.entries(schema.properties);

/** Whether a configuration is one. */
function isGood(file: unknown): boolean {
  return !Array.isArray(judged(file));
}

test('the schema is one that a strict validator takes', () => {
  const ajv = new Ajv({ strict: true });
  assert.equal(ajv.validateSchema(schema), true);
  assert.equal(ajv.compile(schema)({}), true);
  assert.equal(schema.$id, 'urn:agent-spawn:config');
});

test('a form that cards have too is the same form', () => {
  const card = readSchema('agent-card.schema.json').definitions;
  const shared = Object.entries(schema.definitions).filter(([name]) => name !== 'linkRange');
  assert.deepEqual(
    shared,
    shared.map(([name]) => [name, card[name]]),
  );
});

test('every key has a title, a description that ends as a sentence and an example, and is known to messages', () => {
  const poor = keys.filter(([, { title, description, examples }]) => {
    return title === undefined || !/\S.*\.$/.test(description ?? '') || examples === undefined;
  });
  assert.deepEqual(poor, []);
  const known = CONFIG_KEYS.map(({ pointer }) => pointer).filter((pointer) => pointer.lastIndexOf('/') === 0);
  assert.deepEqual(
    known,
    keys.map(([name]) => `/${name}`),
  );
});

test('the examples and defaults are good where they stand', () => {
  const files = keys.flatMap(([name, { examples = [], default: fallback }]) =>
    [...examples, ...(fallback === undefined ? [] : [fallback])].map((value) => ({ [name]: value })),
  );
  assert.ok(files.length > keys.length);
  assert.deepEqual(
    [...files, ...schema.examples].filter((file) => !isGood(file)),
    [],
  );
});

test('every number is taken at its bounds and refused beyond them', () => {
  const numbers = keys.filter(([, { type }]) => type === 'integer');
  assert.deepEqual(
    numbers.map(([name]) => name),
    ['uid_first', 'uid_count'],
  );
  for (const [name, { minimum = 0, maximum = 0 }] of numbers) {
    const verdicts = [minimum - 1, minimum, maximum, maximum + 1].map((value) => isGood({ [name]: value }));
    assert.deepEqual(verdicts, [false, true, true, false], name);
  }
});

test('every form of a text has its words, and there are words for no other', () => {
  assert.deepEqual(Object.keys(FORMS).sort(), Object.keys(schema.definitions).sort());
});
