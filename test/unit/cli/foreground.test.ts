import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { JOURNAL_COPY_BYTES_MAX } from '../../../src/base/limits.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { assertFollows } from '../api/description.ts';
import { type FakeDaemon, startFakeDaemon } from '../api/fake-daemon.ts';
import { closedGate } from '../api/gate.ts';
import { cardFile } from './card-file.ts';
import { type Finished, type ProgramOptions, type Running, runProgram, startProgram } from './program.ts';

const MIB = 1024 * 1024;
/** Most that a socket has ready at once: less than its high-water mark, and one more read (both 64 KiB in Node 22). */
const PIECE_BYTES_MAX = 128 * 1024;

test('output, errors and status of the agent are those of the command', async (t) => {
  const { run, left } = await setUp(t);
  const script = 'echo out; printf "%s\\n" "$@"; echo err >&2; printf end; exit 7';
  const ended = await run({ agent_id: 'demo', script }, ['--', '--detach', '', 'a b']);
  assert.deepEqual(ended, { status: 7, stdout: 'out\n--detach\n\na b\nend', stderr: 'err\n' });
  assert.deepEqual(left(), []);
});

const OUTCOMES: readonly (readonly [status: number, card: object])[] = [
  [0, { script: 'exit 0' }],
  [1, { script: 'exit 1' }],
  [124, { script: 'exit 124' }],
  [255, { script: 'exit 255' }],
  [137, { script: 'kill -KILL $$' }],
  [139, { script: 'kill -SEGV $$' }],
  [143, { script: 'kill -TERM $$' }],
  [124, { script: 'true', outcome: { kind: 'ttl', status: null, signal: null, message: 'x' } }],
  [137, { script: 'true', outcome: { kind: 'oom', status: null, signal: null, message: 'x' } }],
  [143, { script: 'true', outcome: { kind: 'stopped', status: null, signal: null, message: 'x' } }],
  [125, { script: 'true', outcome: { kind: 'lost', status: null, signal: null, message: 'x' } }],
  [125, { script: 'true', outcome: { kind: 'start-failed', status: null, signal: null, message: 'x' } }],
  [125, { error: ['sandbox.exists', 'An agent "demo" runs.'] }],
  [125, { error: ['host.bubblewrap-missing', 'No bubblewrap.'] }],
];

for (const [status, card] of OUTCOMES) {
  test(`the exit status is ${status} for ${JSON.stringify(card)}`, async (t) => {
    const { run, left } = await setUp(t);
    assert.equal((await run({ agent_id: 'demo', ...card })).status, status);
    assert.deepEqual(left(), []);
  });
}

test('64 MiB go through both ways without a lost or changed byte', async (t) => {
  const { start } = await setUp(t);
  const input = Buffer.allocUnsafe(64 * MIB);
  for (let at = 0; at < input.length; at += 4) input.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);
  const running = start({ agent_id: 'demo', script: 'cat; md5sum /dev/null >&2' }, [], { input });
  const hash = createHash('sha256');
  let length = 0;
  running.child.stdout?.on('data', (piece: Buffer) => {
    hash.update(piece);
    length += piece.length;
  });
  assert.equal((await running.finished).status, 0);
  assert.equal(length, input.length);
  assert.equal(hash.digest('hex'), createHash('sha256').update(input).digest('hex'));
});

test('a reader that stands still makes the agent stand still, and nothing is lost when it goes on', async (t) => {
  const { daemon, start } = await setUp(t);
  const running = start({ agent_id: 'demo', script: 'head -c 8M /dev/zero; echo done >&2' });
  const { stdout } = running.child;
  assert.ok(stdout !== null);
  stdout.pause();
  const agent = await agentOf(daemon, 'demo');
  // The sockets and pipes on the way hold well below 8 MiB: the agent can only be waiting.
  await untilBlocked(agent.child?.pid ?? 0);
  assert.ok(!running.stderr().includes('done'));
  assert.equal(agent.view.state, 'running');
  stdout.resume();
  const { status, stdout: text } = await running.finished;
  assert.deepEqual([status, text.length, running.stderr()], [0, 8 * MIB, 'done\n']);
});

test("the end of our input is the end of the agent's", async (t) => {
  const { run } = await setUp(t);
  const ended = await run({ agent_id: 'demo', script: 'wc -c; echo over' }, [], { input: 'x'.repeat(100_000) });
  assert.deepEqual(ended, { status: 0, stdout: '100000\nover\n', stderr: '' });
});

test('an agent that does not read its input ends all the same', async (t) => {
  const { run } = await setUp(t);
  const input = Buffer.alloc(8 * MIB);
  assert.equal((await run({ agent_id: 'demo', script: 'exec <&-; exit 3' }, [], { input })).status, 3);
});

test('a card on standard input leaves the agent an empty one', async (t) => {
  const { daemon } = await setUp(t);
  const input = JSON.stringify({ agent_id: 'demo', script: 'wc -c' });
  const ended = await runProgram({ program: 'agent-spawn', words: ['-'], socketPath: daemon.socketPath, input });
  assert.deepEqual(ended, { status: 0, stdout: '0\n', stderr: '' });
});

