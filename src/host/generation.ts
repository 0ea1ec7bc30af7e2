import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { watchDirectory } from './directory-watch.ts';

/** The system that a NixOS runs: a link to a directory of the store, another one in each generation (nixos/modules/system/activation). */
export const NIXOS_SYSTEM: string = '/run/current-system';

/** What a NixOS runs at the moment, or null on another host. */
export function readGeneration(): string | null {
  try {
    return realpathSync(NIXOS_SYSTEM);
  } catch {
    return null;
  }
}

/** Calls back when another generation runs; no other host is watched. Throws `host.call-failed`. */
export function watchGeneration(changed: () => void): Disposable {
  let running = readGeneration();
  if (running === null) return { [Symbol.dispose]: () => undefined };
  return watchDirectory(dirname(NIXOS_SYSTEM), () => {
    const now = readGeneration();
    if (now === running) return;
    running = now;
    changed();
  });
}
