import { runAgentctl } from '../cli/agentctl.ts';
import { readInstallation } from './installation.ts';

void runAgentctl({
  words: process.argv.slice(2),
  environment: process.env,
  tools: () => readInstallation().tools,
  now: () => new Date().toISOString(),
}).then((status) => process.exit(status));
