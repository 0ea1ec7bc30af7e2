import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** What the program that runs has beside it. */
export interface Installation {
  /** Directory of the installed programs and scripts, behind all symlinks; an installation may lie anywhere. */
  readonly directory: string;
  /** Directories in which programs of the system are looked for before the usual ones (`install-system --tools`). */
  readonly tools: readonly string[];
}

/** The installation that the running program is part of. */
export function readInstallation(): Installation {
  const directory = dirname(realpathSync(process.argv[1] ?? ''));
  const list = join(directory, 'tools');
  const text = existsSync(list) ? readFileSync(list, 'utf8') : '';
  return { directory, tools: text.split('\n').filter((line) => line !== '') };
}

/** A search path with the tools in front, for packages that start a program by its name. */
export function searchPath(tools: readonly string[], path: string | undefined): string {
  return [...tools, ...(path === undefined || path === '' ? [] : [path])].join(delimiter);
}
