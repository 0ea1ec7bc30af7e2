import assert from 'node:assert/strict';
import test from 'node:test';
import { SpawnError } from '../../src/base/errors.ts';
import { parseCommandLine } from '../../src/private-host/command-line.ts';

test('options end at the first word that is none', () => {
  assert.deepEqual(parseCommandLine(['--bare', 'ls', '--bare', '--', '-l'], '/'), {
    kind: 'command',
    argv: ['ls', '--bare', '--', '-l'],
    isBare: true,
    journalFile: null,
  });
});

test('two dashes end the options and are not part of the command', () => {
  assert.deepEqual(parseCommandLine(['--', '--bare', '--'], '/'), {
    kind: 'command',
    argv: ['--bare', '--'],
    isBare: false,
    journalFile: null,
  });
});

test('the journal file is relative to where the caller is', () => {
  for (const words of [
    ['--keep-journal', 'a/b', 'true'],
    ['--keep-journal=a/b', 'true'],
  ]) {
    assert.deepEqual(parseCommandLine(words, '/start'), {
      kind: 'command',
      argv: ['true'],
      isBare: false,
      journalFile: '/start/a/b',
    });
  }
});

test('help needs no command', () => {
  assert.deepEqual(parseCommandLine(['-h'], '/'), { kind: 'help' });
  assert.deepEqual(parseCommandLine(['--bare', '--help', 'x'], '/'), { kind: 'help' });
});

for (const words of [
  [],
  ['--bare'],
  ['--'],
  ['--keep-journal'],
  ['--keep-journal=', 'x'],
  ['--bare=1', 'x'],
  ['-x', 'y'],
]) {
  test(`refused: ${JSON.stringify(words)}`, () => {
    assert.throws(
      () => parseCommandLine(words, '/'),
      (error) => error instanceof SpawnError && error.code === 'cli.usage',
    );
  });
}
