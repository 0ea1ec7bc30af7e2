import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { inCheckout } from '../../../src/setup/checkout.mjs';

const CHILD_MODULE = pathToFileURL(inCheckout('src/setup/child.mjs')).href;

/** A program that runs a command in its place and ends with its status. */
function runner(...argv) {
  const source = `import { runInPlace } from '${CHILD_MODULE}';
    process.exit(await runInPlace(${JSON.stringify(argv)}, { cwd: '/' }));`;
  return ['--input-type=module', '--eval', source];
}

/**
 * Starts the runner around a command that says when it is ready and which signal it got.
 * @param {readonly string[]} [launcher] what starts the runner in its turn
 * @param {NodeJS.ProcessEnv} [env]
 */
async function startTalker(t, launcher = [], env = {}) {
  const script = 'trap "echo got TERM; exit 7" TERM; echo ready; while :; do sleep 1 & wait $!; done';
  const [command, ...args] = [...launcher, process.execPath, ...runner('sh', '-c', script)];
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => {
    printed += chunk;
  });
  while (!printed.includes('ready')) await once(child.stdout, 'data');
  const closed = once(child.stdout, 'close');
  return {
    child,
    /** All it printed, once nobody holds its output any more. */
    async output() {
      await closed;
      return printed;
    },
  };
}

test('the exit status and the standard streams are the command’s', () => {
  const ended = spawnSync(process.execPath, runner('sh', '-c', 'cat; echo oops >&2; exit 3'), {
    input: 'in',
    encoding: 'utf8',
  });
  assert.deepEqual(
    { ...ended, pid: 0, output: 0 },
    { status: 3, signal: null, stdout: 'in', stderr: 'oops\n', pid: 0, output: 0 },
  );
});

test('a command ended by a signal gives 128 and its number', () => {
  assert.equal(spawnSync(process.execPath, runner('sh', '-c', 'kill -KILL $$')).status, 137);
});

test('SIGTERM reaches the command, whose own status counts', async (t) => {
  const { child, output } = await startTalker(t);
  child.kill('SIGTERM');
  const [status] = await once(child, 'exit');
  assert.deepEqual({ status, printed: await output() }, { status: 7, printed: 'ready\ngot TERM\n' });
});

test('a command is told when its runner is killed', async (t) => {
  const { child, output } = await startTalker(t);
  child.kill('SIGKILL');
  assert.equal(await output(), 'ready\ngot TERM\n');
});

test('a command is told when the npm that started it is killed', async (t) => {
  const npm = ['sh', '-c', '"$@"; :', 'npm'];
  const { child, output } = await startTalker(t, npm, { npm_lifecycle_event: 'host' });
  child.kill('SIGKILL');
  assert.equal(await output(), 'ready\ngot TERM\n');
});
