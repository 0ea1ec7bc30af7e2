import { readCredential } from './credential-store.ts';
import type { HostSecrets } from './host.ts';
import { readSecretFile } from './secret-file.ts';

/** What systemd credentials are called in cards. */
const CREDENTIAL = 'credential:';

/** What the machine's secrets are read by. */
export interface SecretsOptions {
  /** Directories to look for systemd-creds in before the usual ones. */
  readonly tools: readonly string[];
  /** Root's policy: files of secrets may be readable by others. */
  readonly mayBeReadable: boolean;
  /** `$CREDENTIALS_DIRECTORY` of this process, or null. */
  readonly credentialsDirectory: string | null;
}

/** Secrets of the real machine. Their files may lie on any file system, so no call waits for one synchronously. */
export function linuxSecrets({ tools, mayBeReadable, credentialsDirectory }: SecretsOptions): HostSecrets {
  return {
    read: (source, bytesMax) => {
      const rules = { bytesMax, mayBeReadable };
      if (!source.startsWith(CREDENTIAL)) return readSecretFile(source, rules);
      return readCredential(source.slice(CREDENTIAL.length), rules, { own: credentialsDirectory, tools });
    },
  };
}
