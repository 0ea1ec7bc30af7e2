/** What the schema of a document says of one key. */
export interface SchemaKey {
  /** JSON pointer; `*` stands for every element of a list and every name of a map. */
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
