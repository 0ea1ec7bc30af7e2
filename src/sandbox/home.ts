import { problemsError, SpawnError } from '../base/errors.ts';
import type { Host } from '../host/host.ts';
import { homeOfUnit } from '../plan/home.ts';
import type { StepArguments } from '../plan/step.ts';
import { type EngineContext, tolerate } from './context.ts';
import type { EnginePaths, StepGround, Undo } from './executors.ts';

/** Largest unit file of a home that is read back, bytes: it has some hundred. */
const UNIT_BYTES_MAX = 64 * 1024;

/**
 * Writes the unit of a home; PID 1 mounts it when the agent's unit needs it. A
 * home that is there already keeps its content, and gets the size of the present card.
 */
export async function prepareHome(
  { host, paths }: StepGround,
  { directory, unit, bytes }: StepArguments['home.prepare'],
): Promise<Undo> {
  const path = `${paths.unitsDirectory}/${unit.name}`;
  const present = await host.files.read(path, UNIT_BYTES_MAX);
  const before = present === null ? null : new TextDecoder().decode(present);
  const undo = (): Promise<void> => (before === null ? removeHome(host, paths, unit.name) : Promise.resolve());
  if (before === unit.text) return undo;
  try {
    await host.files.write(path, unit.text, 0o644);
    if (await takeUp(host, unit.name)) return undo;
    throw tooFull(directory, bytes);
  } catch (error) {
    await restore(host, { path, name: unit.name, before }, undo).catch(() => undefined);
    throw error;
  }
}

/** Makes PID 1 follow a unit file that changed. False when the home holds more than it could then. */
async function takeUp(host: Host, unit: string): Promise<boolean> {
  if ((await host.units.names(unit, [])).length === 0) return true;
  await host.units.reload();
  if ((await host.units.names(unit, ['active'])).length === 0) return true;
  return (await host.units.reloadUnit(unit)) === 'done';
}

async function restore(
  host: Host,
  { path, name, before }: { readonly path: string; readonly name: string; readonly before: string | null },
  undo: Undo,
): Promise<void> {
  if (before === null) return undo();
  await host.files.write(path, before, 0o644);
  if ((await host.units.names(name, [])).length > 0) await host.units.reload();
}

function tooFull(directory: string, bytes: number): SpawnError {
  const mebibytes = Math.floor(bytes / (1024 * 1024));
  return problemsError(
    [
      {
        code: 'plan.home-refused',
        pointer: '/resource_limits/tmp_mb',
        message: `The home directory ${directory} cannot be changed to ${mebibytes} MiB: it holds more than that.`,
        suggestion: 'Leave tmp_mb larger, remove files from the home, or remove the agent and its home with it.',
      },
    ],
    'home directory',
  );
}

/**
 * Ends a home and what it holds, and removes its unit. PID 1 detaches the file
 * system; of what the agent put into it, nothing is looked at.
 */
async function removeHome(host: Host, paths: EnginePaths, unit: string): Promise<void> {
  const home = homeOfUnit(unit);
  if (home === null) return;
  if ((await host.units.names(unit, [])).length > 0) {
    const result = await host.units.stop(unit);
    if (result !== 'done') throw new SpawnError('host.call-failed', `stopping ${unit} ended with "${result}"`);
    await host.units.resetFailed(unit);
  }
  const above = `${paths.homesDirectory}/${home.id}`;
  await host.files.revertWorkspace({ made: [above, `${above}/${home.uid}`], reowned: 0 });
  await host.files.remove(`${paths.unitsDirectory}/${unit}`);
}

/** Ends the homes of an agent, except the one that it has as `uid`; without one all, unless somebody starts it meanwhile. */
export async function dropHomes(
  context: EngineContext,
  { id, uid = null }: { readonly id: string; readonly uid?: number | null },
): Promise<void> {
  const isStarted = (): boolean => uid === null && context.registry.find(id)?.record.phase === 'starting';
  await sweepHomes(context, (home) => home.id !== id || home.uid === uid || isStarted());
}

/** Ends every home that is not wanted. */
export async function sweepHomes(
  context: EngineContext,
  isWanted: (home: { readonly id: string; readonly uid: number }) => boolean,
): Promise<void> {
  const { host, paths } = context;
  for (const name of await host.files.list(paths.unitsDirectory)) {
    const home = homeOfUnit(name);
    if (home === null || isWanted(home)) continue;
    await tolerate(context, `home of ${home.id}`, () => removeHome(host, paths, name));
  }
}

/** Why the home of an agent could not be mounted, or null when that was not why it did not start. */
export async function homeFailure(
  context: Pick<EngineContext, 'host' | 'paths'>,
  id: string,
): Promise<SpawnError | null> {
  for (const unit of await context.host.files.list(context.paths.unitsDirectory)) {
    if (homeOfUnit(unit)?.id !== id || (await context.host.units.names(unit, ['failed'])).length === 0) continue;
    return new SpawnError('sandbox.start-failed', `The home directory of the agent "${id}" could not be mounted.`, {
      remedy: `systemctl status '${unit}'`,
    });
  }
  return null;
}
