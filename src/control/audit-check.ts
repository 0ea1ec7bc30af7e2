import { type ChainBreak, type ChainHead, checkLine } from '../audit/chain.ts';
import type { AuditEvent } from '../audit/event.gen.ts';
import type { AuditLine } from '../host/host.ts';
import type { AuditCheckView } from './views.ts';

/** What is known of a log's end beside the log itself. */
export interface KnownEnd {
  /** The last event that the proxy tells of, or null when it tells nothing. */
  readonly head: ChainHead | null;
  /** Nothing may follow it: the agent has ended. */
  readonly isFinal: boolean;
}

/** A place in a log where it does not hold. */
type Fault = NonNullable<AuditCheckView['broken']>;

const CURRENT = 'audit.jsonl';

/**
 * Checks a whole log against its own chain and against what is known of its
 * end, which alone shows that its last lines were cut.
 */
export async function checkAudit(
  agent: string,
  lines: AsyncIterable<AuditLine>,
  end: KnownEnd,
): Promise<AuditCheckView> {
  let head: ChainHead | null = null;
  let last: AuditEvent | null = null;
  let place = { file: CURRENT, number: 0 };
  let events = 0;
  let isEndSeen = end.head === null || end.head.sequence === 0;
  for await (const line of lines) {
    place = { file: line.file, number: line.number };
    if (!line.isComplete) return broken(agent, events, fault(place, { ...TORN, sequence: (head?.sequence ?? 0) + 1 }));
    const link = checkLine(line.bytes, { agent, head });
    if (!link.ok) return broken(agent, events, fault(place, link.broken));
    const isAlone = head === null && line.file === CURRENT && link.event.kind === 'rotated';
    if (isAlone) return broken(agent, events, fault(place, { ...OLDER_MISSING, sequence: link.event.sequence }));
    ({ head, event: last } = link);
    events += 1;
    isEndSeen ||= head.sequence === end.head?.sequence && head.hash === end.head.hash;
  }
  const next = { file: place.file, number: place.number + 1 };
  if (!isEndSeen) return broken(agent, events, missingEnd(next, head, end.head));
  if (end.isFinal && end.head !== null && (head?.sequence ?? 0) !== end.head.sequence) {
    return broken(agent, events, { ...next, sequence: end.head.sequence + 1, message: AFTER_END });
  }
  const isConfirmed = end.head !== null || last?.kind === 'closed';
  const message = events === 0 && !isConfirmed ? NOTHING : `${held(events)}, ${isConfirmed ? CONFIRMED : UNCONFIRMED}.`;
  return { agent, isIntact: true, isConfirmed, events, broken: null, message };
}

const NOTHING = 'There are no events.';
const CONFIRMED = 'and the end is where it should be';
const UNCONFIRMED = 'but the proxy does not tell where the end should be, so that last lines may have been cut';
const AFTER_END = 'Events follow the one that was the last when the agent ended.';
const TORN = { kind: 'no-event', message: 'is not complete' } as const;
const OLDER_MISSING = { kind: 'beginning', message: 'goes on from an older file, which is missing' } as const;

function held(events: number): string {
  return events === 1 ? '1 event holds' : `All ${events} events hold`;
}

function fault(at: { readonly file: string; readonly number: number }, { sequence, message }: ChainBreak): Fault {
  const name = sequence === null ? '' : ` (event ${sequence})`;
  return { ...at, sequence, message: `Line ${at.number} of ${at.file}${name} ${message}.` };
}

function missingEnd(
  at: { readonly file: string; readonly number: number },
  head: ChainHead | null,
  end: ChainHead | null,
): Fault {
  const kept = head?.sequence ?? 0;
  const wanted = end?.sequence ?? 0;
  const message =
    kept < wanted
      ? `Line ${at.number} of ${at.file} is missing: the log ends with event ${kept}, but the proxy has written event ${wanted}.`
      : `The log does not hold event ${wanted} as the proxy has written it: it was replaced as a whole.`;
  return { ...at, sequence: Math.min(kept + 1, wanted), message };
}

function broken(agent: string, events: number, found: Fault): AuditCheckView {
  return { agent, isIntact: false, isConfirmed: false, events, broken: found, message: found.message };
}
