import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { TestCard } from './agents.ts';
import { awaitFile, inTime, runCommand } from './commands.ts';
import { awaitProperty, unitOf } from './units.ts';

const CARDS = '/etc/agents';
const UNITS = '/run/systemd/system';

/** The unit file that the daemon keeps for a card. */
export function unitFileOf(id: string): string {
  return `${UNITS}/${unitOf(id)}`;
}

/** Puts a card into the cards directory and waits until the daemon has taken it in: its unit file is another one then, and PID 1 has read it. */
export async function declareCard(card: TestCard): Promise<void> {
  await declareText(`${card.agent_id}.json`, JSON.stringify(card));
}

/** Puts any text into the cards directory under this name and waits as {@link declareCard} does. */
export async function declareText(name: string, text: string): Promise<void> {
  const unitFile = unitFileOf(name.replace(/\.[a-z]+$/, ''));
  const before = existsSync(unitFile) ? readFileSync(unitFile, 'utf8') : '';
  mkdirSync(CARDS, { recursive: true });
  writeFileSync(`${CARDS}/${name}`, text);
  await awaitFile(unitFile, (now) => now !== before);
  await awaitProperty(basename(unitFile), 'NeedDaemonReload', 'no');
}

/** Takes the card of an id away, stops what runs of it, and waits until the daemon has let it go. */
export async function withdrawCard(id: string): Promise<void> {
  for (const ending of ['json', 'toml']) rmSync(`${CARDS}/${id}.${ending}`, { force: true });
  await runCommand(['systemctl', 'stop', unitOf(id)]);
  await awaitGone(unitFileOf(id));
  await runCommand(['systemctl', 'reset-failed', unitOf(id)]);
  // PID 1 is done; the daemon hears of it a moment later, or has forgotten the agent already.
  await runCommand(['agentctl', 'wait', id]);
}

/** Waits until a file does not exist. */
export async function awaitGone(path: string): Promise<void> {
  const gone = async (): Promise<void> => {
    while (existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await inTime(gone(), `${path} to be gone`);
}
