import type { HostSecrets } from '../host/host.ts';
import type { EgressSecrets } from '../plan/egress.ts';
import type { AgentTable } from '../policy/table.ts';
import { egressSources, readSecrets } from './secrets.ts';

/**
 * A table with the keys of its gateways and the credentials of its upstream
 * proxy. Throws `plan.credentials-refused` with a problem for each that cannot
 * be used.
 */
export async function withCredentials(
  secrets: HostSecrets,
  table: AgentTable,
  sources: EgressSecrets,
): Promise<AgentTable> {
  const read = await readSecrets(secrets, egressSources(sources));
  const keys = new Map(sources.gateways.map(({ mount }, index) => [mount, read[index] ?? null]));
  const credentials = read[sources.gateways.length] ?? null;
  return {
    ...table,
    upstream: table.upstream === null ? null : { ...table.upstream, credentials },
    gateways: table.gateways.map((gateway) => ({ ...gateway, key: keys.get(gateway.mount) ?? null })),
  };
}
