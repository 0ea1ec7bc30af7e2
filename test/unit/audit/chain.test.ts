import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { appendToChain, CHAIN_START, type ChainBreak, type ChainHead, checkLine } from '../../../src/audit/chain.ts';
import { drafts, refusal } from './samples.ts';

/** Lines of a whole log, without line feeds. */
function chain(agent: string = 'demo'): readonly string[] {
  const lines: string[] = [];
  let head: ChainHead = CHAIN_START;
  for (const [index, draft] of drafts().entries()) {
    const time = new Date(Date.UTC(2030, 0, 1, 0, 0, index)).toISOString();
    const added = appendToChain(head, { time, agent }, draft);
    lines.push(added.line.slice(0, -1));
    head = added.head;
  }
  return lines;
}

/** Checks a log as `audit verify` does: the first line that breaks it, or null. `end` is the head that the proxy tells. */
function firstBreak(bytes: Uint8Array, end: ChainHead): { readonly line: number; readonly broken: ChainBreak } | null {
  const text = Buffer.from(bytes);
  let head: ChainHead | null = null;
  let line = 0;
  for (let start = 0; start < text.length; line += 1) {
    const stop = text.indexOf(10, start) === -1 ? text.length : text.indexOf(10, start);
    const link = checkLine(text.subarray(start, stop), { agent: 'demo', head });
    if (!link.ok) return { line: line + 1, broken: link.broken };
    head = link.head;
    start = stop + 1;
  }
  const isWhole = head?.sequence === end.sequence && head.hash === end.hash;
  if (isWhole) return null;
  return { line: line + 1, broken: { sequence: null, kind: 'sequence', message: 'ends early' } };
}

function log(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

function headOf(lines: readonly string[]): ChainHead {
  const last = JSON.parse(lines.at(-1) ?? '') as ChainHead;
  return { sequence: last.sequence, hash: last.hash };
}

test('a log as it was written holds, from its first line on', () => {
  const lines = chain();
  assert.equal(firstBreak(log(lines), headOf(lines)), null);
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as ChainHead).sequence),
    lines.map((_, index) => index + 1),
  );
});

test('the hash is what the schema says: SHA-256 of the line without its last member', () => {
  for (const line of chain()) {
    const { hash } = JSON.parse(line) as ChainHead;
    assert.equal(
      createHash('sha256')
        .update(line.replace(/,"hash":"[0-9a-f]{64}"/, ''))
        .digest('hex'),
      hash,
    );
  }
});

test('every change of a single byte is found, at the line it is in', () => {
  const lines = chain();
  const whole = log(lines);
  let lineOf = 1;
  for (let at = 0; at < whole.length; at += 1) {
    const isFeed = whole[at] === 10;
    for (const flip of [1, 2, 32, 128]) {
      const edited = Buffer.from(whole);
      edited[at] = (whole[at] ?? 0) ^ flip;
      const found = firstBreak(edited, headOf(lines));
      // The line feed at the very end holds nothing; a reader of lines takes what is left of it for a line.
      assert.equal(found?.line, lineOf, `byte ${at} of line ${lineOf} ^ ${flip}: ${JSON.stringify(found)}`);
    }
    if (isFeed) lineOf += 1;
  }
});

test('every byte that is left out, put in or doubled is found', () => {
  const lines = chain();
  const whole = log(lines);
  for (let at = 0; at < whole.length - 1; at += 1) {
    const without = Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]);
    assert.notEqual(firstBreak(without, headOf(lines)), null, `without byte ${at}`);
    for (const extra of [whole[at] ?? 0, 0x20, 0x0a]) {
      const within = Buffer.concat([whole.subarray(0, at), Buffer.from([extra]), whole.subarray(at)]);
      assert.notEqual(firstBreak(within, headOf(lines)), null, `byte ${extra} before byte ${at}`);
    }
  }
});

