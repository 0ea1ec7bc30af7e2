import { SpawnError } from '../base/errors.ts';
import type { StepArguments } from '../plan/step.ts';
import type { EnginePaths, StepGround, Undo } from './executors.ts';

/** Standard streams, each with a socket of the caller's. */
const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** Where PID 1 finds the sockets of an agent's streams. */
export function streamsDirectory(paths: EnginePaths, id: string): string {
  return `${paths.streamsDirectory}/${id}`;
}

/**
 * Gives the caller's sockets names that root alone can turn, and PID 1 those: it opens them as root, at every start of
 * the unit, and what the caller's own names lead to by then is the caller's to say. Throws `control.forbidden` when one
 * of them is no socket of the caller's.
 */
export async function takeStreams(
  { host }: StepGround,
  { token, from, directory, uid }: StepArguments['streams.take'],
): Promise<Undo> {
  const undo = (): Promise<void> => host.files.removeTree(directory);
  try {
    await host.files.makeDirectory(directory, 0o700);
    for (const name of STREAMS) {
      const isTaken = await host.files.linkSocket(`${from}/${name}.sock`, `${directory}/${name}.sock`, uid);
      if (!isTaken) throw notTheCallers(token, name, uid);
    }
  } catch (error) {
    await undo().catch(() => undefined);
    throw error;
  }
  return undo;
}

function notTheCallers(token: string, name: string, uid: number): SpawnError {
  return new SpawnError(
    'control.forbidden',
    `There is no socket ${name}.sock of the caller's, uid ${uid}, in the directory ${token} of streams.`,
    { remedy: 'Start the agent with agent-spawn, which makes it; or without streams, with "attach": null.' },
  );
}
