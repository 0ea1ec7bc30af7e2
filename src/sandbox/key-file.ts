import type { HostSecrets } from '../host/host.ts';
import { type HeldKey, type KeyEnvironment, keyOptions, keysDirectory } from '../plan/key-environment.ts';
import type { StepGround, Undo } from './executors.ts';
import { keySources, readSecrets } from './secrets.ts';

/** Writes the keys that an agent gets itself; when one cannot be read, nothing. Throws `plan.credentials-refused`. */
export async function writeKeys(
  { host, secrets }: Pick<StepGround, 'host' | 'secrets'>,
  keys: KeyEnvironment,
): Promise<Undo> {
  const undo = (): Promise<void> => host.files.removeTree(keys.directory);
  const options = keyOptions(await readHeldKeys(secrets, keys.keys));
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

/** The keys themselves. Throws `plan.credentials-refused`. */
async function readHeldKeys(
  secrets: HostSecrets,
  keys: readonly HeldKey[],
): Promise<readonly { readonly variable: string; readonly value: string }[]> {
  const values = await readSecrets(secrets, keySources(keys));
  return keys.map(({ variable }, index) => ({ variable, value: values[index] ?? '' }));
}
