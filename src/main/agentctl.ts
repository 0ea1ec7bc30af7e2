import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { runAgentctl } from '../cli/agentctl.ts';
import type { CardChecker } from '../cli/card-check.ts';
import { readInstallation } from './installation.ts';
import { compileInMainThread } from './main-thread-compiler.ts';

void runAgentctl({
  words: process.argv.slice(2),
  environment: process.env,
  tools: () => readInstallation().tools,
  now: () => new Date().toISOString(),
  loadChecker,
}).then((status) => process.exit(status));
void compileInMainThread();

/** From the program beside the one that runs. */
async function loadChecker(): Promise<CardChecker> {
  const path = realpathSync(process.argv[1] ?? '').replace(/agentctl(?=\.c?js$)/, 'card-check');
  const { CARD_CHECKER } = (await import(pathToFileURL(path).href)) as typeof import('./card-check.ts');
  return CARD_CHECKER as CardChecker;
}
