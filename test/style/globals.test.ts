import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeGlobals } from './globals.ts';
import { roomOf } from './imports.ts';
import { parseRooms } from './rooms-table.ts';
import { listSources, parseSource, readProjectFile } from './source-file.ts';

const rooms = parseRooms(readProjectFile('src/ROOMS'));

test('console, process, clocks and chance are used only by the files that own them', () => {
  const problems = listSources('src').flatMap((file) => {
    const room = rooms.get(roomOf(file.path) ?? '');
    // Hashes are functions of their input.
    return judgeGlobals(file, room?.builtins.every((name) => name === 'crypto') === true);
  });
  assert.deepEqual(problems, []);
});

test('a use outside the owner is found, a mere name is not', () => {
  const text = [
    'const a = Date.now();',
    'const b = process.env.HOME;',
    "import { spawn } from 'node:child_process';",
    'console.log(a, b);',
    'interface Clock { readonly console: string }',
    'const c = { process: 1 };',
    'c.process;',
  ].join('\n');
  assert.deepEqual(judgeGlobals(parseSource('src/api/sample.ts', text), false), [
    'src/api/sample.ts:1: Date.now belongs to ^src\\/host\\/clock\\.ts$',
    'src/api/sample.ts:2: process.env belongs to ^src\\/(config\\/environment\\.ts|main\\/|private-host\\/|setup\\/)',
    'src/api/sample.ts:3: node:child_process belongs to ^src\\/(cli\\/journalctl\\.ts|host\\/spawn\\.ts|private-host\\/|setup\\/)',
    'src/api/sample.ts:4: console belongs to ^src\\/main\\/',
  ]);
});

test('a pure room has no process and no timers', () => {
  assert.deepEqual(judgeGlobals(parseSource('src/plan/sample.ts', 'setTimeout(process.cwd);'), true), [
    'src/plan/sample.ts:1: setTimeout has no place in a pure room',
    'src/plan/sample.ts:1: process has no place in a pure room',
  ]);
});
