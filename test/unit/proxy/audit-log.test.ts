import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHAIN_START, type ChainHead, checkLine } from '../../../src/audit/chain.ts';
import type { AuditEvent } from '../../../src/audit/event.gen.ts';
import { type AuditDraft, auditSubject, decisionDraft, openedDraft } from '../../../src/audit/event.ts';
import { AUDIT_FILE_BYTES_MAX, AUDIT_REPEATED_WINDOW_MS } from '../../../src/base/limits.ts';
import { AuditLog, AuditUnwritable } from '../../../src/proxy/audit-log.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { makeScratch } from '../../helpers/scratch.ts';
import { ADDRESS, decision, INTENT, refusal, TABLE } from '../audit/samples.ts';
import { seededRandom } from '../card/random.ts';

const COUNTERS = { allowed: 1, refused: 2, bytesSent: 3, bytesReceived: 4 };

const ALLOWED: AuditDraft = decisionDraft(auditSubject(INTENT), decision(), ADDRESS);

interface Ground extends AsyncDisposable {
  readonly directory: string;
  readonly file: string;
  readonly older: string;
  readonly clock: FakeClock;
}

async function makeGround(): Promise<Ground> {
  const scratch = await makeScratch();
  const file = join(scratch.path, 'demo', 'audit.jsonl');
  return {
    directory: scratch.path,
    file,
    older: `${file}.1`,
    clock: new FakeClock(),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

/** The events of both files; fails when the chain does not hold. `first` is the head before the oldest line. */
function events({ file, older }: Ground, first: ChainHead | null = null): readonly AuditEvent[] {
  let head = first;
  return [older, file]
    .filter((path) => existsSync(path))
    .flatMap((path) => {
      const text = readFileSync(path, 'latin1');
      assert.ok(text === '' || text.endsWith('\n'), 'a file ends with a whole line');
      return text.split('\n').slice(0, -1);
    })
    .map((line) => {
      const link = checkLine(Buffer.from(line, 'latin1'), { agent: 'demo', head });
      assert.ok(link.ok, `${JSON.stringify(link)}\n${line}`);
      head = link.head;
      return link.event;
    });
}

function kinds(ground: Ground): readonly string[] {
  return events(ground).map(({ kind }) => kind);
}

test('an event is in the file when write returns, and the head is its number and its hash', async () => {
  await using ground = await makeGround();
  using log = AuditLog.open(ground.directory, 'demo', ground.clock);
  assert.deepEqual(log.head, CHAIN_START);
  log.write(openedDraft(TABLE));
  log.write(ALLOWED);
  const written = events(ground, CHAIN_START);
  assert.deepEqual(
    written.map(({ kind, sequence, time, agent }) => [kind, sequence, time, agent]),
    [
      ['opened', 1, '2030-01-01T00:00:00.000Z', 'demo'],
      ['decision', 2, '2030-01-01T00:00:00.000Z', 'demo'],
    ],
  );
  assert.deepEqual(log.head, { sequence: 2, hash: written.at(-1)?.hash });
});

test('the directory is for the proxy and its group, the file too', async () => {
  await using ground = await makeGround();
  using log = AuditLog.open(ground.directory, 'demo', ground.clock);
  log.write(ALLOWED);
  assert.equal(statSync(join(ground.directory, 'demo')).mode & 0o7, 0);
  assert.equal(statSync(ground.file).mode & 0o7, 0);
});

test('the chain goes on when the log is opened again, and when the agent starts again', async () => {
  await using ground = await makeGround();
  for (let run = 0; run < 3; run += 1) {
    const log = AuditLog.open(ground.directory, 'demo', ground.clock);
    log.write(openedDraft(TABLE));
    assert.deepEqual(log.close(COUNTERS), log.head);
  }
  assert.deepEqual(kinds(ground), ['opened', 'closed', 'opened', 'closed', 'opened', 'closed']);
});

test('a flood of refusals is the first of them and a count for each window', async () => {
  await using ground = await makeGround();
  const log = AuditLog.open(ground.directory, 'demo', ground.clock);
  for (let index = 0; index < 1000; index += 1) log.write(refusal('evil.example'));
  log.write(refusal('evil.example', 80));
  assert.deepEqual(kinds(ground), ['decision', 'decision']);
  ground.clock.advance(AUDIT_REPEATED_WINDOW_MS);
  assert.deepEqual(kinds(ground), ['decision', 'decision', 'repeated']);
  log.write(refusal('evil.example'));
  log.close(COUNTERS);
  const counts = events(ground).flatMap((event) => (event.kind === 'repeated' ? [event.count] : []));
  assert.deepEqual(counts, [999, 1]);
  assert.equal(events(ground).at(-1)?.kind, 'closed');
});

test('requests that are allowed are all written, however alike they are', async () => {
  await using ground = await makeGround();
  using log = AuditLog.open(ground.directory, 'demo', ground.clock);
  for (let index = 0; index < 100; index += 1) log.write(ALLOWED);
  assert.equal(events(ground).length, 100);
});

test('a last line that a crash tore is removed, that is said, and the chain goes on', async () => {
  await using ground = await makeGround();
  {
    using log = AuditLog.open(ground.directory, 'demo', ground.clock);
    for (let index = 0; index < 3; index += 1) log.write(ALLOWED);
  }
  const whole = readFileSync(ground.file);
  const lastLine = whole.subarray(whole.lastIndexOf(10, -2) + 1);
  for (let kept = 1; kept < lastLine.length; kept += 7) {
    writeFileSync(ground.file, whole.subarray(0, whole.length - lastLine.length + kept));
    using log = AuditLog.open(ground.directory, 'demo', ground.clock);
    log.write(ALLOWED);
    const [, , recovered, next] = events(ground, CHAIN_START);
    assert.deepEqual(recovered?.kind === 'recovered' && [recovered.sequence, recovered.cause, recovered.bytesRemoved], [
      3,
      'torn-line',
      kept,
    ]);
    assert.equal(next?.sequence, 4);
  }
});

test('a torn first line leaves an empty log', async () => {
  await using ground = await makeGround();
  AuditLog.open(ground.directory, 'demo', ground.clock)[Symbol.dispose]();
  writeFileSync(ground.file, '{"version":1,"seq');
  using log = AuditLog.open(ground.directory, 'demo', ground.clock);
  log.write(ALLOWED);
  assert.deepEqual(kinds(ground), ['recovered', 'decision']);
});

test('what a crash of the machine left behind the last line is removed, however much it is', async () => {
  await using ground = await makeGround();
  {
    using log = AuditLog.open(ground.directory, 'demo', ground.clock);
    log.write(ALLOWED);
  }
  appendFileSync(ground.file, Buffer.alloc(100_000));
  using log = AuditLog.open(ground.directory, 'demo', ground.clock);
  log.write(ALLOWED);
  const recovered = events(ground, CHAIN_START)[1];
  assert.equal(recovered?.kind === 'recovered' && recovered.bytesRemoved, 100_000);
});

test('a last line that is no event does not keep the agent from going on, and never verifies', async () => {
  await using ground = await makeGround();
  {
    using log = AuditLog.open(ground.directory, 'demo', ground.clock);
    log.write(ALLOWED);
  }
  appendFileSync(ground.file, 'not an event\n');
  using log = AuditLog.open(ground.directory, 'demo', ground.clock);
  log.write(ALLOWED);
  const lines = readFileSync(ground.file, 'utf8').split('\n');
  assert.match(lines[2] ?? '', /"sequence":1,.*"kind":"recovered","cause":"unreadable"/);
  assert.throws(() => events(ground));
});

test('a file that was taken away is begun anew, which shows', async () => {
  await using ground = await makeGround();
  using log = AuditLog.open(ground.directory, 'demo', ground.clock);
  log.write(ALLOWED);
  const { head } = log;
  rmSync(ground.file);
  log.write(ALLOWED);
  assert.deepEqual(
    events(ground, head).map((event) => (event.kind === 'recovered' ? event.cause : event.kind)),
    ['replaced', 'decision'],
  );
});

test('a full file is kept as the older one, and the chain goes on in a new one', async () => {
  await using ground = await makeGround();
  const long = decisionDraft({ ...auditSubject(INTENT), path: `/${'p'.repeat(600)}` }, decision(), ADDRESS);
  const log = AuditLog.open(ground.directory, 'demo', ground.clock);
  while (!existsSync(ground.older)) log.write(long);
  const written = events(ground, CHAIN_START);
  const rotated = written.find(({ kind }) => kind === 'rotated');
  assert.equal(rotated?.kind === 'rotated' && rotated.olderBytes, statSync(ground.older).size);
  assert.ok(statSync(ground.older).size <= AUDIT_FILE_BYTES_MAX);
  assert.equal(log.head.sequence, written.length);
  const { ino } = statSync(ground.older);
  while (statSync(ground.older).ino === ino) log.write(long);
  log.close(COUNTERS);
  // The oldest lines are gone; what is kept begins where a file begins.
  assert.equal(events(ground)[0]?.kind, 'rotated');
});

test('the older file does not age while the log is written', async () => {
  await using ground = await makeGround();
  const log = AuditLog.open(ground.directory, 'demo', ground.clock);
  log.write(ALLOWED);
  writeFileSync(ground.older, '');
  const long = 31 * 24 * 3600 * 1000;
  ground.clock.advance(long);
  log.write(ALLOWED);
  log.close(COUNTERS);
  assert.equal(statSync(ground.older).mtimeMs, ground.clock.now());
});

test('a proxy that ended between two files goes on from the older one', async () => {
  await using ground = await makeGround();
  {
    using log = AuditLog.open(ground.directory, 'demo', ground.clock);
    log.write(ALLOWED);
  }
  for (const content of [null, '']) {
    renameSync(ground.file, ground.older);
    if (content !== null) writeFileSync(ground.file, content);
    using log = AuditLog.open(ground.directory, 'demo', ground.clock);
    log.write(ALLOWED);
    const [before, rotated, next] = events(ground);
    assert.deepEqual([before?.sequence, rotated?.kind, next?.kind], [1, 'rotated', 'decision']);
    rmSync(ground.older);
    rmSync(ground.file);
    using again = AuditLog.open(ground.directory, 'demo', ground.clock);
    again.write(ALLOWED);
  }
});

test('a log that cannot be written says so to every write, and what it could not write is told when it can', async () => {
  await using ground = await makeGround();
  const blocked = join(ground.directory, 'demo');
  writeFileSync(blocked, 'in the way');
  const log = AuditLog.open(ground.directory, 'demo', ground.clock);
  for (const isFirst of [true, false, false]) {
    assert.throws(
      () => log.write(ALLOWED),
      (error) => error instanceof AuditUnwritable && error.isFirst === isFirst,
    );
  }
  assert.throws(() => log.write(refusal('evil.example')), AuditUnwritable);
  rmSync(blocked);
  log.write(ALLOWED);
  log.close(COUNTERS);
  const [recovered, ...rest] = events(ground, CHAIN_START);
  assert.deepEqual(recovered?.kind === 'recovered' && [recovered.cause, recovered.unwritten], ['unwritable', 4]);
  assert.deepEqual(
    rest.map(({ kind }) => kind),
    ['decision', 'closed'],
  );
});

test('closing a log that cannot be written ends', async () => {
  await using ground = await makeGround();
  writeFileSync(join(ground.directory, 'demo'), 'in the way');
  const log = AuditLog.open(ground.directory, 'demo', ground.clock);
  assert.deepEqual(log.close(COUNTERS), CHAIN_START);
});

test('whatever happens to proxy, disk and agent in whatever order, the chain holds and nothing is written twice', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    await using ground = await makeGround();
    const random = seededRandom(seed);
    const moved = join(ground.directory, 'moved');
    let log = AuditLog.open(ground.directory, 'demo', ground.clock);
    let allowed = 0;
    let refused = 0;
    for (let step = 0; step < 80; step += 1) {
      switch (random.below(8)) {
        case 0: // The agent ends and starts again.
          log.close(COUNTERS);
          log = AuditLog.open(ground.directory, 'demo', ground.clock);
          break;
        case 1: // The proxy is killed in the middle of a line.
          log[Symbol.dispose]();
          if (existsSync(ground.file))
            appendFileSync(ground.file, '{"version":1,"sequence":9'.slice(0, random.below(25)));
          log = AuditLog.open(ground.directory, 'demo', ground.clock);
          break;
        case 2: // Nothing can be written for a while.
          log[Symbol.dispose]();
          if (existsSync(join(ground.directory, 'demo'))) renameSync(join(ground.directory, 'demo'), moved);
          writeFileSync(join(ground.directory, 'demo'), '');
          assert.throws(() => log.write(ALLOWED), AuditUnwritable);
          rmSync(join(ground.directory, 'demo'));
          if (existsSync(moved)) renameSync(moved, join(ground.directory, 'demo'));
          break;
        case 3:
          ground.clock.advance(random.below(2 * AUDIT_REPEATED_WINDOW_MS));
          break;
        case 4:
        case 5:
          for (let times = random.below(50); times > 0; times -= 1, refused += 1) {
            log.write(refusal(`h${random.below(3)}.example`));
          }
          break;
        default:
          log.write(ALLOWED);
          allowed += 1;
      }
    }
    log.close(COUNTERS);
    const written = events(ground, CHAIN_START);
    const verdicts = written.filter((event) => event.kind === 'decision' && event.verdict === 'allow');
    assert.equal(verdicts.length, allowed, `seed ${seed}`);
    assert.deepEqual(log.head, { sequence: written.length, hash: written.at(-1)?.hash });
    const counts = written.map((event) => (event.kind === 'repeated' ? event.count : isRefusal(event) ? 1 : 0));
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      refused,
      `seed ${seed}`,
    );
  }
});

function isRefusal(event: AuditEvent): boolean {
  return event.kind === 'decision' && event.verdict === 'deny';
}
