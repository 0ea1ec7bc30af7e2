import type { Contestant } from './contestant.ts';
import { timeProgram } from './program.ts';

/** Another product, as the set-up of the benchmark found it on the machine. */
export interface Rival {
  readonly name: string;
  readonly description: string;
  /** Undefined when it could not be installed. */
  readonly argv: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Why there is no `argv`. */
  readonly missing: string | undefined;
}

/** A rival as a contestant; one that is missing fails with the reason, so that it is listed. */
export function rivalContestant({ name, description, argv, env, missing }: Rival, cwd: string): Contestant {
  const start: Contestant['start'] =
    argv === undefined
      ? () => Promise.reject(new Error(missing ?? 'not installed'))
      : () => timeProgram({ argv, env, cwd });
  return { name, description, start };
}
