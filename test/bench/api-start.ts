import type { Socket } from 'node:net';
import { ApiClient } from '../../src/client/api-client.ts';
import { Attachment } from '../../src/client/attachment.ts';
import { cardText } from './card.ts';
import type { Times } from './contestant.ts';

const SOCKET = '/run/agent-spawn/api.sock';

/** The daemon as the benchmark calls it: from one process that lives on. */
export class Daemon {
  readonly #client: ApiClient = new ApiClient(SOCKET);
  readonly #workspaces: string;

  constructor(workspaces: string) {
    this.#workspaces = workspaces;
  }

  /** Runs an attached agent to its end, as `agent-spawn` does, and times it from before its sockets are made. */
  async timeAttached(id: string, command: readonly string[]): Promise<Times> {
    let firstByteMs: number | undefined;
    const startedAt = performance.now();
    using attachment = new Attachment(SOCKET, {
      stdin: (connection) => void drained(connection).end(),
      stdout: (connection) =>
        void drained(connection).once('data', () => {
          firstByteMs = performance.now() - startedAt;
        }),
      stderr: drained,
    });
    const events = await this.#client.launchAttached(this.#request(id, command, attachment.token));
    for await (const event of events) {
      if (event.event === 'failed') throw new Error(event.problem.detail);
      if (event.event !== 'ended') continue;
      const { outcome } = event.agent;
      if (outcome?.kind !== 'exited' || outcome.status !== 0) throw new Error(outcome?.message ?? 'no outcome');
      return { firstByteMs, exitMs: performance.now() - startedAt };
    }
    throw new Error('the events ended before the agent did');
  }

  /** Starts a detached agent; resolves once it runs. */
  async startIdle(id: string): Promise<void> {
    await this.#client.launch(this.#request(id, ['sleep', 'infinity'], null));
  }

  #request(id: string, command: readonly string[], attach: string | null) {
    const card = cardText({ id, command }, this.#workspaces);
    return { card: { text: card, format: 'json' as const, source: id }, arguments: [], attach };
  }
}

/** Reads a connection to its end and closes it then. */
function drained(connection: Socket): Socket {
  connection.on('error', () => connection.destroy());
  connection.once('end', () => connection.end());
  return connection.resume();
}
