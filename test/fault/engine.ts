import { parseCard } from '../../src/card/parse.ts';
import { resolveCard } from '../../src/card/resolve.ts';
import type { EngineEvent } from '../../src/sandbox/context.ts';
import { Engine, type EngineOptions } from '../../src/sandbox/engine.ts';
import type { EnginePaths } from '../../src/sandbox/executors.ts';
import type { Launch } from '../../src/sandbox/launch.ts';
import type { FakeHost } from '../helpers/fake-host.ts';

/** The usual places, which the fake host has. */
export const PATHS: EnginePaths = {
  userdbDirectory: '/run/userdb',
  agentsDirectory: '/run/agent-spawn/agents',
  homesDirectory: '/run/agent-spawn/homes',
  recordsDirectory: '/run/agent-spawn/records',
  exitsDirectory: '/run/agent-spawn/exits',
  attachDirectory: '/run/agent-spawn/attach',
  streamsDirectory: '/run/agent-spawn/streams',
  unitsDirectory: '/run/systemd/system',
  cardsDirectory: '/etc/agents',
  uidsFile: '/var/lib/agent-spawn/uids.json',
  refusePath: '/usr/lib/agent-spawn/refuse',
  holderPath: '/usr/lib/agent-spawn/holder',
};

/** An engine on a fake host; `events` collects what it reports. */
export function openEngine(
  host: FakeHost,
  events: EngineEvent[] = [],
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  return Engine.open({
    ...options,
    host,
    paths: PATHS,
    uidRange: { first: 1_900_000_000, count: 65_536 },
    report: (event) => void events.push(event),
  });
}

/** A start of an ordinary card; `keys` are added to it. */
export function launchOf(id: string, keys: object = {}): Launch {
  const text = JSON.stringify({ agent_id: id, workspace: `/srv/agents/${id}`, agent: 'shell', ...keys });
  const parsed = parseCard(Buffer.from(text), { format: 'json' });
  if (!parsed.ok) throw new Error('the card of the test is not valid');
  return {
    card: resolveCard(parsed.value, 'spawned'),
    cardSource: { text, format: 'json', source: 'test' },
    arguments: [],
    attach: null,
    callerUid: 0,
  };
}

/** What stays on purpose: uids are remembered per agent id for good. */
export function unexpected(leftovers: readonly string[]): readonly string[] {
  return leftovers.filter((line) => !line.includes('/var/lib/agent-spawn/uids.json'));
}