test('every line that is left out, doubled or moved is found where it happened', () => {
  const lines = chain();
  const head = headOf(lines);
  for (let at = 0; at < lines.length; at += 1) {
    const rest = lines.filter((_, index) => index !== at);
    assert.equal(firstBreak(log(rest), head)?.line, at + 1, `line ${at + 1} is cut`);
    const doubled = [...lines.slice(0, at + 1), ...lines.slice(at)];
    assert.equal(firstBreak(log(doubled), head)?.line, at + 2, `line ${at + 1} is doubled`);
    for (let to = 0; to < lines.length; to += 1) {
      const moved = [...rest.slice(0, to), lines[at] ?? '', ...rest.slice(to)];
      const found = firstBreak(log(moved), head);
      assert.equal(found === null, to === at, `line ${at + 1} is moved to ${to + 1}: ${JSON.stringify(found)}`);
    }
  }
});

test('every cut tail is found by the head that the proxy tells, and by nothing else', () => {
  const lines = chain();
  for (let kept = 1; kept < lines.length; kept += 1) {
    const cut = lines.slice(0, kept);
    assert.notEqual(firstBreak(log(cut), headOf(lines)), null, `${kept} lines are kept`);
    // Without the head a cut tail is a log that holds.
    assert.equal(firstBreak(log(cut), headOf(cut)), null);
  }
});

test('a line that was put in is found although it is an event with the right hash and the right number', () => {
  const lines = chain();
  const forgedAt = (index: number): string => {
    const { sequence } = JSON.parse(lines[index] ?? '') as ChainHead;
    const frame = { time: '2030-01-01T00:00:00.000Z', agent: 'demo' };
    return appendToChain(
      { sequence: sequence - 1, hash: 'f'.repeat(64) },
      frame,
      refusal('forged.example'),
    ).line.trim();
  };
  for (let at = 0; at < lines.length; at += 1) {
    const replaced = lines.map((line, index) => (index === at ? forgedAt(at) : line));
    const found = firstBreak(log(replaced), headOf(lines));
    assert.equal(found?.line, at + 1);
    assert.equal(found.broken.kind, at === 0 ? 'beginning' : 'previous');
  }
});

test('a number that does not follow is found although hash and link are right', () => {
  const lines = chain();
  const { sequence, hash } = headOf(lines);
  const frame = { time: '2030-01-01T00:00:00.000Z', agent: 'demo' };
  const skipped = appendToChain({ sequence: sequence + 1, hash }, frame, refusal('x.example'));
  const found = firstBreak(log([...lines, skipped.line.trim()]), skipped.head);
  assert.deepEqual(
    [found?.line, found?.broken.kind, found?.broken.sequence],
    [lines.length + 1, 'sequence', sequence + 1],
  );
});

test('a line whose hash was made to fit its new content is found at the next one', () => {
  const lines = chain();
  const [first = ''] = lines;
  const { head: _, line } = appendToChain(
    CHAIN_START,
    { time: '2031-01-01T00:00:00.000Z', agent: 'demo' },
    refusal('x'),
  );
  assert.notEqual(line.trim(), first);
  const found = firstBreak(log([line.trim(), ...lines.slice(1)]), headOf(lines));
  assert.deepEqual([found?.line, found?.broken.kind, found?.broken.sequence], [2, 'previous', 2]);
});

test('the log of another agent does not hold, although its chain does', () => {
  const other = chain('other');
  const found = firstBreak(log(other), headOf(other));
  assert.deepEqual([found?.line, found?.broken.kind], [1, 'agent']);
});

test('bytes that mean the same as JSON do not hold', () => {
  const [first = '', second = ''] = chain();
  const head = headOf([first]);
  const same = [
    second.replace('"agent":"demo"', '"agent":"dem\\u006f"'),
    second.replace('"version":1,', '"version": 1,'),
    second.replace('"version":1,', '"version":1,"version":1,'),
    `${second} `,
    ` ${second}`,
    `${second}\r`,
    second.replace(/"hash":"([0-9a-f]+)"/, (_, hash: string) => `"hash":"${hash.toUpperCase()}"`),
  ];
  assert.equal(checkLine(Buffer.from(second), { agent: 'demo', head }).ok, true);
  for (const line of same) assert.equal(checkLine(Buffer.from(line), { agent: 'demo', head }).ok, false, line);
});