test('an output that nobody reads any more stops the agent', async (t) => {
  const { daemon, start, left } = await setUp(t);
  // Ignores SIGPIPE, so that only a stop can end it.
  const script = "trap '' PIPE; while :; do echo line 2>&-; sleep 0.01; done";
  const running = start({ agent_id: 'demo', script });
  await once(running.child.stdout ?? process.stdin, 'data');
  running.child.stdout?.destroy();
  assert.equal((await running.finished).status, 141);
  assert.deepEqual(daemon.operations.calls.slice(1), ['stop demo']);
  assert.deepEqual(left(), []);
});

test("an output that cannot be written is our failure, not the agent's", async (t) => {
  const { daemon } = await setUp(t);
  const card = cardFile(t, { agent_id: 'demo', script: 'while :; do echo line; sleep 0.01; done' });
  const full = openSync('/dev/full', 'w');
  const words = [join(CHECKOUT, 'build/src/main/agent-spawn.js'), '--socket', daemon.socketPath, card];
  const child = spawn(process.execPath, words, { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  let stderr = '';
  child.stderr?.on('data', (piece: Buffer) => (stderr += piece.toString()));
  assert.deepEqual(await once(child, 'close'), [125, null]);
  assert.match(stderr, /^agent-spawn: cannot write to standard output: ENOSPC\n/);
  assert.deepEqual(daemon.operations.calls.slice(1), ['stop demo']);
});

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} stops the agent and waits for its end`, async (t) => {
    const { daemon, start, left } = await setUp(t);
    const script = "trap 'echo bye; exit 0' TERM; echo up; sleep 1000 & wait";
    const running = start({ agent_id: 'demo', script });
    await once(running.child.stdout ?? process.stdin, 'data');
    running.child.kill(signal);
    assert.deepEqual(await running.finished, { status, stdout: 'up\nbye\n', stderr: '' });
    assert.deepEqual(daemon.operations.calls.slice(1), ['stop demo']);
    assert.deepEqual(left(), []);
  });
}

test('a second signal does not wait for an agent that will not end', async (t) => {
  const { daemon, start, left } = await setUp(t);
  const script = "trap 'echo no' TERM; echo up; while :; do sleep 0.01; done";
  const running = start({ agent_id: 'demo', script });
  await once(running.child.stdout ?? process.stdin, 'data');
  running.child.kill('SIGINT');
  await daemon.operations.whenCalled(2);
  running.child.kill('SIGINT');
  assert.equal((await running.finished).status, 'SIGINT');
  assert.deepEqual(left(), []);
  daemon.operations.dispose();
});

test('a second signal ends a command whose reader stands still', async (t) => {
  const { daemon, start } = await setUp(t);
  const running = start({ agent_id: 'demo', script: 'echo up; exec cat /dev/zero' });
  const { stdout } = running.child;
  await once(stdout ?? process.stdin, 'data');
  stdout?.pause();
  const agent = await agentOf(daemon, 'demo');
  await untilBlocked(agent.child?.pid ?? 0);
  running.child.kill('SIGTERM');
  await agent.ended;
  running.child.kill('SIGTERM');
  const [, signal] = (await once(running.child, 'exit')) as [number | null, string | null];
  assert.equal(signal, 'SIGTERM');
  stdout?.destroy();
});

test('a signal during the start stops the agent as soon as it runs', async (t) => {
  const { daemon, start } = await setUp(t);
  const gate = closedGate();
  daemon.operations.launchGate = gate.opened;
  const running = start({ agent_id: 'demo', script: 'sleep 1000' });
  await daemon.operations.whenCalled(1);
  const interrupted = once(running.child, 'close');
  running.child.kill('SIGINT');
  // The command answers signals in order, so that it has taken the first when it asks for the second.
  gate.open();
  assert.equal((await interrupted)[0], 130);
});

test('the output is copied to the journal, and lines that have no end are ended', async (t) => {
  const { daemon, run } = await setUp(t);
  await run({ agent_id: 'demo', script: 'echo one; printf two; echo three >&2' });
  assert.deepEqual(daemon.operations.copied, { stdout: 'one\ntwo|', stderr: 'three\n' });
});

test('a journal that takes nothing holds nothing up', async (t) => {
  const { daemon, run } = await setUp(t);
  const gate = closedGate();
  daemon.operations.copyGate = gate.opened;
  const ended = await run({ agent_id: 'demo', script: 'head -c 4M /dev/zero' });
  gate.open();
  assert.deepEqual([ended.status, ended.stdout.length], [0, 4 * MIB]);
});

test('no more is copied to the journal than its bound and the piece that reaches it', async (t) => {
  const { daemon, run } = await setUp(t);
  const script = `head -c ${3 * JOURNAL_COPY_BYTES_MAX} /dev/zero`;
  assert.equal((await run({ agent_id: 'demo', script })).stdout.length, 3 * JOURNAL_COPY_BYTES_MAX);
  const { length } = daemon.operations.copied.stdout;
  assert.ok(length >= JOURNAL_COPY_BYTES_MAX && length < JOURNAL_COPY_BYTES_MAX + PIECE_BYTES_MAX + 2, String(length));
});

test('a daemon that is restarted costs the caller nothing', async (t) => {
  const { daemon, start } = await setUp(t);
  const running = start({ agent_id: 'demo', script: 'echo up; read line; echo "$line"; exit 5' }, [], {
    keepsInput: true,
  });
  await once(running.child.stdout ?? process.stdin, 'data');
  await daemon.restart();
  running.child.stdin?.end('still here\n');
  assert.deepEqual(await running.finished, { status: 5, stdout: 'up\nstill here\n', stderr: '' });
  assert.deepEqual(daemon.operations.calls.slice(1), []);
});

test('a signal while the daemon is away reaches the agent when it is back', async (t) => {
  const { daemon, start } = await setUp(t);
  const running = start({ agent_id: 'demo', script: 'echo up; sleep 1000' });
  await once(running.child.stdout ?? process.stdin, 'data');
  await daemon.server[Symbol.asyncDispose]();
  running.child.kill('SIGINT');
  await daemon.restart();
  assert.equal((await running.finished).status, 130);
});

test('notes of the daemon are printed, unless nobody wants them', async (t) => {
  const { run } = await setUp(t);
  const card = { agent_id: 'demo', script: 'true', notices: ['No proxy.\u001b[2J'] };
  assert.equal((await run(card)).stderr, 'agent-spawn: note: No proxy.\\x1b[2J\n');
  assert.equal((await run(card, ['--quiet', '--summary'])).stderr, '');
});

test('a summary is printed when it is asked for', async (t) => {
  const { run } = await setUp(t);
  const { stderr } = await run({ agent_id: 'demo', script: 'exit 4' }, ['--summary']);
  assert.match(stderr, /^agent demo: exited 4 after 0\.\d s · peak memory 41 MiB of 256 MiB · CPU 0\.8 s\n$/);
});

test('with --json the end of a foreground agent is one object on standard error', async (t) => {
  const { run } = await setUp(t);
  const ended = await run({ agent_id: 'demo', script: 'echo out', notices: ['A note.'] }, ['--json']);
  assert.equal(ended.stdout, 'out\n');
  const agent = JSON.parse(ended.stderr);
  assertFollows('AgentView', agent);
  assert.equal(agent.outcome.status, 0);
});

test('what an agent prints reaches a terminal as it is, and the summary follows', async (t) => {
  const { daemon } = await setUp(t);
  const card = cardFile(t, { agent_id: 'demo', script: 'printf "\\033[1mbold\\033[0m\\n"' });
  const command = [
    process.execPath,
    join(CHECKOUT, 'build/src/main/agent-spawn.js'),
    '--socket',
    daemon.socketPath,
    card,
  ];
  // script(1) gives the command a terminal of its own.
  const child = spawn('script', ['-qec', command.map((word) => `'${word}'`).join(' '), '/dev/null'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = '';
  child.stdout.on('data', (piece: Buffer) => (seen += piece.toString()));
  assert.deepEqual(await once(child, 'close'), [0, null]);
  assert.match(seen, /^\x1b\[1mbold\x1b\[0m\r\nagent demo: exited 0 after /);
});

type Extra = Partial<Pick<ProgramOptions, 'input' | 'keepsInput'>>;

/** A fake daemon, and `agent-spawn` with a card for it. */
interface SetUp {
  readonly daemon: FakeDaemon;
  start(card: object, words?: readonly string[], extra?: Extra): Running;
  run(card: object, words?: readonly string[], extra?: Extra): Promise<Finished>;
  /** Entries of the attach directory that a command left behind. */
  left(): readonly string[];
}

async function setUp(t: TestContext): Promise<SetUp> {
  const daemon = await startFakeDaemon(t);
  const { socketPath, directory } = daemon;
  const start: SetUp['start'] = (card, words = [], extra = {}) => {
    const at = words.includes('--') ? words.indexOf('--') : words.length;
    const all = [...words.slice(0, at), cardFile(t, card), ...words.slice(at)];
    return startProgram({ program: 'agent-spawn', words: all, socketPath, ...extra });
  };
  return {
    daemon,
    start,
    run: (card, words, extra) => start(card, words, extra).finished,
    left: () => readdirSync(join(directory, 'attach')),
  };
}

type Agent = NonNullable<ReturnType<FakeDaemon['operations']['agents']['get']>>;

async function agentOf(daemon: FakeDaemon, id: string): Promise<Agent> {
  for (;;) {
    const agent = daemon.operations.agents.get(id);
    if (agent !== undefined) return agent;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves when every process of a group sleeps in a write: /proc tells without a guess about time. */
async function untilBlocked(group: number): Promise<void> {
  for (;;) {
    const names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const blocked = names.some((pid) => isWriter(pid, group));
    if (blocked) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function isWriter(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) !== group) return false;
    // write(2) is 1 on x86-64 and 64 on arm64.
    return /^(1|64) 0x1 /.test(readFileSync(`/proc/${pid}/syscall`, 'utf8'));
  } catch {
    return false;
  }
}
