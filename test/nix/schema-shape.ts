/** A part of a JSON Schema, as far as our schemas use the language. */
export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: Schema | readonly Schema[];
  readonly additionalProperties?: Schema | false;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly definitions?: Readonly<Record<string, Schema>>;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
}

/** A place where a text without an enumeration stands: steps as in judge-texts.nix, and the definition of the text. */
export interface TextPlace {
  readonly path: readonly string[];
  readonly form: string;
  readonly example: unknown;
}

/** What the recording lib has to say of the options of a schema. */
export function shapeOfKeys(schema: Schema, root: Schema): Readonly<Record<string, unknown>> {
  const entries = Object.entries(schema.properties ?? {}).filter(([name]) => name !== '$schema');
  return Object.fromEntries(
    entries.map(([name, key]) => {
      const shape = shapeOf(key, root);
      const isRequired = schema.required?.includes(name) === true;
      return [name, isRequired ? shape : { optional: { 'null or': shape }, default: null }];
    }),
  );
}

function shapeOf(schema: Schema, root: Schema): unknown {
  const whole = filledIn(schema, root);
  if (whole.enum !== undefined) return { one: whole.enum };
  const object = { keys: shapeOfKeys(whole, root) };
  if (Array.isArray(whole.type)) return ['text', object];
  switch (whole.type) {
    case 'integer':
      return { least: whole.minimum, most: whole.maximum };
    case 'array':
      return { [(whole.minItems ?? 0) > 0 ? 'list, not empty' : 'list']: shapeOf(entryOf(whole), root) };
    case 'object':
      return typeof whole.additionalProperties === 'object'
        ? { map: shapeOf(whole.additionalProperties, root) }
        : object;
    default:
      return whole.type === 'string' ? 'text' : whole.type;
  }
}

/** Every place of a text below the keys of a schema. */
export function textPlaces(schema: Schema, root: Schema, path: readonly string[] = []): readonly TextPlace[] {
  const keys = Object.entries(schema.properties ?? {}).filter(([name]) => name !== '$schema');
  return keys.flatMap(([name, key]) => placesAt(key, root, [...path, name]));
}

function placesAt(schema: Schema, root: Schema, path: readonly string[]): readonly TextPlace[] {
  const whole = filledIn(schema, root);
  if (whole.enum !== undefined) return [];
  const form = (schema.$ref ?? schema.allOf?.[0]?.$ref)?.slice('#/definitions/'.length) ?? '';
  const here = { form, example: whole.examples?.[0] };
  if (Array.isArray(whole.type)) return [{ ...here, path: [...path, '|'] }, ...textPlaces(whole, root, path)];
  if (whole.type === 'string') return [{ ...here, path }];
  if (whole.type === 'array') return placesAt(entryOf(whole), root, [...path, '*']);
  if (typeof whole.additionalProperties === 'object') return placesAt(whole.additionalProperties, root, [...path, '*']);
  return textPlaces(whole, root, path);
}

function entryOf({ items }: Schema): Schema {
  const entry = Array.isArray(items) ? items[0] : items;
  if (entry === undefined) throw new Error('a list without a schema of its entries');
  return entry;
}

function filledIn({ $ref, allOf = [], ...own }: Schema, root: Schema): Schema {
  const references = [...allOf, ...($ref === undefined ? [] : [{ $ref }])].map((part) => part.$ref ?? '');
  const parts = references.map((reference) => root.definitions?.[reference.slice('#/definitions/'.length)]);
  return Object.assign({}, ...parts, own);
}
