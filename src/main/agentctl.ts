import { runAgentctl } from '../cli/agentctl.ts';

void runAgentctl({
  words: process.argv.slice(2),
  environment: process.env,
  now: () => new Date().toISOString(),
}).then((status) => process.exit(status));
