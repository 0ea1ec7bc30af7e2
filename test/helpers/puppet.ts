import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, TestCard } from './agents.ts';
import { agentProgram, type CommandOptions, type Ended, RunningCommand } from './commands.ts';

/** A step on a connection of test/agents/puppet.py. Text is one character for a byte. */
export type TalkStep =
  | { readonly send: string }
  | { readonly drip: string }
  | { readonly read: number | 'answer' | 'end' | 'head' }
  | { readonly tls: { readonly name?: string; readonly alpn?: readonly string[]; readonly authority?: string } }
  | { readonly shut: 'write' }
  | { readonly close: 'reset' | 'quietly' };

/** Where a connection is made to: a host and a port, or the path of a socket; by default the agent's proxy. */
export type TalkTarget = string | readonly [host: string, port: number];

/** How a program that a puppet ran ended. */
export interface PuppetEnded {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that does what a test tells it, inside the sandbox or, for the positive control, outside of it. */
export class Puppet {
  /** Its id, or an empty text outside of a sandbox. */
  readonly id: string;
  readonly #command: RunningCommand;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(id: string, command: RunningCommand) {
    this.id = id;
    this.#command = command;
  }

  /** Starts an agent that is a puppet. */
  static async start(
    bench: Bench,
    changes: Readonly<Record<string, unknown>> = {},
    options: CommandOptions = {},
  ): Promise<Puppet> {
    const card: TestCard = bench.card({ command: agentProgram('puppet.py'), ...changes });
    const path = join(bench.directory, `${card.agent_id}.json`);
    writeFileSync(path, JSON.stringify(card));
    const puppet = new Puppet(card.agent_id, new RunningCommand(['agent-spawn', path], options));
    await puppet.#command.line();
    return puppet;
  }

  /** Starts one on the host itself, or by other words that run a command somewhere. */
  static async outside(...words: readonly string[]): Promise<Puppet> {
    const puppet = new Puppet('', new RunningCommand([...words, ...agentProgram('puppet.py')]));
    await puppet.#command.line();
    return puppet;
  }

  /** Evaluates an expression of Python: the name of the error, or `ok: ` and what came out. */
  attempt(expression: string): Promise<string> {
    return this.#order({ attempt: expression }) as Promise<string>;
  }

  /** Runs a program to its end. */
  run(argv: readonly string[], input = ''): Promise<PuppetEnded> {
    return this.#order({ run: argv, input }) as Promise<PuppetEnded>;
  }

  /** Makes a connection, takes the steps and closes it. Returns what was read, and `error: …` for what failed. */
  talk(steps: readonly TalkStep[], to?: TalkTarget): Promise<readonly string[]> {
    return this.#order({ talk: steps, ...(to === undefined ? {} : { to }) }) as Promise<readonly string[]>;
  }

  /** The same, and keeps the connection under this name for {@link on}. */
  open(name: string, steps: readonly TalkStep[], to?: TalkTarget): Promise<readonly string[]> {
    return this.#order({ open: name, talk: steps, ...(to === undefined ? {} : { to }) }) as Promise<readonly string[]>;
  }

  /** Goes on with a connection that was kept. */
  on(name: string, steps: readonly TalkStep[]): Promise<readonly string[]> {
    return this.#order({ on: name, talk: steps }) as Promise<readonly string[]>;
  }

  /** Sends exactly this to the proxy and returns the one answer to it. */
  async ask(request: string): Promise<string> {
    const [answer = ''] = await this.talk([{ send: request }, { read: 'answer' }]);
    return answer;
  }

  /** Ends it and waits until it is gone. */
  async end(): Promise<Ended> {
    this.#command.end();
    return this.#command.ended();
  }

  #order(order: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answered = this.#last.then(async () => {
      this.#command.write(`${JSON.stringify(order)}\n`);
      return JSON.parse(await this.#command.line()) as unknown;
    });
    this.#last = answered.catch(() => undefined);
    return answered;
  }
}

/** `200`, or the status and the reason's code of a refusal, or the text itself where it is no answer. */
export function verdictOf(answer: string | undefined): string {
  const status = /^HTTP\/1\.[01] (\d+)/.exec(answer ?? '')?.[1];
  if (status === undefined) return answer ?? '';
  const reason = /\r\nx-agent-spawn-reason: ([\w.-]+)\r\n/i.exec(answer ?? '')?.[1];
  return reason === undefined ? status : `${status} ${reason}`;
}
