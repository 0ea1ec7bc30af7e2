import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CHECKOUT } from '../../helpers/checkout.ts';

const PRINT = `import { standardInput } from ${JSON.stringify(join(CHECKOUT, 'build/src/cli/standard-input.js'))};
console.log(standardInput() === null ? 'null' : standardInput() === process.stdin);`;

test('/dev/null is an input that has ended; a pipe and a file are read', (context) => {
  const file = openSync(join(CHECKOUT, 'package.json'), 'r');
  context.after(() => closeSync(file));
  const kinds = (['ignore', 'pipe', file] as const).map((stdin) => {
    const argv = ['--input-type=module', '--eval', PRINT];
    return spawnSync(process.execPath, argv, { stdio: [stdin, 'pipe', 'inherit'], encoding: 'utf8' }).stdout.trim();
  });
  assert.deepEqual(kinds, ['null', 'true', 'true']);
});
