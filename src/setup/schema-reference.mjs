/**
 * One key of a document: where it stands and its part of the schema, references filled in.
 * @typedef {{ pointer: string, schema: any, isRequired: boolean }} Key
 */

/**
 * Every key of a document in the order of the schema; `*` stands for an element of a list or a name of a map.
 * @param {any} schema
 * @returns {Key[]}
 */
export function listKeys(schema) {
  return keysBelow(schema, '', schema.definitions);
}

/**
 * @param {any} schema of an object or a list
 * @param {string} pointer
 * @param {any} definitions
 * @returns {Key[]}
 */
function keysBelow(schema, pointer, definitions) {
  const { properties = {}, required = [], additionalProperties, items } = schema;
  const below = Object.entries(properties).map(([name, value]) => /** @type {[string, any]} */ ([name, value]));
  if (typeof additionalProperties === 'object') below.push(['*', additionalProperties]);
  if (items !== undefined) below.push(['*', Array.isArray(items) ? schema.additionalItems : items]);
  return below.flatMap(([name, value]) => {
    const key = {
      pointer: `${pointer}/${name}`,
      schema: filledIn(value, definitions),
      isRequired: required.includes(name),
    };
    return [key, ...keysBelow(key.schema, key.pointer, definitions)];
  });
}

/**
 * @param {any} schema
 * @param {any} definitions
 * @returns {any} with what it refers to in place of the references
 */
export function filledIn(schema, definitions) {
  const { $ref, allOf = [], ...own } = schema;
  const references = [...allOf.map((part) => part.$ref), ...($ref === undefined ? [] : [$ref])];
  const parts = references.map((reference) => definitions[reference.slice('#/definitions/'.length)]);
  return Object.assign({}, ...parts, own);
}

/**
 * What messages about a document need to know of each key.
 * @param {any} schema
 * @returns {object[]}
 */
export function schemaKeys(schema) {
  return listKeys(schema).map(({ pointer, schema: key }) => ({
    pointer,
    title: key.title ?? pointer.slice(1),
    type: [key.type].flat().join(' or '),
    allowed: key.enum,
    least: key.minimum ?? key.minItems,
    most: key.maximum ?? key.maxLength ?? key.maxItems ?? key.maxProperties,
    example: key.examples?.[0],
  }));
}

/**
 * @param {any} schema of an object
 * @returns {Record<string, unknown>} its defaults, nested like the object
 */
export function defaultsOf(schema) {
  const entries = Object.entries(schema.properties).flatMap(([name, value]) => {
    if (value.default !== undefined) return [[name, value.default]];
    return value.properties === undefined ? [] : [[name, defaultsOf(value)]];
  });
  return Object.fromEntries(entries);
}

/**
 * @param {any} schema
 * @param {{ file: string, heading: string, remark: string }} texts the schema's file, and what stands around the table
 * @returns {string} the reference of the keys of a document, Markdown
 */
export function schemaReference(schema, { file, heading, remark }) {
  const rows = listKeys(schema)
    .filter(({ schema: key }) => key.title !== undefined)
    .map(({ pointer, schema: key, isRequired }) => {
      const name = pointer.slice(1).replaceAll('/*', '[]').replaceAll('/', '.');
      const cells = [
        `\`${name}\``,
        typeName(key, schema.definitions),
        defaultText(key, isRequired),
        boundsText(key),
        meaning(key),
      ];
      return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
    });
  return `# ${heading}

<!-- Generated from ${file} by \`npm run generate\`; not edited by hand. -->

${schema.description}

${remark}

| Key | Type | Default | Bounds | Meaning |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

/**
 * @param {any} key
 * @param {any} definitions
 * @returns {string}
 */
function typeName(key, definitions) {
  if (Array.isArray(key.type)) return 'text or object';
  if (key.type === 'array')
    return `list of ${plural(Array.isArray(key.items) ? key.items[0] : key.items, definitions)}`;
  if (key.type === 'object' && key.properties === undefined) return 'map of texts';
  return { string: 'text', integer: 'whole number', boolean: 'true or false', object: 'object' }[key.type] ?? key.type;
}

/**
 * @param {any} items
 * @param {any} definitions
 * @returns {string}
 */
function plural(items, definitions) {
  const { type } = filledIn(items, definitions);
  if (Array.isArray(type)) return 'texts or objects';
  return { string: 'texts', integer: 'whole numbers', object: 'objects' }[type] ?? type;
}

/**
 * @param {any} key
 * @param {boolean} isRequired
 * @returns {string}
 */
function defaultText(key, isRequired) {
  if (isRequired) return 'required';
  return key.default === undefined ? '' : `\`${JSON.stringify(key.default)}\``;
}

/**
 * @param {any} key
 * @returns {string}
 */
function boundsText(key) {
  if (key.enum !== undefined) return key.enum.map((value) => `\`${value}\``).join(', ');
  if (key.minimum !== undefined) return `${key.minimum} to ${key.maximum}`;
  if (key.maxLength !== undefined && key.type !== 'object') return `at most ${key.maxLength} characters`;
  const most = key.maxItems ?? key.maxProperties;
  return most === undefined ? '' : `${key.minItems ?? 0} to ${most} entries`;
}

/**
 * @param {any} key
 * @returns {string}
 */
function meaning(key) {
  const example = key.examples?.[0];
  return example === undefined ? key.description : `${key.description} Example: \`${JSON.stringify(example)}\``;
}
