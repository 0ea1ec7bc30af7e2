import { type KeyEnvironment, keyOptions, keysDirectory } from '../plan/key-environment.ts';
import { readKeys } from './egress-credentials.ts';
import type { StepGround, Undo } from './executors.ts';

/** Writes the keys that an agent gets itself; when one cannot be read, nothing. Throws `plan.credentials-refused`. */
export async function writeKeys({ host }: Pick<StepGround, 'host'>, keys: KeyEnvironment): Promise<Undo> {
  const undo = (): Promise<void> => host.files.removeTree(keys.directory);
  const values = await readKeys(host, keys.keys);
  const options = keyOptions(keys.keys.map(({ variable }, index) => ({ variable, value: values[index] ?? '' })));
  try {
    await host.files.makeDirectory(keys.directory, 0o700);
    await host.files.write(keys.file, options, 0o600);
  } catch (error) {
    await undo().catch(() => undefined);
    throw error;
  }
  return undo;
}

/** Removes the keys of an agent whose card does not hand it any. */
export async function dropKeys({ host, paths }: Pick<StepGround, 'host' | 'paths'>, id: string): Promise<void> {
  await host.files.removeTree(keysDirectory(`${paths.agentsDirectory}/${id}`));
}
