import { readFileSync } from 'node:fs';
import { inCheckout } from './checkout.mjs';
import { auditSchemas } from './generate-audit.mjs';
import { placeFile } from './place.mjs';
import { isCommand, report, runCommand, SetupError } from './report.mjs';

/** The one description of the API; everything generated here follows from it. */
const DESCRIPTION = 'schema/api.openapi.json';

const NOTICE = '// Generated from schema/api.openapi.json by `npm run generate`. Changes here are lost.';

/** Schemas a request is checked against, with the name of the function that does it. */
const CHECKED = { LaunchRequest: 'isLaunchRequest', EgressChange: 'isEgressChange' };

/**
 * The generated files of the API: the client's types and the daemon's checks of requests.
 * @returns {Promise<{ path: string, text: string }[]>} paths relative to the checkout
 */
export async function apiFiles() {
  const { components } = JSON.parse(readFileSync(inCheckout(DESCRIPTION), 'utf8'));
  const text = JSON.stringify({ ...components.schemas, ...auditSchemas() });
  const definitions = JSON.parse(
    text
      .replaceAll('#/components/schemas/', '#/definitions/')
      .replaceAll('"$ref":"audit-event.schema.json"', '"$ref":"#/definitions/AuditEvent"'),
  );
  return [
    { path: 'src/client/api.gen.ts', text: await typesOf(definitions) },
    { path: 'src/api/request-checks.gen.ts', text: await checksOf(definitions) },
  ];
}

/**
 * @param {Record<string, object>} definitions
 * @returns {Promise<string>} a module with one exported type per schema
 */
async function typesOf(definitions) {
  const { compile } = await import('json-schema-to-typescript');
  const root = { type: 'object', definitions: withUnknowns(definitions) };
  const text = await compile(/** @type {any} */ (root), 'Api', {
    additionalProperties: false,
    bannerComment: NOTICE,
    style: { printWidth: 120, singleQuote: true },
    unreachableDefinitions: true,
  });
  // The root is no shape of the API, and the comments about it only say how the generator came to the others.
  return withReadonly(text)
    .replace(/export interface Api \{\}\n/, '')
    .replace(/\/\*\*\n \* This interface was referenced by `Api`[^/]*\*\/\n/g, '')
    .replace(/ \*\n \* This interface was referenced by `Api`.*\n \* via the `definition`.*\n/g, '');
}

/**
 * @param {string} types as json-schema-to-typescript prints them, one property to a line
 * @returns {string} with every property and every list of names readonly
 */
function withReadonly(types) {
  return types
    .replace(/^( +)(\w+\??:|\[k: string\]:)/gm, '$1readonly $2')
    .replace(/([:=]) (\w+)\[\]( \| null)?;/g, '$1 readonly $2[]$3;');
}

/**
 * @param {any} schema
 * @returns {any} the same, where a schema that says nothing about its value has the type `unknown`
 */
function withUnknowns(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(withUnknowns);
  const names = Object.keys(schema);
  if (names.length === 1 && typeof schema.description === 'string') return { ...schema, tsType: 'unknown' };
  return Object.fromEntries(names.map((name) => [name, withUnknowns(schema[name])]));
}

/**
 * @param {Record<string, object>} definitions
 * @returns {Promise<string>} a module with one exported function per checked schema, needing nothing at run time
 */
async function checksOf(definitions) {
  const { Ajv } = await import('ajv');
  const { default: standaloneCode } = await import('ajv/dist/standalone/index.js');
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    schemas: [{ $id: 'api', definitions }],
    code: { source: true, esm: true, lines: true },
  });
  const names = Object.entries(CHECKED).map(([schema, name]) => [name, `api#/definitions/${schema}`]);
  const code = /** @type {any} */ (standaloneCode).default(ajv, Object.fromEntries(names));
  if (/\b(require\(|import )/.test(code)) throw new SetupError('a generated check needs a module at run time');
  return `${NOTICE}\n// @ts-nocheck: plain JavaScript, its shape is declared in request.ts.\n${code}\n`;
}

if (isCommand(import.meta.url)) {
  await runCommand(async () => {
    for (const { path, text } of await apiFiles()) {
      placeFile(inCheckout(path), text);
      report(`wrote ${path}`);
    }
    return 0;
  });
}
