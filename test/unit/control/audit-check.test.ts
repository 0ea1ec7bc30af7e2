import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendToChain, CHAIN_START, type ChainHead } from '../../../src/audit/chain.ts';
import type { AuditDraft } from '../../../src/audit/event.ts';
import { checkAudit, type KnownEnd } from '../../../src/control/audit-check.ts';
import { auditEntries } from '../../../src/control/audit-entries.ts';
import type { AuditCheckView } from '../../../src/control/views.ts';
import type { AuditLine } from '../../../src/host/host.ts';
import { drafts, refusal } from '../audit/samples.ts';

/** A log as it stands in files, and the heads after each of its lines. */
interface Log {
  readonly lines: readonly AuditLine[];
  readonly heads: readonly ChainHead[];
}

/** A log whose events lie in files: a `rotated` begins a new one. */
function logOf(events: readonly AuditDraft[], start: ChainHead = CHAIN_START): Log {
  const heads: ChainHead[] = [];
  const lines: AuditLine[] = [];
  const older = events.findIndex((draft, index) => index > 0 && draft.kind === 'rotated');
  let head = start;
  for (const [index, draft] of events.entries()) {
    const added = appendToChain(head, { time: '2030-01-01T00:00:00.000Z', agent: 'demo' }, draft);
    head = added.head;
    heads.push(head);
    const file = index < older ? 'audit.jsonl.1' : 'audit.jsonl';
    const number = index < older || older === -1 ? index + 1 : index - older + 1;
    lines.push({ file, number, bytes: Buffer.from(added.line.slice(0, -1)), isComplete: true });
  }
  return { lines, heads };
}

async function check(lines: readonly AuditLine[], end: KnownEnd): Promise<AuditCheckView> {
  return checkAudit(
    'demo',
    (async function* () {
      yield* lines;
    })(),
    end,
  );
}

function place({ broken }: AuditCheckView): string {
  return broken === null ? '' : `${broken.file}:${broken.number} ${broken.sequence}`;
}

const LOG = logOf(drafts());
const LAST = LOG.heads.at(-1) ?? CHAIN_START;
const FINAL: KnownEnd = { head: LAST, isFinal: true };

test('a log that is whole holds, over two files', async () => {
  assert.deepEqual(await check(LOG.lines, FINAL), {
    agent: 'demo',
    isIntact: true,
    isConfirmed: true,
    events: LOG.lines.length,
    broken: null,
    message: `All ${LOG.lines.length} events hold, and the end is where it should be.`,
  });
});

test('a line that was changed is named with file, number and event', async () => {
  const at = LOG.lines.findIndex(({ file }) => file === 'audit.jsonl') + 1;
  const lines = LOG.lines.map((line, index) =>
    index === at ? { ...line, bytes: Buffer.from(Buffer.from(line.bytes).toString().replace('demo', 'dem0')) } : line,
  );
  const verdict = await check(lines, FINAL);
  assert.equal(verdict.isIntact, false);
  assert.equal(verdict.message, `Line 2 of audit.jsonl (event ${at + 1}) was changed: its hash does not match.`);
  assert.equal(place(verdict), `audit.jsonl:2 ${at + 1}`);
});

test('a cut tail shows by the head that the proxy told, also when nothing is left', async () => {
  for (let kept = 0; kept < LOG.lines.length; kept += 1) {
    for (const isFinal of [true, false]) {
      const verdict = await check(LOG.lines.slice(0, kept), { head: LAST, isFinal });
      assert.equal(verdict.isIntact, false, `${kept} lines are kept`);
      assert.match(verdict.message, /is missing: the log ends with event \d+, but the proxy has written event \d+\.$/);
    }
  }
});

test('a log that goes on while it is read holds; one that goes on after the agent has ended does not', async () => {
  const before = LOG.heads.at(-2) ?? CHAIN_START;
  assert.equal((await check(LOG.lines, { head: before, isFinal: false })).isIntact, true);
  const verdict = await check(LOG.lines, { head: before, isFinal: true });
  assert.equal(verdict.message, 'Events follow the one that was the last when the agent ended.');
});

test('a log that was made anew as a whole shows by the head', async () => {
  const other = logOf(drafts().map((draft) => (draft.kind === 'decision' ? refusal('harmless.example') : draft)));
  assert.equal(other.lines.length, LOG.lines.length);
  const verdict = await check(other.lines, FINAL);
  assert.match(verdict.message, /^The log does not hold event \d+ as the proxy has written it/);
});

test('an older file that is missing shows, and so do lines that are missing at the beginning of one', async () => {
  const present = LOG.lines.filter(({ file }) => file === 'audit.jsonl');
  assert.match((await check(present, FINAL)).message, /^Line 1 of audit\.jsonl .* older file, which is missing\.$/);
  assert.match((await check(LOG.lines.slice(1), FINAL)).message, /lines before it are missing\.$/);
});

test('an older file that itself goes on from one that is gone holds', async () => {
  const events: readonly AuditDraft[] = [{ kind: 'rotated', olderBytes: 8 }, refusal('a'), ...drafts().slice(-4)];
  const log = logOf(events, { sequence: 70_000, hash: 'a'.repeat(64) });
  assert.equal(log.lines[0]?.file, 'audit.jsonl.1');
  const verdict = await check(log.lines, { head: log.heads.at(-1) ?? CHAIN_START, isFinal: true });
  assert.equal(verdict.message, `All ${events.length} events hold, and the end is where it should be.`);
});

test('a torn last line is no line', async () => {
  const torn = LOG.lines.map((line, index) => (index === LOG.lines.length - 1 ? { ...line, isComplete: false } : line));
  assert.match((await check(torn, FINAL)).message, /is not complete\.$/);
});

test('where nobody tells the end, that is said', async () => {
  const unknown: KnownEnd = { head: null, isFinal: true };
  const closed = await check(LOG.lines, unknown);
  assert.deepEqual([closed.isIntact, closed.isConfirmed], [true, true]);
  const open = await check(LOG.lines.slice(0, -1), unknown);
  assert.deepEqual([open.isIntact, open.isConfirmed], [true, false]);
  assert.match(open.message, /last lines may have been cut\.$/);
});

test('an agent that made no request has an audit that holds', async () => {
  assert.equal((await check([], { head: CHAIN_START, isFinal: false })).isIntact, true);
  const unknown = await check([], { head: null, isFinal: false });
  assert.deepEqual([unknown.isConfirmed, unknown.message], [false, 'There are no events.']);
});

test('entries are the events that hold; a line that was changed is only named', async () => {
  const spoilt = { ...(LOG.lines[1] as AuditLine), bytes: Buffer.from('{"kind":"decision","host":"\u001b[2J"}') };
  const lines = [LOG.lines[0] as AuditLine, spoilt, LOG.lines[2] as AuditLine];
  const read = async (denied: boolean): Promise<readonly unknown[]> => {
    const entries: unknown[] = [];
    const source = (async function* () {
      yield* lines;
    })();
    for await (const entry of auditEntries(source, { denied })) entries.push(entry);
    return entries;
  };
  const [first, third] = [LOG.lines[0], LOG.lines[2]].map((line) => JSON.parse(String(line?.bytes)) as unknown);
  const broken = { kind: 'broken-line', file: spoilt.file, line: spoilt.number };
  assert.deepEqual(await read(false), [first, broken, third]);
  assert.deepEqual(await read(true), [broken, third]);
});
