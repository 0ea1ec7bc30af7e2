import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { SpawnError } from '../base/errors.ts';
import type { Scratch } from './scratch.ts';

/** Removes what a private host left on the machine, also when the program that booted it is killed. */
export interface Janitor {
  /** Lets it do its work and waits until that is done. May be called again. */
  readonly finish: () => Promise<void>;
}

/**
 * Starts the janitor in a session of its own. It works as soon as its standard input ends: whatever ends this process,
 * the kernel closes the other end.
 */
export function startJanitor(script: string, scratch: Scratch): Janitor {
  const child = spawn('/bin/sh', [script, scratch.directory], {
    cwd: '/',
    detached: true,
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(child, 'exit');
  // Reported by finish(); until then nobody listens.
  ended.catch(() => undefined);
  child.stdin.on('error', () => undefined);
  return {
    finish: async () => {
      child.stdin.end();
      const [status] = await ended;
      if (status !== 0) {
        throw new SpawnError('private-host.boot-failed', `the janitor could not remove all of ${scratch.directory}`, {
          remedy: `see its file "cgroups" for what is left; the next private host tries again`,
        });
      }
    },
  };
}
