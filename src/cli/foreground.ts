import { SpawnError } from '../base/errors.ts';
import { signalNumber } from '../base/signals.ts';
import type { AgentView, CardText } from '../client/api.gen.ts';
import type { ApiClient } from '../client/api-client.ts';
import { Attachment } from '../client/attachment.ts';
import { followToEnd, retry } from '../client/follow.ts';
import { Interrupts } from './interrupts.ts';
import { JournalCopy } from './journal-copy.ts';
import { outcomeStatus } from './outcome-status.ts';
import { standardInput } from './standard-input.ts';
import { BrokenOutput, relayInput, relayOutput } from './stdio-relay.ts';

/** A start in the foreground. */
export interface ForegroundRequest {
  readonly card: CardText;
  readonly arguments: readonly string[];
  /** The card came on standard input, so that there is none left for the agent. */
  readonly isInputTaken: boolean;
  /** Told once the agent runs. */
  readonly started: (agent: AgentView) => void;
}

/** How it went. */
export interface ForegroundResult {
  readonly agent: AgentView;
  readonly status: number;
}

/** Time the journal's copy of the output may take after the agent's end, milliseconds. */
const COPY_END_MS = 2_000;

/**
 * Runs an agent in the foreground: its standard streams are ours, a signal to
 * us stops it, and so does an output of ours that nobody reads any more.
 * Throws `SpawnError` for every failure that is not the agent's.
 */
export function runForeground(client: ApiClient, request: ForegroundRequest): Promise<ForegroundResult> {
  return new ForegroundRun(client, request).run();
}

class ForegroundRun {
  readonly #client: ApiClient;
  readonly #request: ForegroundRequest;
  readonly #copies: readonly JournalCopy[];
  readonly #relays: Promise<void>[] = [];
  #id: string | null = null;
  /** The signal to us, or SIGPIPE for an output without reader, for which the agent was stopped. */
  #stoppedBy: string | null = null;
  #failure: SpawnError | null = null;

  constructor(client: ApiClient, request: ForegroundRequest) {
    this.#client = client;
    this.#request = request;
    this.#copies = [new JournalCopy(client, 'stdout'), new JournalCopy(client, 'stderr')];
  }

  async run(): Promise<ForegroundResult> {
    const attachment = new Attachment(this.#client.socketPath, {
      stdin: (connection) => relayInput(connection, this.#request.isInputTaken ? null : standardInput()),
      stdout: (connection) => this.#relays.push(this.#relay(connection, 1)),
      stderr: (connection) => this.#relays.push(this.#relay(connection, 2)),
    });
    const interrupts = new Interrupts({
      first: (signal) => this.#stop(signal),
      last: () => attachment[Symbol.dispose](),
    });
    try {
      const { card, arguments: words } = this.#request;
      const events = await this.#client.launchAttached({ card, arguments: words, attach: attachment.token });
      const agent = await followToEnd(this.#client, events, (started) => this.#started(started));
      await this.#finishStreams();
      if (this.#failure !== null) throw this.#failure;
      return { agent, status: this.#status(agent) };
    } finally {
      interrupts[Symbol.dispose]();
      attachment[Symbol.dispose]();
    }
  }

  #started(agent: AgentView): void {
    this.#id = agent.id;
    for (const copy of this.#copies) copy.begin(agent.id);
    this.#request.started(agent);
    if (this.#stoppedBy !== null || this.#failure !== null) this.#requestStop();
  }

  async #relay(connection: Parameters<typeof relayOutput>[0], descriptor: 1 | 2): Promise<void> {
    const copy = this.#copies[descriptor - 1];
    try {
      await relayOutput(connection, descriptor, (piece) => copy?.push(piece));
    } catch (error) {
      if (!(error instanceof BrokenOutput)) throw error;
      if (!error.isPipe) this.#failure ??= new SpawnError('cli.output-failed', describe(error), { cause: error });
      this.#stop('SIGPIPE');
    }
  }

  #stop(signal: string): void {
    if (this.#stoppedBy !== null) return;
    this.#stoppedBy = signal;
    this.#requestStop();
  }

  /** Before the agent is known there is nothing to stop; its start comes back here. A daemon that is away comes back. */
  #requestStop(): void {
    if (this.#id === null) return;
    const id = this.#id;
    retry(() => this.#client.stop(id)).catch(() => undefined);
  }

  /** Everything the agent wrote has arrived here when its processes are gone; it must still go out. */
  async #finishStreams(): Promise<void> {
    // Connections made before the end wait to be accepted: two turns of the loop are sure to do that.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await Promise.all(this.#relays);
    const copied = Promise.all(this.#copies.map((copy) => copy.finish()));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([copied, new Promise((resolve) => (timer = setTimeout(resolve, COPY_END_MS)))]);
    clearTimeout(timer);
  }

  #status(agent: AgentView): number {
    const { outcome } = agent;
    if (outcome === null)
      throw new SpawnError('control.internal', `The daemon says that "${agent.id}" ended, but not how.`);
    if (outcome.kind === 'stopped' && this.#stoppedBy !== null) return 128 + (signalNumber(this.#stoppedBy) ?? 0);
    return outcomeStatus(outcome);
  }
}

function describe(error: BrokenOutput): string {
  return `${error.message}: ${(error.cause as NodeJS.ErrnoException).code}`;
}
