/** What V8 compiles in threads of its own: optimised code, by either of its compilers, and batches of baseline code. */
const CONCURRENT_COMPILERS = ['--no-opt', '--no-maglev', '--no-concurrent-sparkplug'];

/**
 * Leaves V8 no compiler that runs in another thread. One that waits for a collection of garbage while process.exit()
 * waits for its thread never gets it, and the command would stay there after all is done (nodejs/node#54918, since the
 * Maglev of Node 22). Commands last for moments or move bytes: they are no slower without. The module takes
 * milliseconds to load, and so is loaded once the first request is on its way.
 */
export async function compileInMainThread(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  const { setFlagsFromString } = await import('node:v8');
  for (const flag of CONCURRENT_COMPILERS) setFlagsFromString(flag);
}
