import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Path of a file `card.json` that goes with the test. */
export function cardFile(t: TestContext, card: object): string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-card-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'card.json');
  writeFileSync(path, JSON.stringify(card));
  return path;
}
