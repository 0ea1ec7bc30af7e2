import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOURNAL_COPY_BYTES_MAX, JOURNAL_COPY_LINES_MAX, JOURNAL_LINE_BYTES_MAX } from '../../../src/base/limits.ts';
import { OutputCopier } from '../../../src/control/output-copier.ts';
import type { JournalEntry } from '../../../src/host/host.ts';
import type { Agent } from '../../../src/sandbox/agent.ts';
import { launchOf, openEngine } from '../../fault/engine.ts';
import { FakeHost } from '../../helpers/fake-host.ts';

/** A copier for a running agent, and everything it appends. */
async function open(): Promise<{
  copy: (piece: string, stream?: 'stdout' | 'stderr') => Promise<void>;
  lines: () => readonly string[];
}> {
  const entries: JournalEntry[] = [];
  const copier = new OutputCopier({ append: async (entry) => void entries.push(entry) });
  const agent: Agent = await (await openEngine(new FakeHost())).launch(launchOf('a'));
  return {
    copy: (piece, stream = 'stdout') => copier.copy(agent, Buffer.from(piece), stream),
    lines: () => entries.flatMap((entry) => entry.lines),
  };
}

test('lines that come in pieces are put together, each stream for itself', async () => {
  const { copy, lines } = await open();
  await copy('one\ntw');
  await copy('error\n', 'stderr');
  await copy('o\n\nrest');
  await copy('');
  assert.deepEqual(lines(), ['one', 'error', 'two', '', 'rest']);
});

test('a line longer than the journal takes is cut, and nothing of it is lost', async () => {
  const { copy, lines } = await open();
  await copy(`${'x'.repeat(2 * JOURNAL_LINE_BYTES_MAX + 5)}\n`);
  assert.deepEqual(
    lines().map((line) => line.length),
    [JOURNAL_LINE_BYTES_MAX, JOURNAL_LINE_BYTES_MAX, 5],
  );
});

test('an agent that prints many short lines fills its share, which is said once', async () => {
  const { copy, lines } = await open();
  for (let piece = 0; piece < 4; piece += 1) await copy('y\n'.repeat(JOURNAL_COPY_LINES_MAX / 2));
  assert.equal(lines().length, JOURNAL_COPY_LINES_MAX + 1);
  assert.match(lines().at(-1) ?? '', /^Of the agent's output, only the first/);
});

test('an agent that prints many bytes fills its share, too', async () => {
  const { copy, lines } = await open();
  const line = `${'z'.repeat(32 * 1024 - 1)}\n`;
  for (let count = 0; count <= JOURNAL_COPY_BYTES_MAX / line.length + 5; count += 1) await copy(line);
  assert.equal(lines().length, JOURNAL_COPY_BYTES_MAX / line.length + 1);
});
