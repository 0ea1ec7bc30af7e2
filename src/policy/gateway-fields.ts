import { type RawFields, requestFields, responseFields } from './forward-head.ts';
import type { RequestHead } from './request-head.ts';
import type { Gateway } from './table.ts';

/** Fields in which clients send credentials of one kind or another. */
const CREDENTIALS: readonly string[] = [
  'api-key',
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'x-goog-api-key',
];

/** Fields by which some servers take another method, path or origin of a request than it has. */
const OVERRIDES: readonly string[] = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-user',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
];

/** Fields that would have the answer come in pieces or in a form in which a key cannot be found. */
const SHAPING: readonly string[] = ['a-im', 'accept-encoding', 'if-range', 'range'];

const DROPPED: ReadonlySet<string> = new Set([...CREDENTIALS, ...OVERRIDES, ...SHAPING]);

/** Fields of an answer that are not for the agent: a session is a credential too. */
const DROPPED_OF_ANSWERS: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2']);

/** Fields to send to an API: the client's without its credentials, and the real one. */
export function gatewayFields(head: RequestHead, gateway: Gateway, host: string): RawFields {
  const { field } = gateway;
  const fields: string[] = [];
  const passed = requestFields(head, { host, upgrade: null });
  for (let index = 0; index + 1 < passed.length; index += 2) {
    const [name = '', value = ''] = [passed[index], passed[index + 1]];
    // Some servers take `_` for `-`.
    const plain = name.replaceAll('_', '-');
    if (!DROPPED.has(plain) && plain !== field.name.replaceAll('_', '-')) fields.push(name, value);
  }
  fields.push('accept-encoding', 'identity');
  const credential = credentialOf(gateway);
  if (credential !== null) fields.push(field.name, field.word === '' ? credential : `${field.word} ${credential}`);
  return fields;
}

/** Fields of an API's answer that go to the agent. */
export function gatewayAnswerFields(raw: RawFields): RawFields {
  const fields = responseFields(raw);
  return fields.filter((_, index) => !DROPPED_OF_ANSWERS.has((fields[index & ~1] ?? '').toLowerCase()));
}

/** Everything that no answer may tell the agent: the keys, and what is sent in their place. */
export function gatewaySecrets(gateways: readonly Gateway[]): readonly string[] {
  const secrets = gateways.flatMap((gateway) => [gateway.key, credentialOf(gateway)]);
  return [...new Set(secrets.filter((secret) => secret !== null && secret !== ''))] as readonly string[];
}

/** The credential as it stands behind the word of its field; null without a key. */
function credentialOf({ username, key }: Gateway): string | null {
  if (key === null) return null;
  return username === null ? key : Buffer.from(`${username}:${key}`).toString('base64');
}
