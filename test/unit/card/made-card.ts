import type { Random } from './random.ts';

/** A node of the schema, as far as making values needs it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly [string, ...string[]];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: Schema | readonly Schema[];
  readonly additionalItems?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | false;
  readonly required?: readonly string[];
}

/** Valid texts of each form, its edges among them. */
const TEXTS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  agentId: ['a', '0-9', 'agent-alpha-001', 'a--b', 'a'.repeat(48)],
  path: ['/a', '/mnt/agents/dev', '/srv/with space/ü', '/.x/..y/...', `/${'a/'.repeat(2046)}b`],
  ownDirectory: ['/a', '/mnt/agents/dev', '/workspace', '/root/project', '/etcetera'],
  line: ['', 'a line', '\u{10000}', '~'.repeat(1024)],
  shortLine: ['', 'a "short" line \\ of 100%', 'ü'.repeat(256)],
  word: ['', '--flag', 'two\n\tlines', '$HOME', '\u{1f4a1}', 'x'.repeat(2000)],
  program: ['bash', '/usr/bin/env', './run.sh', '-'],
  environmentName: ['A', '_', 'LD_PRELOAD', 'a1_B', 'MY_HTTP_PROXY', 'AGENT_ID2', 'A'.repeat(128)],
  labelName: ['a', 'example.org/ticket', 'A-1', 'a'.repeat(64)],
  hostPattern: [
    'api.anthropic.com',
    '*',
    '*.example.org:443',
    '192.0.2.1',
    '[2001:db8::1]:443',
    '[::]',
    '10.0.0.0/8:22',
    '2001:db8::/32',
  ],
  httpMethod: ['GET', 'PROPFIND', 'M-SEARCH', 'A'.repeat(32)],
  urlPath: ['/', '/api', '/a/%2F/b/', '/.well-known/...'],
  ipAddress: ['192.0.2.1', '::1', '2001:db8::1', '::ffff:192.0.2.1'],
  proxyUrl: ['http://squid:3128', 'https://10.0.0.1', 'http://[::1]:65535/', 'http://a-b.c_d/'],
  listenAddress: [
    '127.0.0.1:1',
    '0.0.0.0:65535',
    '255.255.255.255:1024',
    '[::1]:8080',
    '[2001:db8::1]:9',
    '/run/a.sock',
  ],
  secretSource: ['/run/secrets/key', '/k', 'credential:a', 'credential:_.-9', `credential:${'k'.repeat(127)}`],
  baseUrl: [
    'https://llm.example.com/v1',
    'https://a',
    'https://A-1.example:65535/',
    'http://10.0.3.7:11434/v1',
    'http://[::1]:8080',
    "https://h/~a!$&'()*+,;:@-._",
  ],
  credentialHeader: ['api-key', 'X', 'Authorization: Token', 'a-1: b-2'],
  userName: ['oauth2', 'x-access-token', '!', 'me@example.org', 'a'.repeat(128)],
};

/** A random value that the schema accepts. */
export function makeValue(random: Random, schema: Schema, definitions: Readonly<Record<string, Schema>>): unknown {
  if (Array.isArray(schema.type)) {
    const kind = random.once(2) ? 'string' : 'object';
    return makeValue(random, { ...schema, type: kind, ...(kind === 'object' ? { allOf: [] } : {}) }, definitions);
  }
  const form = formOf(schema);
  if (form !== undefined) return makeText(random, form);
  if (schema.enum !== undefined) return random.pick(schema.enum);
  switch (schema.type) {
    case 'integer':
      return makeInteger(random, schema.minimum ?? 0, schema.maximum ?? 0);
    case 'boolean':
      return random.once(2);
    case 'array':
      return makeList(random, schema, definitions);
    case 'object':
      return schema.properties === undefined
        ? makeMap(random, schema, definitions)
        : makeObject(random, schema, definitions);
    default:
      throw new Error(`no value can be made for ${JSON.stringify(schema)}`);
  }
}

/** The definition a text follows; of several the last, which is the narrowest. */
function formOf(schema: Schema): string | undefined {
  const reference = schema.$ref ?? schema.allOf?.at(-1)?.$ref;
  return reference?.slice('#/definitions/'.length);
}

function makeText(random: Random, form: string): string {
  const texts = TEXTS[form];
  if (texts === undefined) throw new Error(`the form ${form} has no valid texts here`);
  return random.pick(texts);
}

function makeInteger(random: Random, least: number, most: number): number {
  return random.pick([least, most, least + random.below(most - least + 1), Math.min(most, least + random.below(4096))]);
}

function makeList(random: Random, schema: Schema, definitions: Readonly<Record<string, Schema>>): readonly unknown[] {
  const length = (schema.minItems ?? 0) + random.below(4);
  return Array.from({ length }, (_, index) => {
    const items = schema.items ?? {};
    const element = Array.isArray(items) ? (items[index] ?? schema.additionalItems ?? {}) : items;
    return makeValue(random, element as Schema, definitions);
  });
}

function makeMap(random: Random, schema: Schema, definitions: Readonly<Record<string, Schema>>): object {
  const form = formOf(schema.propertyNames ?? {}) ?? '';
  const entries = Array.from({ length: random.below(4) }, () => [
    makeText(random, form),
    makeValue(random, schema.additionalProperties || {}, definitions),
  ]);
  return Object.fromEntries(entries) as object;
}

function makeObject(random: Random, schema: Schema, definitions: Readonly<Record<string, Schema>>): object {
  const entries = Object.entries(schema.properties ?? {})
    .filter(([name]) => schema.required?.includes(name) === true || random.once(2))
    .map(([name, property]) => [name, makeValue(random, property, definitions)] as const);
  return Object.fromEntries(entries);
}
