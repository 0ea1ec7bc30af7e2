import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { inCheckout } from '../../../src/setup/checkout.mjs';
import { parseAllowedSkips, record, renderSkips } from '../../../src/setup/run-tests.mjs';

/** @param {string} source of a test file */
function runFile(t, source, options = []) {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-runner-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'sample.test.mjs');
  writeFileSync(file, `import test from 'node:test'; import assert from 'node:assert';\n${source}`);
  const counts = join(directory, 'counts.json');
  // A runner inside a runner would report to the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const runner = [inCheckout('src/setup/run-tests.mjs'), '--counts', counts, ...options, file];
  const { status, stdout } = spawnSync(process.execPath, runner, { encoding: 'utf8', env });
  return { status, stdout, counts: JSON.parse(readFileSync(counts, 'utf8')) };
}

test('a file whose tests pass passes', (t) => {
  const { status, counts } = runFile(t, "test('a', () => {}); test('b', () => {});");
  assert.deepEqual({ status, counts }, { status: 0, counts: { passed: 2, failed: 0, skipped: 0, files: 1 } });
});

test('a failing test fails the run and is shown', (t) => {
  const { status, stdout, counts } = runFile(t, "test('adds', () => assert.equal(1 + 1, 3));");
  assert.deepEqual({ status, failed: counts.failed }, { status: 1, failed: 1 });
  assert.match(stdout, /adds\n.*AssertionError/);
});

test('a file that throws, hangs on nothing or holds no test fails the run', (t) => {
  assert.equal(runFile(t, "throw new Error('no');").status, 1);
  assert.equal(runFile(t, "test('never', () => new Promise(() => {}));", ['--timeout', '2']).status, 1);
  assert.equal(runFile(t, '').status, 1);
});

test('a file that stays after its tests is ended, and fails the run', (t) => {
  const { status, stdout } = runFile(t, "test('a', () => {}); setInterval(() => {}, 1000);", ['--timeout', '1']);
  assert.equal(status, 1);
  assert.match(stdout, /timed out|AbortError/);
});

test('a skip without an allowed reason and a test still to be written fail the run', (t) => {
  assert.equal(runFile(t, "test('a', (t) => t.skip('no reason'));").status, 1);
  assert.equal(runFile(t, "test('a', { skip: true }, () => {});").status, 1);
  assert.equal(runFile(t, "test.todo('a');").status, 1);
});

test('a reason that holds elsewhere does not hold in continuous integration', () => {
  const text = '# rare\nelsewhere: no tape\nno drive\n';
  assert.deepEqual([...parseAllowedSkips(text, {})], ['no tape', 'no drive']);
  assert.deepEqual([...parseAllowedSkips(text, { CI: 'true' })], ['no drive']);
});

test('each reason of skips is told once', () => {
  assert.equal(renderSkips(['no tape', 'no drive', 'no tape']), '2 skipped: no tape\n1 skipped: no drive\n');
  assert.equal(renderSkips([]), '');
});

test('a skip with an allowed reason is counted and passes', () => {
  const result = { file: 'f', output: '', passed: 0, skipped: [], problems: [], durationMs: 0 };
  const data = { name: 'a', file: 'f', nesting: 0, details: { duration_ms: 1 }, skip: 'needs a tape drive' };
  record(result, { type: 'test:pass', data }, parseAllowedSkips('# rare\nneeds a tape drive\n'));
  assert.deepEqual(result, { ...result, passed: 0, skipped: ['needs a tape drive'], problems: [] });
});
