import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentView } from '../../src/control/views.ts';
import { askApi, readApi } from './api.ts';
import { type CommandOptions, type Ended, inTime, killLeftovers, RunningCommand, runCommand } from './commands.ts';
import { findLeaks, type Snapshot, takeSnapshot } from './leaks.ts';

/** A card as a test writes it; every key beside these two is the test's own business. */
export interface TestCard {
  readonly agent_id: string;
  readonly workspace: string;
  readonly [key: string]: unknown;
}

/** What a bench is opened with. */
export interface BenchOptions {
  /** Things left behind that the suite means to leave behind, as `findLeaks` words them. */
  readonly ignoreLeaks?: RegExp;
}

/** Scratch directories of suites that run at the same time on the machine whose /tmp a private host shares. */
const NEIGHBOURS = /^file (left behind|gone): \/(var\/)?tmp\/agent-spawn-/;

/** Where suites have their directories: not /tmp, which takes no device files and little else where it is in memory. */
const PLACE = '/var/tmp';

let serial = 0;

/**
 * A suite's place on a host where agent-spawn is installed: a directory for
 * workspaces, agents with ids of their own, and a look around at the end that
 * nothing of them is left.
 */
export class Bench {
  /** Directory that every uid may pass; removed at the end. */
  readonly directory: string;
  readonly #before: Snapshot;
  readonly #ignoreLeaks: RegExp | null;

  private constructor(directory: string, before: Snapshot, options: BenchOptions) {
    this.directory = directory;
    this.#before = before;
    this.#ignoreLeaks = options.ignoreLeaks ?? null;
  }

  /** Starts and forgets one agent first, so that what the first agent of a host brings into being is there already. */
  static async open(options: BenchOptions = {}): Promise<Bench> {
    const directory = mkdtempSync(join(PLACE, 'as-test-'));
    chmodSync(directory, 0o755);
    const first: TestCard = {
      agent_id: `first-${process.pid}`,
      workspace: join(directory, 'first'),
      command: ['true'],
    };
    await succeed(runAgent(first));
    await agentctl('rm', first.agent_id);
    return new Bench(directory, takeSnapshot(), options);
  }

  /** Stops and forgets every agent, then fails when anything is left: an agent that still ran, a unit, a file, a process. */
  async close(): Promise<void> {
    killLeftovers();
    const still: string[] = [];
    for (const { id, origin, state } of await listAgents()) {
      if (origin === 'declared') continue;
      if (state !== 'ended' && state !== 'not-started') {
        still.push(`agent left running: ${id}`);
        await askApi('POST', `/agents/${id}/stop`);
      }
      await askApi('DELETE', `/agents/${id}`);
    }
    // Node's own removal cannot pass names that are longer than a path may be.
    spawnSync('rm', ['-rf', this.directory]);
    const leaks = await findLeaks(this.#before);
    const ours = leaks.filter((leak) => !NEIGHBOURS.test(leak) && this.#ignoreLeaks?.test(leak) !== true);
    assert.deepEqual([...still, ...ours], []);
  }

  /** A card with an id and a workspace of its own; the workspace does not exist yet. */
  card(changes: Readonly<Record<string, unknown>> = {}): TestCard {
    serial += 1;
    const id = `t${process.pid}-${serial}`;
    return { agent_id: id, workspace: join(this.directory, id), agent: 'shell', ...changes };
  }
}

/** Runs an agent in the foreground to its end, its card on standard input. */
export function runAgent(
  card: TestCard,
  options: CommandOptions & { readonly args?: readonly string[] } = {},
): Promise<Ended> {
  const { args = [], ...rest } = options;
  return runCommand(['agent-spawn', '-', '--', ...args], { ...rest, stdin: JSON.stringify(card) });
}

/** Starts an agent in the foreground of a command that goes on running. */
export function startAgent(card: TestCard, options: CommandOptions = {}): RunningCommand {
  const command = new RunningCommand(['agent-spawn', '-'], options);
  command.end(JSON.stringify(card));
  return command;
}

/** Starts a detached agent and returns its id. */
export async function detachAgent(card: TestCard): Promise<string> {
  const { stdout } = await succeed(runCommand(['agent-spawn', '--detach', '-'], { stdin: JSON.stringify(card) }));
  assert.equal(stdout, `${card.agent_id}\n`, 'the id is all that --detach prints');
  return card.agent_id;
}

/** Runs an agent that prints one JSON document and must end well. */
export async function askAgent<T>(card: TestCard): Promise<T> {
  const { stdout } = await succeed(runAgent(card));
  return JSON.parse(stdout) as T;
}

/** Runs `agentctl` with these words; it must end well. */
export function agentctl(...words: readonly string[]): Promise<Ended> {
  return succeed(runCommand(['agentctl', ...words]));
}

/** Every agent the daemon knows, the ended ones too. */
export function listAgents(): Promise<readonly AgentView[]> {
  return readApi<readonly AgentView[]>('/agents?ended=true');
}

/** One agent as the daemon sees it now. */
export function viewAgent(id: string): Promise<AgentView> {
  return readApi<AgentView>(`/agents/${id}`);
}

/** One agent after its end. */
export function awaitEnd(id: string): Promise<AgentView> {
  return inTime(readApi<AgentView>(`/agents/${id}/wait`), `the end of ${id}`);
}

/** Fails with all that was printed unless the command ended with status 0. */
export async function succeed(running: Promise<Ended>): Promise<Ended> {
  const ended = await running;
  assert.equal(ended.status, 0, `${ended.argv.join(' ')} ended with ${ended.status}\n${ended.stdout}\n${ended.stderr}`);
  return ended;
}
