import { ERRORS, SpawnError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { AgentView } from '../client/api.gen.ts';
import { ApiClient } from '../client/api-client.ts';
import { readCardText, STANDARD_INPUT } from './card-file.ts';
import { writeText } from './descriptor-writer.ts';
import { escapeText } from './escape.ts';
import { failureJson, failureText } from './failure-text.ts';
import { runForeground } from './foreground.ts';
import { FAILED_STATUS } from './outcome-status.ts';
import { planText } from './plan-text.ts';
import { parseSpawnArguments, type SpawnArguments } from './spawn-arguments.ts';
import { spawnHelp } from './spawn-options.ts';
import { summaryText } from './summary.ts';

const PROGRAM = 'agent-spawn';

/** Status of a command whose reader went away: 128 + SIGPIPE. */
const PIPE_STATUS = 141;

/** Runs `agent-spawn` with these words; resolves to its exit status and never rejects. */
export async function runAgentSpawn(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  try {
    return await obey(parseSpawnArguments(words, environment));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return PIPE_STATUS;
    const own = words.slice(0, words.includes('--') ? words.indexOf('--') : words.length);
    const text = own.includes('--json') ? failureJson(error) : failureText(PROGRAM, error);
    await writeText(2, text).catch(() => undefined);
    const isDry = own.includes('--dry-run');
    return isDry ? (error instanceof SpawnError ? ERRORS[error.code].exit : 1) : FAILED_STATUS;
  }
}

async function obey(options: SpawnArguments): Promise<number> {
  switch (options.mode) {
    case 'help':
      return print(spawnHelp());
    case 'version':
      return print(`${PROGRAM} ${VERSION}\n`);
    case 'dry-run': {
      const plan = await new ApiClient(options.socketPath).plan(await launchRequest(options));
      return print(options.isJson ? json(plan) : planText(plan));
    }
    case 'detached': {
      const agent = await new ApiClient(options.socketPath).launch(await launchRequest(options));
      if (!options.isJson && !options.isQuiet) await writeText(2, noticeText(agent));
      return print(options.isJson ? json(agent) : `${agent.id}\n`);
    }
    case 'foreground':
      return runHere(options);
  }
}

async function runHere(options: SpawnArguments): Promise<number> {
  const { card, arguments: agentArguments } = await launchRequest(options);
  const isSilent = options.isQuiet || options.isJson;
  let noted: Promise<void> = Promise.resolve();
  let wantsSummary = options.wantsSummary;
  const { agent, status } = await runForeground(new ApiClient(options.socketPath), {
    card,
    arguments: agentArguments,
    isInputTaken: options.card === STANDARD_INPUT,
    started: (started) => {
      if (!isSilent) noted = writeText(2, noticeText(started)).catch(() => undefined);
      // Asked here, while the agent works: it loads the terminal code of Node.
      wantsSummary ||= process.stderr.isTTY === true;
    },
  });
  await noted;
  const end = options.isJson ? json(agent) : wantsSummary && !options.isQuiet ? summaryText(agent) : '';
  // The agent's status is what matters; that nobody reads our standard error changes nothing.
  if (end !== '') await writeText(2, end).catch(() => undefined);
  return status;
}

async function launchRequest(options: SpawnArguments): Promise<Parameters<ApiClient['launch']>[0]> {
  return { card: await readCardText(options.card), arguments: options.agentArguments, attach: null };
}

function noticeText(agent: AgentView): string {
  return agent.notices.map((notice) => `${PROGRAM}: note: ${escapeText(notice)}\n`).join('');
}

function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

async function print(text: string): Promise<number> {
  await writeText(1, text);
  return 0;
}
