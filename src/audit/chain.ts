import { createHash } from 'node:crypto';
import type { AuditEvent } from './event.gen.ts';
import type { AuditDraft } from './event.ts';

/** Where a chain of events has come to; a new one is at {@link CHAIN_START}. */
export interface ChainHead {
  /** Number of the last event, 0 before the first. */
  readonly sequence: number;
  /** Its hash, 64 hex digits. */
  readonly hash: string;
}

/** What is wrong with a line of a chain. */
export interface ChainBreak {
  /** Number that the line should have had, or null when that is not known. */
  readonly sequence: number | null;
  readonly kind: 'no-event' | 'edited' | 'sequence' | 'previous' | 'agent' | 'beginning';
  /** A clause that goes on after "line 7 …". */
  readonly message: string;
}

/** A line that holds, or what broke. */
export type ChainLink =
  | { readonly ok: true; readonly event: AuditEvent; readonly head: ChainHead }
  | { readonly ok: false; readonly broken: ChainBreak };

/** What a line is checked against. */
export interface ChainExpectation {
  readonly agent: string;
  /** The event before, or null when this is the first line of the oldest file that is kept. */
  readonly head: ChainHead | null;
}

/** Before the first event. */
export const CHAIN_START: ChainHead = { sequence: 0, hash: '0'.repeat(64) };

/** What a line ends with: the member `hash` and nothing after it. */
const HASH_MEMBER = /^,"hash":"([0-9a-f]{64})"\}$/;
const HASH_MEMBER_LENGTH = ',"hash":""}'.length + 64;
const BEYOND_ASCII = /[\u007f-\uffff]/g;

/** Kinds that may stand first in the oldest file when numbering did not begin there. */
const FIRST_KINDS: readonly string[] = ['rotated', 'recovered'];

/** Puts an event behind the last one: its line with the line feed, ASCII only, and the new head. */
export function appendToChain(
  head: ChainHead,
  frame: { readonly time: string; readonly agent: string },
  draft: AuditDraft,
): { readonly line: string; readonly head: ChainHead } {
  const sequence = head.sequence + 1;
  const { kind, ...details } = draft;
  const { time, agent } = frame;
  const body = asciiJson({ version: 1, sequence, time, agent, kind, ...details, previous: head.hash });
  const hash = createHash('sha256').update(body).digest('hex');
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}\n`, head: { sequence, hash } };
}

/** Checks one line, without its line feed, byte by byte against the event before it. */
export function checkLine(line: Uint8Array, { agent, head }: ChainExpectation): ChainLink {
  const expected = head === null ? null : head.sequence + 1;
  const broken = (kind: ChainBreak['kind'], message: string, sequence: number | null = expected): ChainLink => ({
    ok: false,
    broken: { sequence, kind, message },
  });
  const read = readLine(line);
  if (read === null) return broken('no-event', 'is no event of an audit');
  const { event, hash } = read;
  if (!read.isIntact) return broken('edited', 'was changed: its hash does not match', expected ?? event.sequence);
  if (event.agent !== agent) return broken('agent', 'is of another agent');
  if (head === null) {
    const isFirst = event.sequence === 1 ? event.previous === CHAIN_START.hash : FIRST_KINDS.includes(event.kind);
    if (!isFirst) return broken('beginning', 'is not where a file begins: lines before it are missing', event.sequence);
    return { ok: true, event, head: { sequence: event.sequence, hash } };
  }
  if (event.sequence !== expected) {
    return broken(
      'sequence',
      `has the number ${event.sequence} instead of ${expected}: lines are missing, moved or put in`,
    );
  }
  if (event.previous !== head.hash) return broken('previous', 'does not follow the line before it');
  return { ok: true, event, head: { sequence: event.sequence, hash } };
}

/** The event of a line that was not changed since it was written, whatever is around it; null for any other. */
export function intactEvent(line: Uint8Array): AuditEvent | null {
  const read = readLine(line);
  return read?.isIntact === true ? read.event : null;
}

/** The head that a line itself states, intact or not; null when it is no event. */
export function statedHead(line: Uint8Array): ChainHead | null {
  const read = readLine(line);
  return read === null ? null : { sequence: read.event.sequence, hash: read.hash };
}

function readLine(
  line: Uint8Array,
): { readonly event: AuditEvent; readonly hash: string; readonly isIntact: boolean } | null {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const bodyLength = bytes.length - HASH_MEMBER_LENGTH;
  const hash = HASH_MEMBER.exec(bytes.toString('latin1', Math.max(0, bodyLength)))?.[1];
  if (bodyLength < 1 || hash === undefined) return null;
  const event = parseEvent(bytes.toString('latin1'));
  if (event === null) return null;
  const computed = createHash('sha256').update(bytes.subarray(0, bodyLength)).update('}').digest('hex');
  return { event, hash, isIntact: computed === hash };
}

/** Only what the chain itself needs is looked at: a newer version may know more kinds. */
function parseEvent(text: string): AuditEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { sequence, agent, kind, previous } = value as Readonly<Record<string, unknown>>;
  const isEvent =
    Number.isSafeInteger(sequence) &&
    (sequence as number) > 0 &&
    [agent, kind, previous].every((member) => typeof member === 'string');
  return isEvent ? (value as AuditEvent) : null;
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    BEYOND_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
