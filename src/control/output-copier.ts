import { unitName } from '../base/ids.ts';
import { JOURNAL_COPY_BYTES_MAX, JOURNAL_COPY_LINES_MAX, JOURNAL_LINE_BYTES_MAX } from '../base/limits.ts';
import type { HostJournal } from '../host/host.ts';
import type { Agent } from '../sandbox/agent.ts';

/** The last line of an agent that printed more than is copied. */
const FULL = `Of the agent's output, only the first ${JOURNAL_COPY_LINES_MAX} lines or ${JOURNAL_COPY_BYTES_MAX} bytes are copied to the journal.`;

const PRIORITY_INFO = 6;
const PRIORITY_WARNING = 4;

/** Part of a line that has not ended yet, per agent and stream. */
type Rests = Map<string, Buffer>;

/**
 * Copies what foreground agents print to the journal, where detached ones
 * print by themselves. Bounded per agent: the journal is shared by the host.
 */
export class OutputCopier {
  readonly #journal: HostJournal;
  readonly #rests = new WeakMap<Agent, Rests>();

  constructor(journal: HostJournal) {
    this.#journal = journal;
  }

  /** Takes the next piece of a stream; an empty piece ends it. */
  async copy(agent: Agent, piece: Uint8Array, stream: 'stdout' | 'stderr'): Promise<void> {
    if (isFull(agent)) return;
    agent.journalBytes += piece.length;
    const lines = this.#lines(agent, piece, stream).slice(0, JOURNAL_COPY_LINES_MAX - agent.journalLines);
    agent.journalLines += lines.length;
    if (lines.length > 0) await this.#append(agent, lines, PRIORITY_INFO);
    if (isFull(agent)) await this.#append(agent, [FULL], PRIORITY_WARNING);
  }

  #lines(agent: Agent, piece: Uint8Array, stream: string): readonly string[] {
    const rests = this.#rests.get(agent) ?? new Map<string, Buffer>();
    this.#rests.set(agent, rests);
    const text = Buffer.concat([rests.get(stream) ?? Buffer.alloc(0), piece]);
    const lines: string[] = [];
    let start = 0;
    for (
      let end = text.indexOf(10);
      end !== -1 || text.length - start > JOURNAL_LINE_BYTES_MAX;
      end = text.indexOf(10, start)
    ) {
      const stop = end === -1 || end - start > JOURNAL_LINE_BYTES_MAX ? start + JOURNAL_LINE_BYTES_MAX : end;
      lines.push(text.toString('utf8', start, stop));
      start = stop === end ? end + 1 : stop;
    }
    const rest = text.subarray(start);
    if (piece.length === 0 && rest.length > 0) lines.push(rest.toString('utf8'));
    rests.set(stream, piece.length === 0 ? Buffer.alloc(0) : Buffer.from(rest));
    return lines;
  }

  #append(agent: Agent, lines: readonly string[], priority: number): Promise<void> {
    return this.#journal.append({ unit: unitName(agent.id), identifier: `agent-${agent.id}`, priority, lines });
  }
}

function isFull(agent: Agent): boolean {
  return agent.journalBytes >= JOURNAL_COPY_BYTES_MAX || agent.journalLines >= JOURNAL_COPY_LINES_MAX;
}
