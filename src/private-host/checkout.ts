import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SpawnError } from '../base/errors.ts';

/** What marks the checkout whose private host this is. */
const MARK = 'src/private-host/init.sh';

/**
 * The checkout that a running program belongs to: the private host is built into it and installs it.
 * @param program path of the program, a bundle or a test file in the checkout
 */
export function findCheckout(program: string): string {
  for (let directory = realpathSync(program); ; directory = dirname(directory)) {
    if (existsSync(join(directory, MARK))) return directory;
    if (directory === '/') break;
  }
  throw new SpawnError('private-host.unfit', `${program} lies in no checkout of agent-spawn`, {
    remedy: 'run the private host from a checkout: npm run host',
  });
}
