import { SpawnError } from '../base/errors.ts';
import { linkUnitName } from '../base/ids.ts';
import type { StepArguments } from '../plan/step.ts';
import { type EngineContext, tolerate } from './context.ts';
import type { StepGround, Undo } from './executors.ts';
import type { AgentRecord } from './record.ts';

/** Writes what the unit of a link reads. */
export async function prepareLink(
  { host }: StepGround,
  { unit, directory, files }: StepArguments['link.prepare'],
): Promise<Undo> {
  const undo = async (): Promise<void> => {
    await host.units.stop(unit);
    await host.units.resetFailed(unit);
    for (const { name } of files) await host.files.remove(`${directory}/${name}`);
  };
  try {
    for (const { name, content } of files) await host.files.write(`${directory}/${name}`, content, 0o600);
  } catch (error) {
    await undo().catch(() => undefined);
    throw error;
  }
  return undo;
}

/**
 * Ends the link of an agent and makes its number free. PID 1 ends it by itself when nobody needs it; whoever asks here
 * knows that the name on the host is free too.
 */
export async function dropLink(
  context: EngineContext,
  { id, linkIndex }: Pick<AgentRecord, 'id' | 'linkIndex'>,
): Promise<void> {
  if (linkIndex === null) return;
  await tolerate(context, `link of ${id}`, async () => {
    await context.host.units.stop(linkUnitName(id));
    await context.host.units.resetFailed(linkUnitName(id));
  });
  context.links.release(id);
}

/** Why the link of an agent could not be made, or null when that was not why it did not start. */
export async function linkFailure(context: Pick<EngineContext, 'host'>, id: string): Promise<SpawnError | null> {
  const state = await context.host.units.state(linkUnitName(id));
  if (state?.activeState !== 'failed') return null;
  const reason = state.statusText === '' ? `the unit ${linkUnitName(id)} failed (${state.result}).` : state.statusText;
  return new SpawnError('sandbox.start-failed', `The agent "${id}" has no network: ${reason}`, {
    remedy: `journalctl -u ${linkUnitName(id)}`,
  });
}
