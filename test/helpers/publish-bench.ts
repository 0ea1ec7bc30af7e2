import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { agentctl, Bench, startAgent, succeed, type TestCard } from './agents.ts';
import { agentProgram, type Ended, inTime, type RunningCommand, runCommand } from './commands.ts';
import { declareCard, withdrawCard } from './declared-cards.ts';
import { ask, type Place } from './published.ts';
import { unitOf } from './units.ts';

/** A port of an agent and where it is published. */
export interface Publish {
  readonly port: number;
  readonly listen: string;
}

/** What asking where nobody listens brings. */
export const CLOSED: Awaited<ReturnType<typeof ask>> = { text: '', error: 'ECONNREFUSED' };

/** A bench for agents that serve ports and publish them. */
export class PublishBench {
  readonly bench: Bench;
  readonly #declared = new Set<string>();

  private constructor(bench: Bench) {
    this.bench = bench;
  }

  static async open(): Promise<PublishBench> {
    const ignoreLeaks = /agent-spawnd\.(service|socket)|agent-spawnd\.cjs|\/run\/netns|run-netns\.mount/;
    return new PublishBench(await Bench.open({ ignoreLeaks }));
  }

  /** Takes away what was declared; after each test. */
  async tidy(): Promise<void> {
    for (const id of this.#declared) await withdrawCard(id);
    this.#declared.clear();
  }

  async close(): Promise<void> {
    await this.bench.close();
  }

  /** A card of an agent that serves port 8080 and the ports it publishes, and tells its own id there. */
  card(publish: readonly Publish[], changes: Readonly<Record<string, unknown>> = {}): TestCard {
    const card = this.bench.card({ network: { publish }, ...changes });
    const ports = new Set([8080, ...publish.map(({ port }) => port)]);
    return { command: agentProgram('serve.py', card.agent_id, ...[...ports].map(String)), ...card };
  }

  /** Puts a card into the cards directory until the end of the test. */
  async declare(card: TestCard): Promise<void> {
    this.#declared.add(card.agent_id);
    await declareCard(card);
  }

  /** Declares an agent, starts it and waits until it answers. */
  async serveDeclared(card: TestCard, place: Place): Promise<void> {
    await this.declare(card);
    await succeed(systemctl('start', unitOf(card.agent_id)));
    await awaitAnswer(place);
  }
}

/** Starts an agent and waits until it listens. */
export async function serve(card: TestCard): Promise<RunningCommand> {
  const agent = startAgent(card);
  await agent.lineLike(/^ready$/);
  return agent;
}

/** Asks until an agent answers, and returns what it said. */
export async function awaitAnswer(place: Place): Promise<string> {
  const answered = async (): Promise<string> => {
    for (;;) {
      const { text } = await ask(place, 'who');
      if (text !== '') return text;
    }
  };
  return inTime(answered(), `an agent at ${place}`);
}

/** Waits until nobody listens: PID 1 closes a port by itself, a moment after its agent ended. */
export async function awaitClosed(place: Place): Promise<void> {
  const closed = async (): Promise<void> => {
    while ((await ask(place, 'who')).error !== 'ECONNREFUSED');
  };
  await inTime(closed(), `${place} to be closed`);
}

/** Stops an agent of the foreground and waits for its command. */
export async function end(card: TestCard, agent: RunningCommand): Promise<void> {
  await agentctl('stop', card.agent_id);
  await agent.ended();
}

/** Runs systemctl. */
export function systemctl(...words: readonly string[]): Promise<Ended> {
  return runCommand(['systemctl', '--no-pager', ...words]);
}

/** Starts a card that must be refused; returns what the caller was told. */
export async function refusal(card: TestCard): Promise<string> {
  const ended = await runCommand(['agent-spawn', '--detach', '-'], { stdin: JSON.stringify(card) });
  assert.notEqual(ended.status, 0, 'the start is refused');
  assert.deepEqual(unitsOf(card), [], 'nothing of it is left');
  return ended.stderr;
}

/** Unit files of the published ports of an agent. */
export function unitsOf(card: TestCard): readonly string[] {
  return readdirSync('/run/systemd/system').filter((name) => name.startsWith(`agent-publish@${card.agent_id}:`));
}
