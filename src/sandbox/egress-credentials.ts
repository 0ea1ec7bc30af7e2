import { SpawnError } from '../base/errors.ts';
import { CREDENTIALS_BYTES_MAX } from '../base/limits.ts';
import { quote } from '../base/quote.ts';
import type { Host } from '../host/host.ts';
import type { EgressSecrets } from '../plan/egress.ts';
import type { AgentTable } from '../policy/table.ts';

/** One line `user:password` (RFC 7617: the user has no colon, neither has control characters), with or without a line end. */
const CREDENTIALS = /^([^:\p{Cc}][^:\p{Cc}]*:[^\p{Cc}]*)\r?\n?$/u;

/**
 * A table with the credentials of its upstream proxy, read from their file.
 * Throws `plan.credentials-refused`; what is in the file is in no message.
 */
export async function withCredentials(
  host: Pick<Host, 'files'>,
  table: AgentTable,
  secrets: EgressSecrets,
): Promise<AgentTable> {
  if (secrets.upstream === null || table.upstream === null) return table;
  return { ...table, upstream: { ...table.upstream, credentials: await readCredentials(host, secrets.upstream) } };
}

async function readCredentials(host: Pick<Host, 'files'>, path: string): Promise<string> {
  let bytes: Uint8Array | null;
  try {
    bytes = await host.files.readSecret(path, CREDENTIALS_BYTES_MAX);
  } catch (error) {
    throw refused(path, error instanceof Error ? error.message : String(error));
  }
  if (bytes === null) throw refused(path, 'there is no such file');
  const credentials = CREDENTIALS.exec(new TextDecoder().decode(bytes))?.[1];
  if (credentials === undefined) throw refused(path, 'it is not one line USER:PASSWORD');
  return credentials;
}

function refused(path: string, cause: string): SpawnError {
  const message = `The credentials of the proxy in ${quote(path)} cannot be used: ${cause}.`;
  return new SpawnError('plan.credentials-refused', message, {
    problems: [{ code: 'plan.credentials-refused', pointer: '/proxy_credentials_file', message }],
  });
}
