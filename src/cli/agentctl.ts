import { CommanderError } from 'commander';
import { ERRORS, SpawnError } from '../base/errors.ts';
import { quote } from '../base/quote.ts';
import type { AgentView } from '../client/api.gen.ts';
import { ApiClient } from '../client/api-client.ts';
import { retry } from '../client/follow.ts';
import { agentTable, agentText, changeLine, detailText, type TextOptions } from './agent-text.ts';
import { type CardChecker, checkAction } from './card-check.ts';
import { completionScript } from './completion.ts';
import { checkedId, print, show } from './control-ground.ts';
import { type ControlActions, type ControlOptions, controlProgram } from './control-program.ts';
import { writeText } from './descriptor-writer.ts';
import { egressActions } from './egress-actions.ts';
import { failureJson, failureText } from './failure-text.ts';
import { showJournal } from './journalctl.ts';
import { FAILED_STATUS, outcomeStatus } from './outcome-status.ts';
import { reloadActions } from './reload-actions.ts';
import { SOCKET_VARIABLE } from './spawn-arguments.ts';
import { DEFAULT_SOCKET } from './spawn-options.ts';
import { summaryLine } from './summary.ts';

const PROGRAM = 'agentctl';

/** Status of a command whose reader went away: 128 + SIGPIPE. */
const PIPE_STATUS = 141;

/** What `agentctl` is given by the process it runs in. */
export interface ControlInvocation {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Directories in which programs of the system are looked for before the usual ones. */
  readonly tools: () => readonly string[];
  /** Wall clock, RFC 3339. */
  readonly now: () => string;
  /** Loads what judges cards without a daemon. */
  readonly loadChecker: () => Promise<CardChecker>;
}

/** Runs `agentctl`; resolves to its exit status and never rejects. */
export async function runAgentctl(invocation: ControlInvocation): Promise<number> {
  const { words } = invocation;
  let status = 0;
  let printed = '';
  let complained = '';
  const program = controlProgram(controlActions(invocation), (ended) => {
    status = ended;
  });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => (printed += text),
      writeErr: (text) => (complained += text),
    });
  }
  if (words.length === 0) {
    await writeText(2, program.helpInformation()).catch(() => undefined);
    return ERRORS['cli.usage'].exit;
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) return fail(error, words);
    if (error.exitCode !== 0) return fail(usageError(complained, words), words);
  }
  try {
    await writeText(1, printed);
    return status;
  } catch (error) {
    return fail(error, words);
  }
}

async function fail(error: unknown, words: readonly string[]): Promise<number> {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return PIPE_STATUS;
  const text = words.includes('--json') ? failureJson(error) : failureText(PROGRAM, error);
  await writeText(2, text).catch(() => undefined);
  return error instanceof SpawnError ? ERRORS[error.code].exit : 1;
}

/** commander writes `error: …`, and its guess of what was meant on a line of its own. */
function usageError(complained: string, words: readonly string[]): SpawnError {
  const message = complained
    .trim()
    .replace(/^error: /, '')
    .replace(/\n/g, ' ');
  const command = words.find((word) => /^[a-z]+$/.test(word));
  const help = message.startsWith('unknown command') || command === undefined ? PROGRAM : `${PROGRAM} ${command}`;
  return new SpawnError(
    'cli.usage',
    `${message[0]?.toUpperCase()}${message.slice(1)}.`.replace(/\?\.$|\.\.$/, (end) => end[0] ?? ''),
    {
      remedy: `Try '${help} --help'.`,
    },
  );
}

/** What the commands do. */
function controlActions({ words, environment, tools, now, loadChecker }: ControlInvocation): ControlActions {
  const client = (options: ControlOptions): ApiClient =>
    new ApiClient(options.socket ?? environment[SOCKET_VARIABLE] ?? DEFAULT_SOCKET);
  const text = (): TextOptions => ({
    now: now(),
    width: process.stdout.isTTY === true ? process.stdout.columns : null,
  });
  const change =
    (verb: 'start' | 'stop' | 'restart') =>
    async (id: string, options: ControlOptions): Promise<number> =>
      show(options, await client(options)[verb](checkedId(id)), changeLine);
  return {
    list: async (_, options) => {
      const agents = await client(options).list({ ended: options.all === true });
      if (options.quiet === true) return print(agents.map(({ id }) => `${id}\n`).join(''));
      return show(options, agents, (list) => agentTable(list, text()));
    },
    status: async (id, options) =>
      show(options, await client(options).get(checkedId(id)), (agent) => agentText(agent, text())),
    logs: (id, { lines, ...how }) => showJournal(checkedId(id), { ...how, lines: checkedLines(lines), tools: tools() }),
    ...egressActions(client),
    ...reloadActions(client),
    start: change('start'),
    stop: change('stop'),
    restart: change('restart'),
    inspect: async (id, options) =>
      show(options, await client(options).inspect(checkedId(id)), (agent) => detailText(agent, text())),
    wait: async (id, options) => {
      try {
        // Says at once when there is no daemon or no such agent; after that, a daemon that goes away comes back.
        await client(options).get(checkedId(id));
        const agent = await retry(() => client(options).wait(id));
        await show(options, agent, (ended) => `${summaryLine(ended)}\n`);
        return waitStatus(agent);
      } catch (error) {
        // The statuses of the table would be taken for the agent's own.
        await fail(error, words);
        return FAILED_STATUS;
      }
    },
    rm: async (id, options) => {
      await client(options).remove(checkedId(id));
      return show(options, { id }, () => `agent ${id}: forgotten\n`);
    },
    check: checkAction(client, loadChecker),
    completion: (shell) =>
      print(
        completionScript(
          shell,
          controlProgram(null, () => undefined),
        ),
      ),
  };
}

function waitStatus(agent: AgentView): number {
  if (agent.outcome !== null) return outcomeStatus(agent.outcome);
  throw new SpawnError('sandbox.not-running', `The agent "${agent.id}" has not run yet.`, {
    remedy: `agentctl start ${agent.id}`,
  });
}

function checkedLines(lines: string | undefined): number | null {
  if (lines === undefined) return null;
  if (/^\d{1,9}$/.test(lines)) return Number(lines);
  throw new SpawnError('cli.usage', `${quote(lines)} is no number of lines.`);
}
