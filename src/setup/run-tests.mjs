import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { run } from 'node:test';
import { inspect, parseArgs } from 'node:util';
import { CHECKOUT, inCheckout } from './checkout.mjs';
import { isCommand, runCommand } from './report.mjs';

const USAGE = 'Usage: node src/setup/run-tests.mjs [--concurrency N] [--timeout SECONDS] [--counts FILE] TEST-FILE…';

/** Reasons for a skip that do not fail the run, one to a line, `#` for comments. */
const ALLOWED_SKIPS = 'test/allowed-skips.txt';

/** Longest line that is printed of a failure, characters; compared values can be very large. */
const LINE_MAX = 400;

/** Events of the runner that are looked at. */
const RECORDED = ['test:pass', 'test:fail', 'test:stdout', 'test:stderr'];

/**
 * What a run came to.
 * @typedef {{ passed: number, failed: number, skipped: number, files: number }} Counts
 */

/**
 * One file's part of a run.
 * @typedef {{ file: string, output: string, passed: number, skipped: string[], problems: string[], durationMs: number }} FileResult
 */

/** Time beyond that of one test after which files that say nothing are ended, milliseconds. */
const SILENCE_MS = 5_000;

/** What a reason begins with that does not hold in continuous integration. */
const ELSEWHERE = 'elsewhere: ';

/**
 * @param {string} text of the file of allowed skips
 * @param {NodeJS.ProcessEnv} [env] with `CI` in it only those reasons are allowed that hold everywhere
 * @returns {Set<string>}
 */
export function parseAllowedSkips(text, env = process.env) {
  const lines = text.split('\n').map((line) => line.trim());
  const reasons = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const allowed = reasons.filter((line) => !env.CI || !line.startsWith(ELSEWHERE));
  return new Set(allowed.map((line) => (line.startsWith(ELSEWHERE) ? line.slice(ELSEWHERE.length) : line)));
}

/**
 * Takes one event of the runner into the result of its file. A test that was skipped or is still to be written is a
 * problem, unless the reason is an allowed one: it proves nothing. So is a file without a test.
 * @param {FileResult} result
 * @param {{ type: string, data: any }} event
 * @param {ReadonlySet<string>} allowedSkips
 * @returns {void}
 */
export function record(result, { type, data }, allowedSkips) {
  if (type === 'test:stdout' || type === 'test:stderr') result.output += data.message;
  if (type !== 'test:pass' && type !== 'test:fail') return;
  if (data.nesting === 0) result.durationMs += data.details.duration_ms;
  if (data.details.type === 'suite') return;
  if (type === 'test:fail') {
    const { error } = data.details;
    if (error.failureType !== 'subtestsFailed') result.problems.push(`${data.name}\n${describeFailure(error)}`);
  } else if (data.todo !== undefined) {
    result.problems.push(`${data.name}\nis marked as still to be written`);
  } else if (data.skip !== undefined) {
    result.skipped.push(String(data.skip));
    if (!allowedSkips.has(data.skip)) {
      result.problems.push(`${data.name}\nskipped for a reason that is not in ${ALLOWED_SKIPS}: ${data.skip}`);
    }
  } else if (data.name === data.file) {
    result.problems.push('the file holds no test');
  } else {
    result.passed += 1;
  }
}

/**
 * @param {Error & { cause?: unknown }} error the runner's wrapper
 * @returns {string}
 */
