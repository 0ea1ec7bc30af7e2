import { lstat } from 'node:fs/promises';
import { SEALED_CREDENTIAL_BYTES_MAX } from '../base/limits.ts';
import { unless } from './call-failed.ts';
import { readSecretFile } from './secret-file.ts';
import { fault, type SecretRead, type SecretRules } from './secret-read.ts';
import { unsealCommand } from './spawn.ts';
import { findTrustedProgram } from './trusted-program.ts';

/** Where systemd looks for credentials, in its order (systemd.exec(5), "LoadCredential="); encrypted ones beside them. */
const STORES = ['/etc/credstore', '/run/credstore', '/usr/local/lib/credstore', '/usr/lib/credstore'];

/** Where else to look. */
export interface CredentialPlaces {
  /** `$CREDENTIALS_DIRECTORY` of this process, or null. */
  readonly own: string | null;
  /** Directories to look for systemd-creds in before the usual ones. */
  readonly tools: readonly string[];
}

/**
 * Reads a systemd credential: one that this process was given itself
 * (LoadCredential= and its like, in `own`), else one of the machine's stores,
 * else an encrypted one, which `systemd-creds` opens. Never throws.
 */
export async function readCredential(name: string, rules: SecretRules, places: CredentialPlaces): Promise<SecretRead> {
  const { own, tools } = places;
  for (const directory of [...(own === null ? [] : [own]), ...STORES]) {
    const path = `${directory}/${name}`;
    if (await isThere(path)) return readSecretFile(path, rules);
  }
  for (const directory of STORES) {
    const path = `${directory}.encrypted/${name}`;
    if (await isThere(path)) return unseal({ name, path, tools }, rules);
  }
  return fault({ kind: 'no-credential', name });
}

/** A store that is not there says nothing, whoever may write to the directory it would be in. */
async function isThere(path: string): Promise<boolean> {
  return (await unless(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'], lstat(path))) !== null;
}

/** What is encrypted may be read by anybody; nobody but root may put another in its place all the same. */
async function unseal(
  { name, path, tools }: { readonly name: string; readonly path: string; readonly tools: readonly string[] },
  rules: SecretRules,
): Promise<SecretRead> {
  const sealed = await readSecretFile(path, { bytesMax: SEALED_CREDENTIAL_BYTES_MAX, mayBeReadable: true });
  if (!sealed.ok) return sealed;
  const program = await findTrustedProgram('systemd-creds', tools);
  if (program === null) return fault({ kind: 'sealed', path, cause: 'no-program' });
  const opened = await unsealCommand(program, ['decrypt', `--name=${name}`, '-', '-'], {
    input: sealed.bytes,
    bytesMax: rules.bytesMax,
    tools,
  });
  if (opened === null) return fault({ kind: 'sealed', path, cause: 'no-answer' });
  return opened.status === 0 ? { ok: true, bytes: opened.bytes } : fault({ kind: 'sealed', path, cause: 'refused' });
}
