import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AUDIT_LINE_BYTES_MAX } from '../../../src/base/limits.ts';
import { linuxAudit } from '../../../src/host/audit-reader.ts';
import type { AuditLine } from '../../../src/host/host.ts';
import { makeScratch } from '../../helpers/scratch.ts';

interface Ground extends AsyncDisposable {
  readonly root: string;
  readonly file: string;
  readonly older: string;
}

async function makeGround(): Promise<Ground> {
  const scratch = await makeScratch();
  const directory = join(scratch.path, 'demo');
  mkdirSync(directory);
  return {
    root: scratch.path,
    file: join(directory, 'audit.jsonl'),
    older: join(directory, 'audit.jsonl.1'),
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

// A watch does not keep a process alive; the daemon has its socket for that.
let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => undefined, 60_000);
});
after(() => clearInterval(alive));

/** A line in a form that is easy to compare. */
function shown({ file, number, bytes, isComplete }: AuditLine): string {
  return `${file}:${number} ${Buffer.from(bytes).toString()}${isComplete ? '' : ' (torn)'}`;
}

async function all(root: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of linuxAudit(root).lines('demo', null)) lines.push(shown(line));
  return lines;
}

/** Follows an audit; every call of `next` resolves with one line more. */
function follow(root: string): { next: () => Promise<string>; end: () => Promise<boolean> } {
  const open = new AbortController();
  const lines = linuxAudit(root).lines('demo', open.signal)[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { done, value } = await lines.next();
      assert.notEqual(done, true, 'there is more to come');
      return shown(value as AuditLine);
    },
    end: async () => {
      const last = lines.next();
      open.abort();
      return (await last).done === true;
    },
  };
}

test('lines come with their place, the older file first', async () => {
  await using ground = await makeGround();
  writeFileSync(ground.older, 'a\nb\n');
  writeFileSync(ground.file, 'c\n\nd');
  assert.deepEqual(await all(ground.root), [
    'audit.jsonl.1:1 a',
    'audit.jsonl.1:2 b',
    'audit.jsonl:1 c',
    'audit.jsonl:2 ',
    'audit.jsonl:3 d (torn)',
  ]);
});

test('an agent without an audit has no lines', async () => {
  await using ground = await makeGround();
  assert.deepEqual(await all(ground.root), []);
  rmSync(join(ground.root, 'demo'), { recursive: true });
  assert.deepEqual(await all(ground.root), []);
});

test("a file that is not the proxy's own is not read", async () => {
  await using ground = await makeGround();
  writeFileSync(join(ground.root, 'secret'), 'secret\n');
  symlinkSync(join(ground.root, 'secret'), ground.file);
  await assert.rejects(all(ground.root), { code: 'host.call-failed' });
});

test('lines of every length come whole, whatever lies between two reads', async () => {
  await using ground = await makeGround();
  const lines = Array.from({ length: 1000 }, (_, index) => 'x'.repeat((index * 37) % AUDIT_LINE_BYTES_MAX));
  writeFileSync(ground.file, lines.map((line) => `${line}\n`).join(''));
  assert.deepEqual(
    await all(ground.root),
    lines.map((line, index) => `audit.jsonl:${index + 1} ${line}`),
  );
});

test('others get their turn while a long audit is read', async () => {
  await using ground = await makeGround();
  writeFileSync(ground.file, `${'x'.repeat(299)}\n`.repeat(20_000));
  let turns = 0;
  const count = (): void => {
    turns += 1;
    waiting = setImmediate(count);
  };
  let waiting = setImmediate(count);
  assert.equal((await all(ground.root)).length, 20_000);
  clearImmediate(waiting);
  assert.ok(turns >= 20, `${turns} turns`);
});

test('a line without an end comes in parts, none of them taken for a line', async () => {
  await using ground = await makeGround();
  writeFileSync(ground.file, 'x'.repeat(3_000_000));
  const lines = await all(ground.root);
  assert.ok(lines.length > 1);
  assert.ok(lines.every((line) => line.endsWith(' (torn)')));
});

test('what is written later comes later, half a line when it is whole', async () => {
  await using ground = await makeGround();
  writeFileSync(ground.file, 'a\n');
  const followed = follow(ground.root);
  assert.equal(await followed.next(), 'audit.jsonl:1 a');
  const second = followed.next();
  appendFileSync(ground.file, 'b1');
  appendFileSync(ground.file, 'b2\nc\n');
  assert.equal(await second, 'audit.jsonl:2 b1b2');
  assert.equal(await followed.next(), 'audit.jsonl:3 c');
  assert.equal(await followed.end(), true);
});

test('an audit that does not exist yet is waited for', async () => {
  await using ground = await makeGround();
  rmSync(join(ground.root, 'demo'), { recursive: true });
  const followed = follow(ground.root);
  const first = followed.next();
  mkdirSync(join(ground.root, 'demo'));
  writeFileSync(ground.file, 'a\n');
  assert.equal(await first, 'audit.jsonl:1 a');
  assert.equal(await followed.end(), true);
});

test('a follower loses nothing when the file is full and a new one begins, once or twice between two looks', async () => {
  for (const rotations of [1, 2]) {
    await using ground = await makeGround();
    writeFileSync(ground.file, '0\n');
    const followed = follow(ground.root);
    assert.equal(await followed.next(), 'audit.jsonl:1 0');
    const next = followed.next();
    const wanted = ['audit.jsonl:2 end of 0'];
    for (let index = 0; index < rotations; index += 1) {
      appendFileSync(ground.file, `end of ${index}\n`);
      renameSync(ground.file, ground.older);
      writeFileSync(ground.file, `begin of ${index + 1}\n`);
    }
    if (rotations === 2) wanted.push('audit.jsonl.1:1 begin of 1', 'audit.jsonl.1:2 end of 1');
    wanted.push(`audit.jsonl:1 begin of ${rotations}`);
    assert.equal(await next, wanted[0]);
    for (const line of wanted.slice(1)) assert.equal(await followed.next(), line);
    assert.equal(await followed.end(), true);
  }
});
