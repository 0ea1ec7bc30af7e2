import { quote } from '../base/quote.ts';
import type { SecretFault } from '../host/secret-read.ts';

/** What is wrong with a secret, as the end of a sentence about it, and what to do. */
export interface SecretWords {
  readonly cause: string;
  readonly suggestion: string;
}

const TO_ROOT =
  'Give it to root and to nobody else, or move the secret to a directory of root, such as /etc/credstore.';
const PLACE = 'Put it there, or correct the name.';

/** The words for why a secret cannot be used; `place` is what the card says, `bytesMax` what it may have. */
export function secretWords(fault: SecretFault, place: string, bytesMax: number): SecretWords {
  const it = 'path' in fault && fault.path !== place ? quote(fault.path) : 'it';
  switch (fault.kind) {
    case 'absent':
      return { cause: it === 'it' ? 'there is no such file' : `there is no file ${it}`, suggestion: PLACE };
    case 'no-credential':
      return {
        cause: 'agent-spawnd was given no such credential, and no credential store has one',
        suggestion: 'Put it into /etc/credstore, or encrypt it into /etc/credstore.encrypted (systemd-creds(1)).',
      };
    case 'not-a-file':
      return { cause: `${it} is a ${fault.what}`, suggestion: 'Name a file.' };
    case 'too-large':
      return {
        cause: `${it} has ${fault.bytes} bytes, and ${bytesMax} are the most`,
        suggestion: 'Name a file that holds the secret and nothing else.',
      };
    case 'readable':
      return {
        cause: `others than root can read ${it} (mode ${octal(fault.mode)})`,
        suggestion:
          'Take that from them (chmod 0600), or write "allow_readable_keys": true in /etc/agent-spawn/config.json.',
      };
    case 'foreign':
      return { cause: `${it} belongs to uid ${fault.uid}, who could exchange the secret`, suggestion: TO_ROOT };
    case 'writable':
      return {
        cause: `others than root can write to ${it} (mode ${octal(fault.mode)}), and so exchange the secret`,
        suggestion: TO_ROOT,
      };
    case 'link-loop':
      return { cause: 'its symlinks lead nowhere', suggestion: 'Name the file itself.' };
    case 'unstable':
      return { cause: `${it} was written while it was read`, suggestion: 'Try again.' };
    case 'unreadable':
      return { cause: `${it} cannot be read (${fault.errno})`, suggestion: 'Move it to a directory of this machine.' };
    case 'sealed':
      return sealedWords(fault);
  }
}

function sealedWords({ path, cause }: Extract<SecretFault, { kind: 'sealed' }>): SecretWords {
  const name = quote(path);
  const suggestion =
    'See what `systemd-creds decrypt` says of it; one that needs a TPM is given to agent-spawnd with LoadCredentialEncrypted=.';
  switch (cause) {
    case 'no-program':
      return { cause: `${name} is encrypted, and there is no systemd-creds`, suggestion: 'Install it.' };
    case 'refused':
      return { cause: `systemd-creds does not open ${name}`, suggestion };
    case 'no-answer':
      return { cause: `systemd-creds did not open ${name} in time, or it holds too much`, suggestion };
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
