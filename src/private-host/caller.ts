import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The caller's environment, which programs inside get unchanged. */
export function callerEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/**
 * Where the caller is. npm changes to the root of the package before it runs a script and tells in INIT_CWD where it was
 * called; below a script that variable is only an inheritance, so it counts for the script `host` in that root alone.
 */
export function callerDirectory(): string {
  const here = process.cwd();
  const called = process.env['INIT_CWD'];
  const isScript = process.env['npm_lifecycle_event'] === 'host' && existsSync(join(here, 'package.json'));
  return isScript && called !== undefined && existsSync(called) ? called : here;
}
