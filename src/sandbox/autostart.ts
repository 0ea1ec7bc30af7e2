import type { CardEffect } from './cards-report.ts';
import { type EngineContext, tolerate } from './context.ts';

/** Starts a declared agent once per boot, when its card is first seen. */
export async function autostart(
  context: EngineContext,
  id: string,
  start: () => Promise<unknown>,
): Promise<readonly CardEffect[]> {
  const mark = markOf(context, id);
  if ((await context.host.files.read(mark, 1)) !== null) return [];
  await context.host.files.write(mark, '', 0o600);
  try {
    await start();
    return [{ id, did: 'started', message: null }];
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    context.report({ kind: 'ignored-failure', operation: `autostart of ${id}`, failure });
    return [{ id, did: 'failed', message: failure }];
  }
}

/** Has an agent that wants it started once more. */
export async function dropMark(context: EngineContext, id: string): Promise<void> {
  await tolerate(context, `autostart of ${id}`, () => context.host.files.remove(markOf(context, id)));
}

/** File that says that a declared agent was started without being asked for; gone with its card and with a boot. */
function markOf({ paths }: EngineContext, id: string): string {
  return `${paths.recordsDirectory}/${id}.autostarted`;
}
