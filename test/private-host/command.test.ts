import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import test from 'node:test';
import { finishProgram, PROGRAM, runProgram, startProgram } from './program.ts';

/** Ctrl-C; the terminal's line discipline makes a signal of it. */
const INTERRUPT_KEY = '\x03';
const TERMINAL_COMMAND = 'OUTER=$(tty) exec "$NODE" "$PROGRAM" --bare sh -c "$SCRIPT"';

/**
 * Prints how many interrupts came within a second. It is running all that time: a process that sleeps would take two
 * signals in quick succession for one.
 */
const COUNT_INTERRUPTS = `
let count = 0;
process.on("SIGINT", () => { count += 1; });
console.log("ready");
const end = performance.now() + 1000;
while (performance.now() < end);
setTimeout(() => { console.log("interrupts: " + count); process.exit(0); }, 100);`;

const MEBIBYTE = 1024 * 1024;

test('the exit status is that of the command', async () => {
  assert.equal((await runProgram(['--bare', 'true'])).status, 0);
  assert.equal((await runProgram(['--bare', '--', 'sh', '-c', 'exit 37'])).status, 37);
  assert.equal((await runProgram(['--bare', 'sh', '-c', 'kill -SEGV $$'])).status, 128 + 11);
  assert.equal((await runProgram(['--bare', '/no/such/command'])).status, 127);
});

test('a command line that cannot be understood ends with 125 and says what to do', async () => {
  const unknown = await runProgram(['--no-such-option', 'true']);
  assert.equal(unknown.status, 125);
  assert.match(unknown.stderr, /unknown option --no-such-option; .*--help/);
  assert.equal((await runProgram(['--bare'])).status, 125);
});

test('--help goes to standard output and boots nothing', async () => {
  const { status, stdout, stderr } = await runProgram(['--help']);
  assert.equal(status, 0);
  assert.match(stdout.toString(), /^Usage: npm run -s host/);
  assert.equal(stderr, '');
});

test('standard output is the command alone, standard error has one line more', async () => {
  const { stdout, stderr } = await runProgram(['--bare', 'sh', '-c', 'echo out; echo err >&2']);
  assert.equal(stdout.toString(), 'out\n');
  assert.match(stderr, /^private host: .*cgroups.*\nerr\n$/);
});

test('64 MiB of arbitrary bytes pass through unchanged', async () => {
  const bytes = randomBytes(64 * MEBIBYTE);
  const { status, stdout } = await runProgram(['--bare', 'cat'], { input: bytes });
  assert.equal(status, 0);
  assert.equal(digest(stdout), digest(bytes));
});

test('the command runs in the current directory with the caller environment and nothing else', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'private host '));
  try {
    const env = { PATH: '/usr/bin:/bin', PLAIN: 'a b\nc', 'odd-name.%%': '() { x; }', EMPTY: '', PWD: '/elsewhere' };
    const printed = await runProgram(['--bare', 'env', '--null'], { cwd, env });
    assert.deepEqual(printed.stdout.toString().split('\0').filter(Boolean).sort(), toLines(env));
    const caller = { ...env, INVOCATION_ID: '0123456789abcdef' };
    const second = await runProgram(['--bare', 'env', '--null'], { cwd, env: caller });
    assert.deepEqual(second.stdout.toString().split('\0').filter(Boolean).sort(), toLines(caller));
    await runProgram(['--bare', 'sh', '-c', 'pwd -P >here'], { cwd });
    assert.equal(readFileSync(join(cwd, 'here'), 'utf8'), `${cwd}\n`);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

test('arguments reach the command as they are', async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would expand is the point.
  const words = ['', ' ', '$HOME', '%n', '${X}', 'a=b', '--', '*', "'", '"', '\\', '\n', 'é'];
  const { stdout } = await runProgram(['--bare', 'printf', '%s\\0', ...words]);
  assert.deepEqual(stdout.toString().split('\0').slice(0, -1), words);
});

test('a command whose name holds an equals sign runs', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'private-host-'));
  try {
    const script = 'printf "#!/bin/sh\\nexit 9\\n" >a=b && chmod +x a=b';
    assert.equal(spawnSync('sh', ['-c', script], { cwd }).status, 0);
    assert.equal((await runProgram(['--bare', './a=b'], { cwd })).status, 9);
  } finally {
    rmSync(cwd, { recursive: true });
  }
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} goes to the command, which may live on`, async () => {
    const name = signal.slice(3);
    const script = `trap 'echo got ${name}; exit 5' ${name}; echo ready; while :; do sleep 0.1; done`;
    const child = startProgram(['--bare', 'sh', '-c', script]);
    await once(child.stdout as Readable, 'data');
    child.kill(signal);
    const { status, stdout } = await finishProgram(child);
    assert.equal(stdout.toString(), `got ${name}\n`);
    assert.equal(status, 5);
  });
}

test('a command that dies of a forwarded signal gives 128 + n', async () => {
  const child = startProgram(['--bare', 'sh', '-c', 'echo ready; exec sleep 60']);
  await once(child.stdout as Readable, 'data');
  child.kill('SIGTERM');
  assert.equal((await finishProgram(child)).status, 128 + 15);
});

test('a signal during the boot ends it with 128 + n', async () => {
  const child = startProgram(['--bare', 'true']);
  // The first line tells that the boot has begun.
  await once(child.stderr as Readable, 'data');
  child.kill('SIGTERM');
  assert.equal((await finishProgram(child)).status, 128 + 15);
});

test('a terminal stays the terminal it was, and its interrupt key reaches the command once', async () => {
  const script = [
    'test -t 0 && test -t 1 && test "$(tty)" = "$OUTER" || exit 1',
    `exec "$NODE" -e '${COUNT_INTERRUPTS}'`,
  ].join('\n');
  const child = spawn('script', ['--quiet', '--return', '--command', TERMINAL_COMMAND, '/dev/null'], {
    env: { ...process.env, NODE: process.execPath, PROGRAM, SCRIPT: script },
    stdio: 'pipe',
  });
  await waitForText(child.stdout, 'ready');
  child.stdin.write(INTERRUPT_KEY);
  const { status, stdout } = await finishProgram(child);
  assert.match(stdout.toString(), /interrupts: 1\r?\n/);
  assert.equal(status, 0);
});

async function waitForText(stream: Readable, text: string): Promise<void> {
  let seen = '';
  while (!seen.includes(text)) {
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    seen += chunk.toString();
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function toLines(env: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
}
