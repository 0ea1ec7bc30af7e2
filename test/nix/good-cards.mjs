/**
 * Cards that the schema takes, put together by chance from its examples, enumerations and bounds.
 * @param {any} schema
 * @param {number} count
 * @returns {any[]} the same ones in every run
 */
export function goodCards(schema, count) {
  const random = randomNumbers(count);
  return Array.from({ length: count }, () => makeValue(schema, schema, random));
}

/**
 * @param {any} schema
 * @param {any} root
 * @param {(bound: number) => number} random
 * @returns {any}
 */
function makeValue(schema, root, random) {
  const whole = filledIn(schema, root);
  const type = Array.isArray(whole.type) ? whole.type[random(whole.type.length)] : whole.type;
  if (whole.enum !== undefined) return whole.enum[random(whole.enum.length)];
  if (type === 'boolean') return random(2) === 1;
  if (type === 'integer') {
    const { minimum, maximum } = whole;
    return [minimum, maximum, minimum + random(maximum - minimum + 1)][random(3)];
  }
  if (type === 'array') {
    const entry = Array.isArray(whole.items) ? whole.items[0] : whole.items;
    return Array.from({ length: Math.max(whole.minItems ?? 0, random(4)) }, () => makeValue(entry, root, random));
  }
  if (type === 'object' && whole.properties !== undefined) {
    const { required = [] } = whole;
    const entries = Object.entries(whole.properties).filter(([name]) => required.includes(name) || random(2) === 1);
    return Object.fromEntries(
      entries.filter(([name]) => name !== '$schema').map(([name, key]) => [name, makeValue(key, root, random)]),
    );
  }
  // Not every form of text has an example of its own; those without take a name.
  const examples = (whole.examples ?? []).filter((example) => (typeof example === 'string') === (type === 'string'));
  return examples.length > 0 ? examples[random(examples.length)] : textOf(whole);
}

/**
 * @param {any} schema of a text
 * @returns {string} the first of some texts that it takes
 */
function textOf({ pattern, maxLength }) {
  const texts = ['GET', '/srv/data', '192.0.2.10', 'name'];
  const found = texts.find((text) => new RegExp(pattern, 'u').test(text) && text.length <= maxLength);
  if (found === undefined) throw new Error(`no text for ${pattern}`);
  return found;
}

/**
 * @param {any} schema
 * @param {any} root
 * @returns {any} with what it refers to in place of the references
 */
function filledIn({ $ref, allOf = [], ...own }, root) {
  const references = [...allOf.map((part) => part.$ref), ...($ref === undefined ? [] : [$ref])];
  const parts = references.map((reference) => root.definitions[reference.slice('#/definitions/'.length)]);
  return Object.assign({}, ...parts, own);
}

/**
 * @param {number} seed
 * @returns {(bound: number) => number} whole numbers below a bound
 */
function randomNumbers(seed) {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
