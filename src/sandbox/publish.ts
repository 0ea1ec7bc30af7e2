import { SpawnError } from '../base/errors.ts';
import type { Problem } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import type { Host } from '../host/host.ts';
import { agentOfPublishUnit, contested, type PlannedPort, plannedPorts } from '../plan/publish.ts';
import type { UnitFile } from '../plan/publish-units.ts';
import { type EngineContext, tolerate } from './context.ts';
import type { EnginePaths } from './executors.ts';
import { portHolder } from './port-holder.ts';
import type { Registry } from './registry.ts';

/** Largest unit file of ours that is read back, bytes: they have some kilobytes. */
const UNIT_BYTES_MAX = 64 * 1024;

/** Writes unit files, leaving those alone that are as they should be: PID 1 warns about a file that changed. */
export async function writeUnits(host: Host, paths: EnginePaths, units: readonly UnitFile[]): Promise<void> {
  for (const { name, text } of units) {
    const path = `${paths.unitsDirectory}/${name}`;
    const present = await host.files.read(path, UNIT_BYTES_MAX);
    if (present === null || new TextDecoder().decode(present) !== text) await host.files.write(path, text, 0o644);
  }
}

/**
 * Closes published ports and removes their units. PID 1 does the former by
 * itself when an agent ends; whoever asks here knows that it is done.
 */
export async function removeUnits(host: Host, paths: EnginePaths, names: readonly string[]): Promise<void> {
  const sockets = names.filter((unit) => unit.endsWith('.socket'));
  await Promise.all(sockets.map((socket) => closeSocket(host, socket)));
  for (const name of names) await host.files.remove(`${paths.unitsDirectory}/${name}`);
}

/** A job for a unit that has ended already would make PID 1 load it once more, which takes longer than all else. */
async function closeSocket(host: Host, socket: string): Promise<void> {
  const open = await host.units.names(socket, ['active', 'activating', 'deactivating', 'failed']);
  if (open.length === 0) return;
  await host.units.stop(socket);
  await host.units.resetFailed(socket);
}

/** Names of both units of ports. */
export function unitsOf(ports: readonly PlannedPort[]): readonly string[] {
  return ports.flatMap(({ socket, service }) => [socket, service]);
}

/** Removes the units that an earlier card of the agent had and its present one does not. */
export async function dropUnits(
  context: EngineContext,
  earlier: ResolvedCard,
  present: ResolvedCard | null,
): Promise<void> {
  const kept = new Set(present === null ? [] : unitsOf(plannedPorts(present)));
  const dropped = unitsOf(plannedPorts(earlier)).filter((name) => !kept.has(name));
  if (dropped.length === 0) return;
  await tolerate(context, `published ports of ${earlier.agentId}`, () =>
    removeUnits(context.host, context.paths, dropped),
  );
}

/**
 * Closes the ports that a changed card does not have any more and opens those
 * that it added, if the agent runs. PID 1 must have read the agent's unit again
 * before: while the agent requires a socket, stopping that stops the agent.
 */
export async function exchangePorts(context: EngineContext, id: string, before: ResolvedCard | null): Promise<void> {
  const agent = context.registry.find(id);
  const present = agent === null || agent.isInvalid ? null : agent.record.card;
  if (before !== null) await dropUnits(context, before, present);
  if (present === null || agent?.unitState?.activeState !== 'active') return;
  for (const { listen, socket } of plannedPorts(present)) {
    await tolerate(context, `published port ${listen} of ${id}`, async () => {
      const result = await context.host.units.start(socket);
      if (result !== 'done') throw new SpawnError('sandbox.port-taken', `${listen} cannot be listened on (${result}).`);
    });
  }
}

/** Removes units of published ports whose agent neither runs nor is declared. */
export async function sweepUnits(context: EngineContext, isWanted: (id: string) => boolean): Promise<void> {
  const { host, paths } = context;
  for (const name of await host.files.list(paths.unitsDirectory)) {
    const id = agentOfPublishUnit(name);
    if (id === null || isWanted(id)) continue;
    await tolerate(context, `published port ${name}`, () => removeUnits(host, paths, [name]));
  }
}

/** Ports that another agent has: one that runs, or one whose card is declared and may be started by anyone. */
export function portProblems(registry: Registry, id: string, ports: readonly PlannedPort[]): readonly Problem[] {
  return ports.flatMap((port) => {
    const holder = agentHolder(registry, id, port);
    if (holder === null) return [];
    return [
      {
        code: 'plan.publish-refused' as const,
        pointer: port.pointer,
        message: `${port.listen} is a published port of the agent "${holder}".`,
        suggestion: 'Publish at another address or port, or stop that agent.',
      },
    ];
  });
}

/**
 * What kept the ports of an agent from being opened, by name, or null when
 * that was not why it did not start.
 */
export async function takenPort(
  context: Pick<EngineContext, 'host' | 'paths' | 'registry'>,
  id: string,
  ports: readonly PlannedPort[],
): Promise<SpawnError | null> {
  for (const port of ports) {
    if ((await context.host.units.names(port.socket, ['failed'])).length === 0) continue;
    const agent = agentHolder(context.registry, id, port);
    const holder = agent === null ? await programHolder(context, port.listen) : `the agent "${agent}"`;
    return new SpawnError('sandbox.port-taken', `${port.listen} cannot be published: ${holder} listens there.`, {
      remedy: `systemctl status ${port.socket}`,
    });
  }
  return null;
}

/** Another program by its name and unit where they can be found out. */
async function programHolder(context: Pick<EngineContext, 'host' | 'paths'>, listen: string): Promise<string> {
  return (await portHolder(context.host, context.paths, listen).catch(() => null)) ?? 'another program of this host';
}

function agentHolder(registry: Registry, id: string, port: PlannedPort): string | null {
  const holder = registry.all().find((agent) => {
    const { id: other, origin, user, card } = agent.record;
    // Without a user it has no plan yet, and who comes first is PID 1's to say.
    if (other === id || user.name === '' || (agent.isInvalid && !agent.isLive)) return false;
    return (agent.isLive || origin === 'declared') && contested([port], plannedPorts(card)).length > 0;
  });
  return holder?.id ?? null;
}
