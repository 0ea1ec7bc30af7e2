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
 * @param {any} schema of a document
 * @param {string} name of its type
 * @returns {Promise<string>} a module with a validator, `validate<name>`, that imports nothing at run time
 */
export async function schemaValidator(schema, name) {
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
  const inner = exported.exec(code)?.[1];
  const plain = code.replace(exported, '').replace('require("ajv/dist/runtime/ucs2length").default', COUNT_CHARACTERS);
  if (inner === undefined || /\brequire\(|\bimport\b/.test(plain))
    throw new Error('ajv wrote another module than expected');
  const { transform } = await import('esbuild');
  const { code: small } = await transform(plain, { target: 'es2022', minifySyntax: true, minifyWhitespace: true });
  return `import type { ErrorObject } from 'ajv';

/** Judges a value by the schema; every error found is left in \`errors\`. */
export interface ${name}Validator {
  (value: unknown): boolean;
  errors?: readonly ErrorObject[] | null;
}

${small}
export const validate${name}: ${name}Validator = ${inner};
`;
}
