import { runAgentSpawn } from '../cli/agent-spawn.ts';

void runAgentSpawn(process.argv.slice(2), process.env).then((status) => process.exit(status));
