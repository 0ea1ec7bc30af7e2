import { readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { defaultsOf, schemaKeys, schemaReference } from './schema-reference.mjs';
import { schemaTypes } from './schema-type.mjs';
import { schemaValidator } from './schema-validator.mjs';

/**
 * A kind of document that people write, and what is made from its schema.
 * @typedef {object} DocumentKind
 * @property {string} schema file of the schema
 * @property {string} modules what the paths of the generated modules start with
 * @property {string} name of the type
 * @property {string} constant what names of constants start with
 * @property {string} noun with its article, as comments call it
 * @property {string} keyModule where the modules import the type of a key from
 * @property {{ path: string, heading: string, remark: string }} reference its keys for people
 */

/**
 * The generated files of a kind of document: its types, what messages need to know of its keys, its validator, its
 * reference.
 * @param {DocumentKind} kind
 * @returns {Promise<{ path: string, text: string }[]>} paths relative to the checkout
 */
export async function documentFiles(kind) {
  const schema = JSON.parse(readFileSync(inCheckout(kind.schema), 'utf8'));
  const header = `// Generated from ${kind.schema} by \`npm run generate\`; not edited by hand.\n`;
  const { path, heading, remark } = kind.reference;
  const file = kind.schema.slice(kind.schema.lastIndexOf('/') + 1);
  const validator = await schemaValidator(schema, kind.name);
  return [
    { path: `${kind.modules}.gen.ts`, text: header + (await schemaTypes(schema, kind.name)) },
    { path: `${kind.modules}-keys.gen.ts`, text: header + keyTable(schema, kind) },
    { path: `${kind.modules}-validator.gen.ts`, text: `// @ts-nocheck\n${header}${validator}` },
    { path, text: schemaReference(schema, { file, heading, remark }) },
  ];
}

/**
 * @param {any} schema
 * @param {DocumentKind} kind
 * @returns {string} what messages, suggestions and defaults need to know of each key
 */
function keyTable(schema, { constant, noun, keyModule }) {
  return `import type { SchemaKey } from '${keyModule}';

/** Every key of ${noun}, in the order of the schema. */
export const ${constant}_KEYS: readonly SchemaKey[] = ${JSON.stringify(schemaKeys(schema), null, 2)};

/** What holds for a key that ${noun} leaves out, in the shape of ${noun}. */
export const ${constant}_DEFAULTS = ${JSON.stringify(defaultsOf(schema), null, 2)} as const;
`;
}
