import { SpawnError } from '../base/errors.ts';
import { CREDENTIALS_BYTES_MAX, KEY_BYTES_MAX } from '../base/limits.ts';
import { quote } from '../base/quote.ts';
import type { Problem } from '../base/result.ts';
import type { Host } from '../host/host.ts';
import type { EgressSecrets, GatewaySecret } from '../plan/egress.ts';
import type { AgentTable } from '../policy/table.ts';

/** One secret: where it is, where in the card that is said, and what it must look like. */
interface Source {
  /** Absolute path, or `credential:NAME`. */
  readonly place: string;
  readonly pointer: string;
  /** Begins a sentence. */
  readonly what: string;
  readonly bytesMax: number;
  /** Its first group is the secret. */
  readonly form: RegExp;
  /** What `form` takes, in words. */
  readonly wanted: string;
}

/** RFC 7617: the user has no colon, neither has control characters. */
const CREDENTIALS: Pick<Source, 'what' | 'bytesMax' | 'form' | 'wanted'> = {
  what: 'The credentials of the proxy',
  bytesMax: CREDENTIALS_BYTES_MAX,
  form: /^([^:\p{Cc}][^:\p{Cc}]*:[^\p{Cc}]*)\r?\n?$/u,
  wanted: 'one line USER:PASSWORD',
};

/** What a field of a request can carry without a doubt (RFC 9110 §5.5). */
const KEY: Pick<Source, 'what' | 'bytesMax' | 'form' | 'wanted'> = {
  what: 'The key',
  bytesMax: KEY_BYTES_MAX,
  form: /^([!-~]+)\r?\n?$/,
  wanted: 'one line of printable characters',
};

/**
 * A table with the keys of its gateways and the credentials of its upstream
 * proxy, read from their files. Throws `plan.credentials-refused` with every
 * problem there is; what is in a file is in no message.
 */
export async function withCredentials(
  host: Pick<Host, 'files'>,
  table: AgentTable,
  secrets: EgressSecrets,
): Promise<AgentTable> {
  const problems: Problem[] = [];
  const read = async (source: Source): Promise<string | null> => {
    const found = await readSecret(host, source);
    if (typeof found === 'string') return found;
    problems.push(found);
    return null;
  };
  const { upstream } = secrets;
  const pointer = '/proxy_credentials_file';
  const credentials = upstream === null ? null : await read({ ...CREDENTIALS, place: upstream, pointer });
  const keys = new Map<string, string | null>();
  for (const { mount, source, pointer } of secrets.gateways)
    keys.set(mount, await read({ ...KEY, place: source, pointer }));
  const [first] = problems;
  if (first !== undefined) throw new SpawnError('plan.credentials-refused', first.message, { problems });
  return {
    ...table,
    upstream: table.upstream === null ? null : { ...table.upstream, credentials },
    gateways: table.gateways.map((gateway) => ({ ...gateway, key: keys.get(gateway.mount) ?? null })),
  };
}

/** Keys that an agent gets itself, in the order of their places. Throws as {@link withCredentials} does. */
export async function readKeys(
  host: Pick<Host, 'files'>,
  places: readonly Pick<GatewaySecret, 'source' | 'pointer'>[],
): Promise<readonly string[]> {
  const found: (string | Problem)[] = [];
  for (const { source, pointer } of places) found.push(await readSecret(host, { ...KEY, place: source, pointer }));
  const problems = found.filter((one) => typeof one !== 'string');
  const [first] = problems;
  if (first !== undefined) throw new SpawnError('plan.credentials-refused', first.message, { problems });
  return found.filter((one) => typeof one === 'string');
}

async function readSecret(host: Pick<Host, 'files'>, source: Source): Promise<string | Problem> {
  const { place, bytesMax, form, wanted } = source;
  if (place.startsWith('credential:')) return refuse(source, 'credentials of systemd are not read yet');
  let bytes: Uint8Array | null;
  try {
    bytes = await host.files.readSecret(place, bytesMax);
  } catch (error) {
    return refuse(source, error instanceof Error ? error.message : String(error));
  }
  if (bytes === null) return refuse(source, 'there is no such file');
  return form.exec(new TextDecoder().decode(bytes))?.[1] ?? refuse(source, `it is not ${wanted}`);
}

function refuse({ what, place, pointer }: Source, cause: string): Problem {
  return { code: 'plan.credentials-refused', pointer, message: `${what} in ${quote(place)} cannot be used: ${cause}.` };
}
