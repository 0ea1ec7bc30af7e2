import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { PrivateHost } from './private-host.ts';

/** Writes the whole journal of a private host to a file, as text with microseconds. */
export async function writeJournal(host: PrivateHost, file: string): Promise<void> {
  const descriptor = openSync(file, 'w', 0o600);
  try {
    await host.run(['journalctl', '--sync'], { cwd: '/' });
    const argv = ['journalctl', '--no-pager', '--quiet', '--all', '--output=short-precise'];
    await once(host.spawn(argv, { cwd: '/', stdio: ['ignore', descriptor, 'inherit'] }), 'exit');
  } finally {
    closeSync(descriptor);
  }
}
