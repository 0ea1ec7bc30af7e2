import { problemsError } from '../base/errors.ts';
import { CREDENTIALS_BYTES_MAX, KEY_BYTES_MAX } from '../base/limits.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import type { HostSecrets } from '../host/host.ts';
import type { SecretRead } from '../host/secret-read.ts';
import type { EgressSecrets } from '../plan/egress.ts';
import type { HeldKey } from '../plan/key-environment.ts';
import type { Plan } from '../plan/plan.ts';
import { secretWords } from './secret-words.ts';

/** One secret that a card names. */
export interface SecretSource {
  /** Absolute path, or `credential:NAME`. */
  readonly place: string;
  /** Where the card says so. */
  readonly pointer: string;
  readonly kind: SecretKind;
}

/** A key or token; or `user:password` of the upstream proxy. */
export type SecretKind = 'key' | 'proxy';

/** What is asked of the content of each kind. */
interface Form {
  /** Begins a sentence. */
  readonly what: string;
  readonly bytesMax: number;
  /** Takes the text without its line end. */
  readonly pattern: RegExp;
  /** What `pattern` takes. */
  readonly wanted: string;
}

const FORMS: Readonly<Record<SecretKind, Form>> = {
  // What every field of a request can carry (RFC 9110 §5.5).
  key: { what: 'The key', bytesMax: KEY_BYTES_MAX, pattern: /^[!-~]+$/, wanted: 'one line of ASCII without spaces' },
  // RFC 7617: the user has no colon, neither has control characters.
  proxy: {
    what: 'The credentials of the proxy',
    bytesMax: CREDENTIALS_BYTES_MAX,
    pattern: /^[^:\p{Cc}]+:[^\p{Cc}]*$/u,
    wanted: 'one line USER:PASSWORD',
  },
};

/**
 * Reads secrets; the answer is in the order of the sources. Throws
 * `plan.credentials-refused` with a problem for each that cannot be used;
 * nothing of any content is in there.
 */
export async function readSecrets(secrets: HostSecrets, sources: readonly SecretSource[]): Promise<readonly string[]> {
  const read = await Promise.all(sources.map((source) => readSecret(secrets, source)));
  const problems = read.filter((found) => typeof found !== 'string');
  if (problems.length > 0) throw problemsError(problems, 'keys of the card');
  return read.filter((found) => typeof found === 'string');
}

/**
 * Reads everything that a plan needs, so that a start is refused before its
 * first step. What is returned answers the steps from what was read: each file
 * is read once. Throws as {@link readSecrets} does.
 */
export async function readPlanSecrets(secrets: HostSecrets, { network, keys }: Plan): Promise<HostSecrets> {
  const once = readOnce(secrets);
  const egress = network.egress === null ? [] : egressSources(network.egress.secrets);
  await readSecrets(once, [...(keys === null ? [] : keySources(keys.keys)), ...egress]);
  return once;
}

/** The sources of keys that an agent gets itself, in their order. */
export function keySources(keys: readonly HeldKey[]): readonly SecretSource[] {
  return keys.map(({ source, pointer }) => ({ place: source, pointer, kind: 'key' }));
}

/** The sources of what the proxy is told: keys of gateways in their order, then the credentials of the upstream proxy. */
export function egressSources({ gateways, upstream }: EgressSecrets): readonly SecretSource[] {
  const keys = gateways.map(({ source, pointer }): SecretSource => ({ place: source, pointer, kind: 'key' }));
  if (upstream === null) return keys;
  return [...keys, { place: upstream, pointer: '/proxy_credentials_file', kind: 'proxy' }];
}

/** A reader that reads each source once and then answers with the same. */
export function readOnce(secrets: HostSecrets): HostSecrets {
  const read = new Map<string, Promise<SecretRead>>();
  return {
    read: (source, bytesMax) => {
      const key = `${bytesMax} ${source}`;
      const answer = read.get(key) ?? secrets.read(source, bytesMax);
      read.set(key, answer);
      return answer;
    },
  };
}

async function readSecret(secrets: HostSecrets, source: SecretSource): Promise<string | Problem> {
  const { bytesMax, pattern, wanted } = FORMS[source.kind];
  const read = await secrets.read(source.place, bytesMax);
  if (!read.ok) {
    const { cause, suggestion } = secretWords(read.fault, source.place, bytesMax);
    return refusal(source, cause, suggestion);
  }
  const text = textOf(read.bytes);
  if (text !== null && pattern.test(text)) return text;
  return refusal(source, contentFault(read.bytes, text), `It must be ${wanted}.`);
}

/** The text without the one line end that editors leave; null for what is no text. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    return null;
  }
}

/** What is wrong with a content, saying nothing of it that could be the secret. */
function contentFault(bytes: Uint8Array, text: string | null): string {
  if (bytes.length === 0) return 'it is empty';
  if (text === null || text.includes('\0')) return 'it is binary';
  if (text === '') return 'it is an empty line';
  if (text.startsWith('\ufeff')) return 'it begins with a byte order mark';
  if (text.includes('\n')) return 'it has more than one line';
  if (text.includes('\r')) return 'it holds a carriage return';
  if (/\s/.test(text)) return 'it holds a space';
  return 'it holds characters that do not belong there';
}

function refusal({ kind, place, pointer }: SecretSource, cause: string, suggestion: string): Problem {
  const message = `${FORMS[kind].what} in ${quote(place)} cannot be used: ${cause}.`;
  return { code: 'plan.credentials-refused', pointer, message, suggestion };
}
