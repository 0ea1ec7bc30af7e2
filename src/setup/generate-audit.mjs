import { readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';

const SCHEMA = 'schema/audit-event.schema.json';
const HEADER = `// Generated from ${SCHEMA} by \`npm run generate\`; not edited by hand.\n`;

/**
 * The generated files of the audit: the types of its events.
 * @returns {Promise<{ path: string, text: string }[]>} paths relative to the checkout
 */
export async function auditFiles() {
  const { $id, $schema, examples, title, ...schema } = JSON.parse(readFileSync(inCheckout(SCHEMA), 'utf8'));
  const { compile } = await import('json-schema-to-typescript');
  const types = await compile(/** @type {any} */ (plainTypes(schema, schema.definitions)), 'AuditEvent', {
    bannerComment: '',
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 120 },
  });
  return [{ path: 'src/audit/event.gen.ts', text: HEADER + withReadonly(types) }];
}

/**
 * Every kind of event with what it refers to copied in, by its name, and all of them together as `AuditEvent`: for the
 * description of the API, whose names they must not meet.
 * @returns {Record<string, object>}
 */
export function auditSchemas() {
  const { definitions, description } = JSON.parse(readFileSync(inCheckout(SCHEMA), 'utf8'));
  /** @type {any[]} */
  const kinds = Object.values(definitions).filter((schema) => schema.title !== undefined);
  const oneOf = kinds.map(({ title }) => ({ $ref: `#/definitions/${title}` }));
  return Object.fromEntries([
    ['AuditEvent', { description, oneOf }],
    ...kinds.map((schema) => [schema.title, plainTypes(schema, definitions)]),
  ]);
}

/**
 * The schema with every reference to a text or a number replaced by what it refers to; kinds of events keep their names.
 * @param {any} schema
 * @param {any} definitions
 * @returns {any}
 */
function plainTypes(schema, definitions) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((inner) => plainTypes(inner, definitions));
  if (schema.$ref !== undefined)
    return plainTypes(definitions[schema.$ref.slice('#/definitions/'.length)], definitions);
  const { allOf, definitions: _, ...rest } = schema;
  const plain = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, plainTypes(value, definitions)]));
  return allOf === undefined ? plain : { ...plainTypes(allOf[0], definitions), ...plain };
}

/**
 * @param {string} types as json-schema-to-typescript prints them, one property to a line
 * @returns {string} with every property and every list readonly
 */
function withReadonly(types) {
  return types
    .replace(/^( +)(\w+\??:)/gm, '$1readonly $2')
    .replace(/: (\w+)\[\]( \| null)?;/g, ': readonly $1[]$2;')
    .replace(/: \((.*)\)\[\];/g, ': readonly ($1)[];');
}
