import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { SpawnError } from '../base/errors.ts';
import { spawnHelper } from './spawn.ts';

/** Removes what a private host left on the machine, also when the program that booted it is killed. */
export interface Janitor {
  /** Lets it do its work and waits until that is done. May be called again. */
  readonly finish: () => Promise<void>;
}

/**
 * Starts the janitor in a session of its own. It works as soon as its standard input ends: whatever ends this process,
 * the kernel closes the other end.
 * @param directory the host's scratch directory, which need not exist yet
 */
export function startJanitor(script: string, directory: string): Janitor {
  const child = spawnHelper(['/bin/sh', script, directory], ['pipe', 'ignore', 'ignore']);
  const stdin = child.stdin as Writable;
  const ended = once(child, 'exit');
  // Reported by finish(); until then nobody listens.
  ended.catch(() => undefined);
  stdin.on('error', () => undefined);
  return {
    finish: async () => {
      stdin.end();
      const [status] = await ended;
      if (status !== 0) {
        throw new SpawnError('private-host.boot-failed', `the janitor could not remove all of ${directory}`, {
          remedy: `see its file "cgroups" for what is left; the next private host tries again`,
        });
      }
    },
  };
}
