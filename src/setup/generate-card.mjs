import { readFileSync } from 'node:fs';
import { cardKeys, cardReference, defaultsOf } from './card-reference.mjs';
import { inCheckout } from './checkout.mjs';

const SCHEMA = 'schema/agent-card.schema.json';
const HEADER = `// Generated from ${SCHEMA} by \`npm run generate\`; not edited by hand.\n`;

/**
 * The generated files of the card: its types, what messages need to know of its keys, its validator, its reference.
 * @returns {Promise<{ path: string, text: string }[]>} paths relative to the checkout
 */
export async function cardFiles() {
  const schema = JSON.parse(readFileSync(inCheckout(SCHEMA), 'utf8'));
  return [
    { path: 'src/card/card.gen.ts', text: await cardTypes(schema) },
    { path: 'src/card/card-keys.gen.ts', text: keyTable(schema) },
    { path: 'src/card/card-validator.gen.ts', text: await validator(schema) },
    { path: 'schema/agent-card.md', text: cardReference(schema) },
  ];
}

/**
 * @param {any} schema
 * @returns {Promise<string>} TypeScript types of a card, everything in them readonly
 */
async function cardTypes(schema) {
  const { compile } = await import('json-schema-to-typescript');
  const { $id, title, definitions, examples, ...root } = schema;
  const types = await compile(plainTypes(root, definitions), 'Card', {
    bannerComment: '',
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 120 },
  });
  return HEADER + withReadonly(types);
}

/**
 * The schema without what a type cannot say: references to texts become plain texts, tuples become lists.
 * @param {any} schema
 * @param {any} definitions
 * @returns {any}
 */
function plainTypes(schema, definitions) {
  if (schema.$ref !== undefined) {
    const { $ref, ...own } = schema;
    return plainTypes({ ...definitions[$ref.slice('#/definitions/'.length)], ...own }, definitions);
  }
  const { title, allOf, propertyNames, not, ...rest } = schema;
  if (Array.isArray(rest.type)) return { ...annotations(rest), anyOf: variants(rest, definitions) };
  if (allOf !== undefined) {
    const { type } = rest;
    const form = plainTypes({ ...allOf[0], ...(type === undefined ? {} : { type }) }, definitions);
    return { ...form, description: rest.description };
  }
  if (rest.type === 'array') {
    const { items, additionalItems, ...list } = rest;
    return { ...list, items: plainTypes(Array.isArray(items) ? items[0] : items, definitions) };
  }
  if (rest.type !== 'object') return rest;
  const { properties = {}, additionalProperties, ...object } = rest;
  const plain = Object.entries(properties).map(([name, value]) => [name, plainTypes(value, definitions)]);
  return {
    ...object,
    properties: Object.fromEntries(plain),
    additionalProperties: additionalProperties === false ? false : plainTypes(additionalProperties, definitions),
  };
}

/**
 * @param {any} schema of a text or an object
 * @param {any} definitions
 * @returns {any[]} one schema for each of the two
 */
function variants({ type, properties, required, additionalProperties }, definitions) {
  const object = { type: 'object', properties, required, additionalProperties };
  return type.map((name) => (name === 'object' ? plainTypes(object, definitions) : { type: name }));
}

/**
 * @param {any} schema
 * @returns {any}
 */
function annotations({ description }) {
  return { description };
}

/**
 * @param {string} types as json-schema-to-typescript prints them, one property to a line
 * @returns {string} with every property and every list readonly
 */
function withReadonly(types) {
  const lines = types.split('\n').map((line) => line.replace(/^( +)(['"\w$]+\??:|\[k: string\]:)/, '$1readonly $2'));
  /** @type {number[]} */
  const open = [];
  for (const [index, line] of lines.entries()) {
    if (/[{(]$/.test(line)) open.push(index);
    if (!/^ *[})](\[\])?;?$/.test(line)) continue;
    const opened = open.pop() ?? 0;
    if (line.endsWith('[];')) lines[opened] = (lines[opened] ?? '').replace(/: ([{(])$/, ': readonly $1');
  }
  return lines.join('\n').replace(/: (string|number)\[\];/g, ': readonly $1[];');
}

/**
 * @param {any} schema
 * @returns {string} what messages, suggestions and defaults need to know of each key
 */
function keyTable(schema) {
  return `${HEADER}
/** What the schema says of one key. */
export interface CardKey {
  /** JSON pointer; \`*\` stands for every element of a list and every name of a map. */
  readonly pointer: string;
  readonly title: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'array' | 'object' | 'string or object';
  /** The values of an enumeration. */
  readonly allowed?: readonly string[];
  /** Least number, length or count. */
  readonly least?: number;
  /** Greatest number, length or count. */
  readonly most?: number;
  readonly example?: unknown;
}

/** Every key of a card, in the order of the schema. */
export const CARD_KEYS: readonly CardKey[] = ${JSON.stringify(cardKeys(schema), null, 2)};

/** What holds for a key that a card leaves out, in the shape of a card. */
export const CARD_DEFAULTS = ${JSON.stringify(defaultsOf(schema), null, 2)} as const;
`;
}

/**
 * The schema without its texts for people, which the validator would otherwise carry along.
 * @param {any} schema
 * @returns {any}
 */
function withoutAnnotations(schema) {
  if (Array.isArray(schema)) return schema.map(withoutAnnotations);
  if (typeof schema !== 'object') return schema;
  const { title, description, examples, default: _, ...rest } = schema;
  const entries = Object.entries(rest).map(([keyword, value]) => {
    // Below these two stand names of keys, some of which are words of the schema language too.
    if (keyword !== 'properties' && keyword !== 'definitions') return [keyword, withoutAnnotations(value)];
    return [keyword, Object.fromEntries(Object.entries(value).map(([name, key]) => [name, withoutAnnotations(key)]))];
  });
  return Object.fromEntries(entries);
}

/** What ajv's code counts the characters of a text with, written out so that nothing has to be imported. */
const COUNT_CHARACTERS = '(text) => { let count = 0; for (const _ of text) count += 1; return count; }';

/**
 * @param {any} schema
 * @returns {Promise<string>} a validator that imports nothing at run time
 */
async function validator(schema) {
  const { Ajv } = await import('ajv');
  const { default: standaloneCode } = await import('ajv/dist/standalone/index.js');
  const ajv = new Ajv({
    allErrors: true,
    messages: false,
    strictTuples: false,
    allowUnionTypes: true,
    code: { source: true, esm: true },
  });
  /** @type {string} */
  const code = /** @type {any} */ (standaloneCode).default(ajv, ajv.compile(withoutAnnotations(schema)));
  const exported = /export const validate = (\w+);export default \1;/;
  const name = exported.exec(code)?.[1];
  const plain = code.replace(exported, '').replace('require("ajv/dist/runtime/ucs2length").default', COUNT_CHARACTERS);
  if (name === undefined || /\brequire\(|\bimport\b/.test(plain))
    throw new Error('ajv wrote another module than expected');
  const { transform } = await import('esbuild');
  const { code: small } = await transform(plain, { target: 'es2022', minifySyntax: true, minifyWhitespace: true });
  return `// @ts-nocheck
${HEADER}import type { ErrorObject } from 'ajv';

/** Judges a value by the schema; every error found is left in \`errors\`. */
export interface CardValidator {
  (value: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

${small}
export const validateCard: CardValidator = ${name};
`;
}
