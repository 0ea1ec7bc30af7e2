import { unitName } from '../base/ids.ts';
import { ok, type Problem, type Result, refused } from '../base/result.ts';
import type { ResolvedCard } from '../card/resolve.ts';
import type { EnvironmentVariable } from './environment.ts';
import type { HostFacts } from './facts.ts';
import { planCredentials } from './gateways.ts';

/** One key that the agent itself holds. */
export interface HeldKey {
  readonly variable: string;
  /** Where the key is: absolute path or `credential:NAME`. */
  readonly source: string;
  /** Of the source, in the card. */
  readonly pointer: string;
}

/**
 * Keys of `"api_key_delivery": "env"` and their way into the environment: a
 * step writes them as options of bubblewrap to a file that only root reads, PID
 * 1 hands a copy to the agent's uid (LoadCredential=), the launcher opens it,
 * bubblewrap reads it. What everybody may read on the way, argument vectors and
 * properties of units, has paths and numbers only.
 */
export interface KeyEnvironment {
  /** Never empty. */
  readonly keys: readonly HeldKey[];
  /** The root-only directory of the file, which has nothing else in it. */
  readonly directory: string;
  readonly file: string;
}

/** Name of the credential that the agent's unit gets. */
export const KEYS_CREDENTIAL: string = 'keys';

/** Name of the file in the directory of keys. */
export const KEYS_FILE: string = 'options';

/** Descriptor that the launcher opens the credential at (`units/with-keys`). */
export const KEYS_DESCRIPTOR: number = 3;

/** What becomes of the keys that the card's agent gets itself; null when there are none. */
export function planKeyEnvironment(
  card: ResolvedCard,
  environment: readonly EnvironmentVariable[],
  runDirectory: string,
): Result<KeyEnvironment | null> {
  const keys = heldKeys(card);
  const problems = keys.flatMap((key, index) => clashes(key, keys.slice(0, index), environment));
  if (problems.length > 0) return refused(problems);
  const directory = keysDirectory(runDirectory);
  return ok(keys.length === 0 ? null : { keys, directory, file: `${directory}/${KEYS_FILE}` });
}

/** The directory of an agent's keys in its directory below `/run`. */
export function keysDirectory(runDirectory: string): string {
  return `${runDirectory}/keys`;
}

/** The keys that a card's agent holds; none when the gateway adds them all, or when the card is refused anyway. */
export function heldKeys(card: ResolvedCard): readonly HeldKey[] {
  const planned = planCredentials(card);
  if (!planned.ok) return [];
  return planned.value.flatMap(({ credential: { keyFile, pointer }, variable }) => {
    if (keyFile === null || variable === null) return [];
    const at = pointer === '/api_key_file' ? pointer : `${pointer}/api_key_file`;
    return [{ variable, source: keyFile, pointer: at }];
  });
}

/** Words of bubblewrap that set the variables, each ended by NUL as its option `--args` wants them. */
export function keyOptions(keys: readonly { readonly variable: string; readonly value: string }[]): string {
  return keys.map(({ variable, value }) => `--setenv\0${variable}\0${value}\0`).join('');
}

/** Where PID 1 puts the credential: fixed by systemd.exec(5), "Credentials", for units of the system. */
export function keysCredentialPath(id: string): string {
  return `/run/credentials/${unitName(id)}/${KEYS_CREDENTIAL}`;
}

/** What is wrong when PID 1 cannot hand the keys over. */
export function credentialProblems({ canLoadCredential }: Pick<HostFacts, 'canLoadCredential'>): readonly Problem[] {
  if (canLoadCredential !== false) return [];
  return [
    {
      code: 'host.credentials-unavailable',
      pointer: '/api_key_delivery',
      message: 'PID 1 cannot hand keys to a unit on this host: what it mounts below /run for them does not arrive.',
      suggestion: 'In a container, run "mount --make-shared /run" before systemd; or use the delivery "gateway".',
    },
  ];
}

/** What whoever looks at the agent must know. */
export function keyNotices(keys: KeyEnvironment | null): readonly string[] {
  if (keys === null) return [];
  const names = keys.keys.map(({ variable }) => variable).join(', ');
  const [key, it] = keys.keys.length === 1 ? ['key', 'it'] : ['keys', 'them'];
  return [
    `The agent holds its ${key}, in its environment (${names}), and can send ${it} wherever it may send anything.`,
  ];
}

/** Two values for one variable: one of them would be lost without a word. */
function clashes(
  key: HeldKey,
  before: readonly HeldKey[],
  environment: readonly EnvironmentVariable[],
): readonly Problem[] {
  const set = environment.find(({ name }) => name === key.variable);
  const other = before.find(({ variable }) => variable === key.variable);
  if (set === undefined && other === undefined) return [];
  const who = other?.pointer ?? (set?.origin === 'sandbox' ? 'the sandbox itself' : set?.origin);
  return [
    {
      code: 'card.conflict',
      pointer: key.pointer,
      message: `The key of ${key.pointer} belongs in the variable ${key.variable}, which ${who} sets too.`,
      suggestion: 'Remove one of the two, or name another "variable" in an entry of "credentials".',
    },
  ];
}
