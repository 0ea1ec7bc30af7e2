import { SpawnError } from '../base/errors.ts';
import { type EgressSecrets, planEgress } from '../plan/egress.ts';
import { type HeldKey, heldKeys } from '../plan/key-environment.ts';
import type { AgentTable, Gateway, UpstreamProxy } from '../policy/table.ts';
import type { Agent } from './agent.ts';
import type { EngineContext } from './context.ts';
import { withCredentials } from './egress-credentials.ts';
import { type KeyRenewal, renewKeys } from './key-file.ts';
import { storeRecord } from './record.ts';
import { egressSources, keySources, readOnce, readSecrets } from './secrets.ts';

/** What became of one credential of an agent; never the credential itself. */
export interface ReloadedCredential {
  /** Where the card names its source. */
  readonly pointer: string;
  /** Path at the proxy of the gateway that uses it, variable that holds it, or `proxy`. */
  readonly target: string;
  readonly isChanged: boolean;
  /** `now`: from the next request on. `next-start`: the present run keeps what it has. */
  readonly inForce: 'now' | 'next-start';
}

/** Secrets of a card, and what it says they are for. */
interface Sources {
  readonly keys: readonly HeldKey[];
  readonly egress: { readonly table: AgentTable; readonly secrets: EgressSecrets } | null;
}

/**
 * Reads all credentials of an agent again and puts them in force: requests
 * that run go on with what they had, the next one has the new key. When one
 * cannot be read, or the proxy does not take them, the old ones stay. Throws
 * `sandbox.not-running`, `sandbox.no-credentials`, `plan.credentials-refused`
 * and `host.egress-unavailable`.
 */
export async function reloadCredentials(context: EngineContext, agent: Agent): Promise<readonly ReloadedCredential[]> {
  await agent.starting;
  const sources = sourcesOf(context, agent);
  const secrets = readOnce(context.secrets);
  // All of them first, so that every problem is told at once.
  const { keys, egress } = sources;
  const read = await readSecrets(secrets, [
    ...keySources(keys),
    ...(egress === null ? [] : egressSources(egress.secrets)),
  ]);
  const values = keys.map(({ variable }, index) => ({ variable, value: read[index] ?? '' }));
  const renewal = keys.length === 0 ? null : await renewKeys(context, agent.id, values);
  try {
    const fresh = egress === null ? null : await withCredentials(secrets, egress.table, egress.secrets);
    const handed = egress === null || fresh === null ? [] : await handOver(context, agent, fresh, egress.secrets);
    await storeRecord(context.host, context.paths, agent.record);
    const reloaded = [...keys.map((key) => inEnvironment(key, agent, renewal)), ...handed];
    const changed = reloaded.filter(({ isChanged }) => isChanged).map(({ pointer }) => pointer);
    context.report({ kind: 'credentials-reloaded', id: agent.id, changed });
    return reloaded;
  } catch (error) {
    await renewal?.undo();
    throw error;
  }
}

function sourcesOf(context: EngineContext, { id, isLive, record: { card, origin } }: Agent): Sources {
  if (!isLive && origin !== 'declared')
    throw new SpawnError('sandbox.not-running', `The agent "${id}" is not running.`, {
      remedy: 'Its next start reads its keys.',
    });
  const keys = heldKeys(card);
  const planned = context.egress.find(id) === null ? null : planEgress(card, context.proxy);
  const egress = planned?.ok === true && egressSources(planned.value.secrets).length > 0 ? planned.value : null;
  if (keys.length === 0 && egress === null)
    throw new SpawnError('sandbox.no-credentials', `The agent "${id}" uses no key that could be read again.`, {
      remedy: `agentctl inspect ${id}`,
    });
  return { keys, egress };
}

/** Puts fresh credentials into the table in force, and into the one of the next run. */
async function handOver(
  context: EngineContext,
  agent: Agent,
  fresh: AgentTable,
  { gateways, upstream }: EgressSecrets,
): Promise<readonly ReloadedCredential[]> {
  const before: AgentTable[] = [];
  const egressTable = await context.egress.change(agent.id, (present) => {
    if (present === null) throw new SpawnError('sandbox.not-running', `The agent "${agent.id}" has ended.`);
    before.push(present);
    return renewed(present, fresh);
  });
  agent.record = { ...agent.record, egressTable };
  if (agent.nextEgress !== null) agent.nextEgress = renewed(agent.nextEgress, fresh);
  const [present = egressTable] = before;
  const reloaded = gateways.map(({ mount, pointer }): ReloadedCredential => {
    const [old, now] = [present, egressTable].map((table) => table.gateways.find((gateway) => gateway.mount === mount));
    const key = fresh.gateways.find((gateway) => gateway.mount === mount)?.key ?? null;
    return { pointer, target: mount, isChanged: old?.key !== key, inForce: now?.key === key ? 'now' : 'next-start' };
  });
  if (upstream === null) return reloaded;
  const [old, now, wanted] = [present, egressTable, fresh].map((table) => table.upstream?.credentials ?? null);
  const inForce = now === wanted ? 'now' : 'next-start';
  return [...reloaded, { pointer: '/proxy_credentials_file', target: 'proxy', isChanged: old !== wanted, inForce }];
}

/** A table with the credentials of another, each where it goes to the same server: a changed card may name others. */
function renewed(table: AgentTable, fresh: AgentTable): AgentTable {
  const keyOf = (gateway: Gateway): string | null => {
    const same = fresh.gateways.find((other) => isSame(withoutKey(other), withoutKey(gateway)));
    return same === undefined ? gateway.key : same.key;
  };
  const isSameProxy = isSame(withoutPassword(table.upstream), withoutPassword(fresh.upstream));
  return {
    ...table,
    upstream: isSameProxy ? fresh.upstream : table.upstream,
    gateways: table.gateways.map((gateway) => ({ ...gateway, key: keyOf(gateway) })),
  };
}

function inEnvironment({ pointer, variable }: HeldKey, agent: Agent, renewal: KeyRenewal | null): ReloadedCredential {
  const isChanged = renewal?.changed.includes(variable) === true;
  return { pointer, target: variable, isChanged, inForce: agent.isLive ? 'next-start' : 'now' };
}

/** What says where a key goes, and how. */
function withoutKey({ provider, mount, base, field, username }: Gateway): unknown {
  return { provider, mount, base, field, username };
}

function withoutPassword(upstream: UpstreamProxy | null): unknown {
  return upstream === null ? null : { scheme: upstream.scheme, host: upstream.host, port: upstream.port };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
