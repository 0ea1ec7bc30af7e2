import { SpawnError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import type { Host } from '../host/host.ts';
import { type HeldKey, type KeyEnvironment, keyOptions, keysDirectory } from '../plan/key-environment.ts';
import type { StepGround, Undo } from './executors.ts';

/** Largest file of a key, bytes. */
const KEY_BYTES_MAX = 65_536;
/** One line of printable ASCII, with or without a line end. */
const KEY = /^([\x21-\x7e]+)\r?\n?$/;

/** Writes the keys that an agent gets itself; when one cannot be read, nothing. Throws `plan.credentials-refused`. */
export async function writeKeys({ host }: Pick<StepGround, 'host'>, keys: KeyEnvironment): Promise<Undo> {
  const undo = (): Promise<void> => host.files.removeTree(keys.directory);
  const options = keyOptions(await readHeldKeys(host, keys.keys));
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
export function readHeldKeys(
  host: Pick<Host, 'files'>,
  keys: readonly HeldKey[],
): Promise<readonly { readonly variable: string; readonly value: string }[]> {
  return Promise.all(keys.map(async (key) => ({ variable: key.variable, value: await readKey(host, key) })));
}

async function readKey(host: Pick<Host, 'files'>, { source, pointer }: HeldKey): Promise<string> {
  let bytes: Uint8Array | null;
  try {
    bytes = await host.files.readSecret(source, KEY_BYTES_MAX);
  } catch (error) {
    throw refused(source, pointer, error instanceof Error ? error.message : String(error));
  }
  const value = bytes === null ? undefined : KEY.exec(new TextDecoder().decode(bytes))?.[1];
  if (value === undefined)
    throw refused(source, pointer, bytes === null ? 'there is no such file' : 'it is not one line');
  return value;
}

function refused(source: string, pointer: string, cause: string): SpawnError {
  const message = `The key in ${quote(source)} cannot be used: ${cause}.`;
  return new SpawnError('plan.credentials-refused', message, {
    problems: [{ code: 'plan.credentials-refused', pointer, message }],
  });
}