function describeFailure(error) {
  const cause = error.cause ?? error;
  if (!(cause instanceof Error)) return typeof cause === 'string' ? cause : inspect(cause, { depth: 4 });
  const lines = (cause.stack ?? String(cause)).split('\n').filter((line) => !/^ {4}at .*\(?node:/.test(line));
  const deeper = cause.cause === undefined ? [] : [`caused by: ${inspect(cause.cause)}`];
  return [...lines, ...deeper].map((line) => line.slice(0, LINE_MAX)).join('\n');
}

/**
 * @param {FileResult} result
 * @returns {string} the lines that tell of it
 */
export function renderResult({ file, output, passed, skipped, problems, durationMs }) {
  const name = relative(CHECKOUT, file)
    .replace(/^build\//, '')
    .replace(/\.js$/, '.ts');
  const skips = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  const head = `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${passed} passed${skips}, ${(durationMs / 1000).toFixed(1)} s)`;
  if (problems.length === 0) return `${head}\n`;
  const body = problems.flatMap((problem) => [`  - ${problem.split('\n').join('\n      ')}`]);
  const printed =
    output.trim() === ''
      ? []
      : [
          '  printed:',
          ...output
            .trimEnd()
            .split('\n')
            .map((line) => `      ${line}`),
        ];
  return `${[head, ...body, ...printed].join('\n')}\n`;
}

/**
 * @param {readonly string[]} reasons of all skips of a run
 * @returns {string} one line for each of them
 */
export function renderSkips(reasons) {
  const lines = [...new Set(reasons)].map((reason) => {
    const count = reasons.filter((other) => other === reason).length;
    return `${count} skipped: ${reason}\n`;
  });
  return lines.join('');
}

/**
 * Runs test files and prints one line for each, with every failure in full.
 * @param {readonly string[]} files absolute paths
 * @param {{ concurrency: number, timeoutMs: number }} options `timeoutMs`: for one file
 * @returns {Promise<Counts>}
 */
async function runFiles(files, { concurrency, timeoutMs }) {
  const skips = inCheckout(ALLOWED_SKIPS);
  const allowedSkips = parseAllowedSkips(existsSync(skips) ? readFileSync(skips, 'utf8') : '');
  const counts = { passed: 0, failed: 0, skipped: 0, files: 0 };
  /** @type {string[]} */
  const skipReasons = [];
  /** @type {Map<string, FileResult>} */
  const open = new Map();
  const seen = new Set();
  const finish = (file) => {
    const result = open.get(file);
    if (result === undefined) return;
    open.delete(file);
    process.stdout.write(renderResult(result));
    counts.passed += result.passed;
    counts.failed += result.problems.length;
    counts.skipped += result.skipped.length;
    skipReasons.push(...result.skipped);
  };
  let reporting = '';
  // The runner ends tests that take too long, and waits for ever for a file whose process stays after them.
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), timeoutMs + SILENCE_MS);
  for await (const event of run({ files: [...files], concurrency, timeout: timeoutMs, signal: silence.signal })) {
    timer.refresh();
    const file = event.data?.file;
    if (file === undefined || !RECORDED.includes(event.type)) continue;
    const result = open.get(file) ?? { file, output: '', passed: 0, skipped: [], problems: [], durationMs: 0 };
    open.set(file, result);
    record(result, event, allowedSkips);
    // Results come file by file, however many files run at once; what they print comes at any time.
    if (event.type === 'test:stdout' || event.type === 'test:stderr') continue;
    seen.add(file);
    if (file !== reporting) finish(reporting);
    reporting = file;
  }
  clearTimeout(timer);
  for (const file of [...open.keys()]) finish(file);
  if (silence.signal.aborted) {
    process.stdout.write(
      `FAIL nothing was reported for ${(timeoutMs + SILENCE_MS) / 1000} s: what still ran was ended\n`,
    );
    counts.failed += 1;
  }
  process.stdout.write(renderSkips(skipReasons));
  counts.files = seen.size;
  if (counts.files < files.length) {
    process.stdout.write(`FAIL ${files.length - counts.files} of ${files.length} files reported nothing\n`);
    counts.failed += 1;
  }
  return counts;
}

/** @returns {Promise<number>} the exit status */
async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      concurrency: { type: 'string', default: '1' },
      timeout: { type: 'string', default: '300' },
      counts: { type: 'string' },
    },
  });
  if (positionals.length === 0) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const files = positionals.map((file) => (file.startsWith(sep) ? file : inCheckout(file)));
  const options = { concurrency: Number(values.concurrency), timeoutMs: Number(values.timeout) * 1000 };
  const counts = await runFiles(files, options);
  if (values.counts !== undefined) writeFileSync(values.counts, JSON.stringify(counts));
  return counts.failed === 0 ? 0 : 1;
}

if (isCommand(import.meta.url)) await runCommand(main);
