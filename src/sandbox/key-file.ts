import { RECORD_BYTES_MAX } from '../base/limits.ts';
import type { HostSecrets } from '../host/host.ts';
import { type HeldKey, KEYS_FILE, type KeyEnvironment, keyOptions, keysDirectory } from '../plan/key-environment.ts';
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

/** What became of the keys that an agent gets itself. */
export interface KeyRenewal {
  /** Variables whose key is another one now. */
  readonly changed: readonly string[];
  /** Puts the earlier keys back. Never throws. */
  undo(): Promise<void>;
}

/** Exchanges the keys that an agent gets at its next start. A failure leaves those that there are. */
export async function renewKeys(
  { host, paths }: Pick<StepGround, 'host' | 'paths'>,
  id: string,
  keys: readonly { readonly variable: string; readonly value: string }[],
): Promise<KeyRenewal> {
  const file = `${keysDirectory(`${paths.agentsDirectory}/${id}`)}/${KEYS_FILE}`;
  const bytes = await host.files.read(file, RECORD_BYTES_MAX);
  const before = bytes === null ? '' : new TextDecoder().decode(bytes);
  await host.files.write(file, keyOptions(keys), 0o600);
  return {
    changed: keys.filter((key) => !before.includes(keyOptions([key]))).map(({ variable }) => variable),
    undo: () => host.files.write(file, before, 0o600).catch(() => undefined),
  };
}

/** The keys themselves. Throws `plan.credentials-refused`. */
async function readHeldKeys(
  secrets: HostSecrets,
  keys: readonly HeldKey[],
): Promise<readonly { readonly variable: string; readonly value: string }[]> {
  const values = await readSecrets(secrets, keySources(keys));
  return keys.map(({ variable }, index) => ({ variable, value: values[index] ?? '' }));
}
