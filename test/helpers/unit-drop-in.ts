import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from './agents.ts';
import { runCommand } from './commands.ts';

/** Adds settings to the `[Service]` of a unit until the host ends, and starts it again. */
export async function dropIn(unit: string, ...settings: readonly string[]): Promise<void> {
  mkdirSync(directoryOf(unit), { recursive: true });
  writeFileSync(join(directoryOf(unit), 'test.conf'), ['[Service]', ...settings, ''].join('\n'));
  await restart(unit);
}

/** Takes them away again, and starts it again. */
export async function removeDropIn(unit: string): Promise<void> {
  rmSync(directoryOf(unit), { recursive: true, force: true });
  await restart(unit);
}

function directoryOf(unit: string): string {
  return `/run/systemd/system/${unit}.d`;
}

async function restart(unit: string): Promise<void> {
  await succeed(runCommand(['systemctl', 'daemon-reload']));
  await succeed(runCommand(['systemctl', 'restart', unit]));
}
