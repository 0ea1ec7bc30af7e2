import { runAgentSpawn } from '../cli/agent-spawn.ts';
import { compileInMainThread } from './main-thread-compiler.ts';

void runAgentSpawn(process.argv.slice(2), process.env).then((status) => process.exit(status));
void compileInMainThread();
