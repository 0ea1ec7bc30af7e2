import assert from 'node:assert/strict';
import { basename } from 'node:path/posix';
import test from 'node:test';
import { findCircles, judgeImports, roomOf } from './imports.ts';
import { parseRooms } from './rooms-table.ts';
import { listSources, parseSource, readProjectFile } from './source-file.ts';

const rooms = parseRooms(readProjectFile('src/ROOMS'));
const sources = listSources('src');

test('every import of src/ is allowed by src/ROOMS', () => {
  assert.deepEqual(
    sources.flatMap((file) => judgeImports(file, rooms)),
    [],
  );
});

test('no files of src/ import values from each other in a circle', () => {
  assert.deepEqual(findCircles(sources), []);
});

test('no room has an index file', () => {
  assert.deepEqual(
    sources.map((file) => file.path).filter((path) => basename(path).startsWith('index.')),
    [],
  );
});

test('every room of the table exists and has files', () => {
  const present = new Set(sources.map((file) => roomOf(file.path)));
  assert.deepEqual(
    [...rooms.keys()].filter((name) => !present.has(name)),
    [],
  );
});

test('an import that the table does not allow is found', () => {
  const file = parseSource(
    'src/plan/sample.ts',
    [
      "import { readFileSync } from 'node:fs';",
      "import { open } from '../host/files.ts';",
      "import execa from 'execa';",
      "import { main } from '../main/agentctl.ts';",
      "export { fail } from '../base/errors.ts';",
      "import schema from '../../schema/agent-card.schema.json' with { type: 'json' };",
      "const late = import('node:net');",
    ].join('\n'),
  );
  assert.deepEqual(judgeImports(file, rooms), [
    'src/plan/sample.ts:1: plan may not use node:fs',
    'src/plan/sample.ts:2: plan may not import host',
    'src/plan/sample.ts:3: plan may not use execa',
    'src/plan/sample.ts:4: nobody imports main',
    'src/plan/sample.ts:7: plan may not use node:net',
  ]);
});

test('a value from a room of which only types may be used is found', () => {
  const text = "import type { Host } from '../host/host.ts';\nimport { type Host as H } from '../host/host.ts';";
  assert.deepEqual(judgeImports(parseSource('src/sandbox/sample.ts', text), rooms), [
    'src/sandbox/sample.ts:2: sandbox may import only types of host: write "import type"',
  ]);
});

test('a circle of files is found, one of types is not', () => {
  const circle = [
    parseSource('src/base/a.ts', "import { b } from './b.ts';"),
    parseSource('src/base/b.ts', "import { c } from './c.ts'; import type { d } from './d.ts';"),
    parseSource('src/base/c.ts', "import { a } from './a.ts';"),
    parseSource('src/base/d.ts', "import { b } from './b.ts';"),
  ];
  assert.deepEqual(findCircles(circle), [['src/base/a.ts', 'src/base/b.ts', 'src/base/c.ts', 'src/base/a.ts']]);
});

test('a table with a line that nobody can read is refused', () => {
  assert.throws(() => parseRooms('base | rooms: -'), /cannot read the line/);
});
