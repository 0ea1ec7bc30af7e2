import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { escapeLines, escapeText, neutraliseOutput } from '../../../src/cli/escape.ts';
import { bwrapText } from '../../../src/cli/plan-text.ts';
import { bytesText, durationText } from '../../../src/cli/quantity.ts';
import { shellLine, shellQuote } from '../../../src/cli/shell-quote.ts';
import { summaryLine } from '../../../src/cli/summary.ts';
import { cellWidth, cutToWidth, renderTable } from '../../../src/cli/table.ts';
import { endedView } from '../api/views.ts';

test('everything unseen is made visible, everything seen stays', () => {
  assert.equal(
    escapeText('a\u001b[2J\u0007\n\t\u0085\u202e\u200b\ufeff\u2028'),
    'a\\x1b[2J\\x07\\n\\t\\x85\\u{202e}\\u{200b}\\u{feff}\\u{2028}',
  );
  assert.equal(escapeText('Grüße, 世界 \\n "x"'), 'Grüße, 世界 \\n "x"');
  assert.equal(escapeLines('a\n\tb\r\u001b'), 'a\n\tb\\r\\x1b');
});

const HOSTILE: readonly (readonly [name: string, given: string, shown: string])[] = [
  ['a write to the clipboard', '\u001b]52;c;ZXZpbA==\u0007', '\\x1b]52;c;ZXZpbA==\\x07'],
  ['a title report', '\u001b[21t', '\\x1b[21t'],
  ['a new title', '\u001b]0;root#\u001b\\', '\\x1b]0;root#\\x1b\\'],
  ['a status request', '\u001bP$qm\u001b\\', '\\x1bP$qm\\x1b\\'],
  ['a cleared screen', '\u001b[2J\u001b[H', '\\x1b[2J\\x1b[H'],
  ['an 8-bit sequence', '\u009b2J', '\\x9b2J'],
  ['a line written over', 'rm -rf /\rls', 'rm -rf /\\rls'],
  ['a character taken back', 'a\bb', 'a\\x08b'],
  ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
  ['a colour without end', `\u001b[${'1;'.repeat(40)}m`, `\\x1b[${'1;'.repeat(40)}m`],
  ['lines and tabs', 'a\tb\r\nc\n', 'a\tb\nc\n'],
];

for (const [name, given, shown] of HOSTILE) {
  test(`output of an agent with ${name} does nothing to a terminal`, () => {
    assert.equal(neutraliseOutput(given), shown);
  });
}

test('a shell reads quoted words back as they were', () => {
  const words = [
    'plain',
    '',
    "it's",
    '$HOME `x` "y"',
    'a\nb\tc',
    '\u001b[31m\u0007',
    '\\',
    "\\'\u0001",
    '*',
    '~',
    '-n',
    'ü',
    '\u202e',
    '\u0085',
  ];
  const read = spawnSync('bash', ['--norc', '-c', `printf '%s\\0' ${shellLine(words)}`], {
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8' },
  });
  assert.deepEqual(read.stdout.split('\0').slice(0, -1), words);
  assert.ok(words.every((word) => !/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]/.test(shellQuote(word))));
});

test('a line of bubblewrap has one option to a line, whatever its values look like', () => {
  const argv = [
    'bwrap',
    '--unshare-all',
    '--setenv',
    'A',
    '--bind',
    '--bind',
    '--a',
    '/b',
    '--chdir',
    '/',
    '--',
    'sh',
    '--bind',
  ];
  assert.equal(
    bwrapText(argv),
    'bwrap \\\n  --unshare-all \\\n  --setenv A --bind \\\n  --bind --a /b \\\n  --chdir / \\\n  -- sh --bind',
  );
});

test('sizes and times read well', () => {
  const MIB = 1024 * 1024;
  assert.deepEqual([0, 1, 1024, MIB - 1, MIB, 41.4 * MIB, 1024 * MIB, 1536 * MIB].map(bytesText), [
    ...['0 KiB', '1 KiB', '1 KiB', '1024 KiB', '1 MiB', '41 MiB', '1 GiB', '1.5 GiB'],
  ]);
  assert.deepEqual([-1, 0, 3.24, 9.99, 10, 59.4, 60, 125, 3600, 7500, 86_400, 100_000].map(durationText), [
    ...[
      '0.0 s',
      '0.0 s',
      '3.2 s',
      '10.0 s',
      '10 s',
      '59 s',
      '1 min',
      '2 min 5 s',
      '1 h',
      '2 h 5 min',
      '1 d',
      '1 d 3 h',
    ],
  ]);
});

test('columns are aligned by the cells that characters take', () => {
  assert.equal(
    renderTable(
      ['A', 'B'],
      [
        ['世界', 'x'],
        ['e\u0301', 'y'],
      ],
      null,
    ),
    'A     B\n世界  x\ne\u0301     y\n',
  );
  assert.deepEqual([cellWidth('世界'), cellWidth('e\u0301'), cellWidth('abc')], [4, 1, 3]);
  assert.equal(cutToWidth('世界世界', 5), '世界…');
  assert.equal(cutToWidth('abc', 3), 'abc');
});

test('the last column is cut to the terminal, but never to nothing', () => {
  const row = ['x'.repeat(30), 'y'.repeat(40)];
  assert.equal(renderTable(['A', 'B'], [row], 50).split('\n')[1], `${'x'.repeat(30)}  ${'y'.repeat(17)}…`);
  assert.equal(renderTable(['A', 'B'], [row], 20).split('\n')[1], `${'x'.repeat(30)}  ${'y'.repeat(9)}…`);
});

test('the summary tells outcome, duration, use and refusals', () => {
  const { usage } = endedView('demo', null);
  const outcome = { kind: 'exited', status: 0, signal: null, message: 'x' } as const;
  const agent = endedView('demo', outcome, { restarts: 1, usage: { ...usage, forksRefused: 3 } });
  assert.equal(
    summaryLine(agent),
    'agent demo: exited 0 after 3.2 s · peak memory 41 MiB of 256 MiB · CPU 0.8 s · 3 forks refused · 1 restarts',
  );
  const unknown = { ...usage, memoryPeakBytes: null, cpuSeconds: null, forksRefused: null };
  assert.equal(
    summaryLine(endedView('demo', { ...outcome, kind: 'oom' }, { usage: unknown })),
    'agent demo: out of memory after 3.2 s',
  );
});
