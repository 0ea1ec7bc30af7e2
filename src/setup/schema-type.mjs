/**
 * @param {any} schema of a document
 * @param {string} name of its type
 * @returns {Promise<string>} TypeScript types of the document, everything in them readonly
 */
export async function schemaTypes(schema, name) {
  const { compile } = await import('json-schema-to-typescript');
  const { $id, title, definitions, examples, ...root } = schema;
  const types = await compile(plainTypes(root, definitions), name, {
    bannerComment: '',
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 120 },
  });
  return withReadonly(types);
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
  return lines.join('\n').replace(/: (string|number|\([^()\n]+\))\[\];/g, ': readonly $1[];');
}
