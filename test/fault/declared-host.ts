import type { EngineEvent } from '../../src/sandbox/context.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { openEngine } from './engine.ts';

/** Puts a card there. */
export function declare(host: FakeHost, id: string, changes: object = {}): void {
  host.files.seedFile(`/etc/agents/${id}.json`, textOf(id, changes));
}

export function textOf(id: string, changes: object): string {
  return JSON.stringify({ agent_id: id, workspace: `/srv/agents/${id}`, agent: 'shell', ...changes });
}

export function open(host: FakeHost, events: EngineEvent[] = [], restartChanged = true): Promise<Engine> {
  return openEngine(host, events, { restartChanged });
}

/** How many runs an agent has begun on this host; the fake counts them in the id of the run. */
export function run(host: FakeHost, id: string): number {
  return Number.parseInt(host.units.loaded.get(unit(id))?.state.invocationId ?? '0', 16);
}

export function unit(id: string): string {
  return `sandboxed-agent@${id}.service`;
}

export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A host where agents of these ids run by their cards, and its daemon. */
export async function running(
  ...ids: readonly string[]
): Promise<{ host: FakeHost; engine: Engine; events: EngineEvent[] }> {
  const host = new FakeHost();
  const events: EngineEvent[] = [];
  for (const id of ids) declare(host, id);
  const engine = await open(host, events);
  for (const id of ids) await engine.startDeclared(id);
  return { host, engine, events };
}
