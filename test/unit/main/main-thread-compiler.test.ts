import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../helpers/checkout.ts';

const MODULE = pathToFileURL(join(CHECKOUT, 'build/src/main/main-thread-compiler.js')).href;

test('a command gives V8 nothing to compile in other threads, as it would otherwise', async () => {
  assert.match(await traceOf(''), /compiling method .*<JSFunction hot/);
  const told = await traceOf(`import { compileInMainThread } from '${MODULE}'; await compileInMainThread();`);
  assert.doesNotMatch(told, /compiling method/);
});

/** What V8 tells of its optimising compilers while a program does something often. */
async function traceOf(beginning: string): Promise<string> {
  const program = `${beginning}
    import { setFlagsFromString } from 'node:v8';
    setFlagsFromString('--trace-opt');
    function hot(count) { let sum = 0; for (let i = 0; i < count; i += 1) sum += i % 7; return sum; }
    for (let round = 0; round < 20000; round += 1) hot(1000);`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  assert.equal(stderr, '');
  return stdout;
}
