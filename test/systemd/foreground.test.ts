import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import {
  agentctl,
  awaitEnd,
  Bench,
  detachAgent,
  listAgents,
  runAgent,
  startAgent,
  succeed,
  type TestCard,
  viewAgent,
} from '../helpers/agents.ts';
import { askApi } from '../helpers/api.ts';
import { agentProgram, awaitFile, type Ended, RunningCommand, runCommand } from '../helpers/commands.ts';
import { startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { findLeaks, takeSnapshot } from '../helpers/leaks.ts';
import { processesOf, unitOf } from '../helpers/units.ts';

const MIB = 1024 * 1024;
/** A machine that is emulated would take minutes for what a real one does in a second. */
const FLOOD_MIB = process.env['AGENT_SPAWN_HOST'] === 'vm' ? 64 : 1024;

let bench: Bench;
before(async () => {
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs/ });
});
after(() => bench.close());

/** Writes a card to a file, so that standard input is the agent's. */
function cardFile(card: TestCard): string {
  const path = join(bench.directory, `${card.agent_id}.json`);
  writeFileSync(path, JSON.stringify(card));
  return path;
}

function shell(script: string, changes: object = {}): TestCard {
  return bench.card({ command: ['bash', '-c', script], ...changes });
}

test('output and error of an agent arrive unchanged and apart, and its status is that of the command', async () => {
  const bytes = '\\x00\\xff\\r\\n\\x1b[31mred\\n no line feed at the end';
  const { status, stdout, stderr } = await runAgent(shell(`printf '${bytes}'; printf 'oops\\r' >&2; exit 42`));
  assert.equal(status, 42);
  assert.equal(stdout, Buffer.from('\x00\xff\r\n\x1b[31mred\n no line feed at the end', 'latin1').toString());
  assert.equal(stderr, 'oops\r');
});

test('every exit status comes through, and 128 + n for signal n', async () => {
  for (const status of [0, 1, 125, 127, 255]) assert.equal((await runAgent(shell(`exit ${status}`))).status, status);
  assert.equal((await runAgent(shell('kill -KILL $$'))).status, 137);
  assert.equal((await runAgent(shell('kill -ABRT $$'))).status, 134);
  assert.equal((await runAgent(shell('exec no-such-program'))).status, 127);
});

test('standard input reaches the agent unchanged, and so does its end', async () => {
  const input = randomBytes(3 * MIB);
  const card = shell('sha256sum | cut -d" " -f1');
  const { stdout } = await succeed(runCommand(['agent-spawn', cardFile(card)], { stdin: input }));
  assert.equal(stdout, `${createHash('sha256').update(input).digest('hex')}\n`);
});

test('a conversation over standard input and output works line by line', async () => {
  const agent = new RunningCommand([
    'agent-spawn',
    cardFile(shell('while read -r line; do echo "got $line"; done; echo over')),
  ]);
  for (const word of ['one', 'two']) {
    agent.write(`${word}\n`);
    assert.equal(await agent.line(), `got ${word}`);
  }
  agent.end();
  assert.equal((await agent.ended()).stdout, 'over\n');
});

test('words after -- are added to the command, whatever they look like', async () => {
  const words = ['--help', '', 'a b', '"quoted"', "it's", '$HOME %n %%', '\\x41\\', '-', '--', 'ü', 'two\nlines'];
  const card = bench.card({ command: ['/usr/bin/python3', '-c', 'import json, sys; print(json.dumps(sys.argv[1:]))'] });
  const { stdout } = await succeed(runAgent(card, { args: words }));
  assert.deepEqual(JSON.parse(stdout), words);
});

test(`${FLOOD_MIB} MiB come through standard output without loss or stall, also to a reader that pauses`, async (t) => {
  const script =
    'import os,sys\nblock = b"x" * 1048568\nfor n in range(int(sys.argv[1])):\n    data = memoryview(n.to_bytes(8, "big") + block)\n    while data:\n        data = data[os.write(1, data):]\n';
  const card = bench.card({ command: ['/usr/bin/python3', '-c', script, String(FLOOD_MIB)] });
  const agent = new RunningCommandBytes(card);
  const seconds = await agent.verify(FLOOD_MIB);
  t.diagnostic(`${FLOOD_MIB} MiB in ${seconds.toFixed(2)} s, ${(FLOOD_MIB / seconds).toFixed(0)} MiB/s`);
  assert.equal(await agent.status(), 0);
});

/** An agent whose output is compared as it comes. */
class RunningCommandBytes {
  readonly #command: RunningCommand;
  readonly #expected = Buffer.alloc(MIB, 'x');

  constructor(card: TestCard) {
    this.#command = new RunningCommand(['agent-spawn', cardFile(card)], { deadlineMs: 120_000, rawOutput: true });
    this.#command.end();
  }

  /** Compares blocks that begin with their own number; pauses once in the middle. Returns the seconds it took. */
  async verify(blocks: number): Promise<number> {
    const startedAt = performance.now();
    let offset = 0;
    for await (const chunk of this.#command.child.stdout as Readable) {
      let piece = chunk as Buffer;
      while (piece.length > 0) {
        const at = offset % MIB;
        if (at === 0) this.#expected.writeBigUInt64BE(BigInt(offset / MIB));
        const length = Math.min(piece.length, MIB - at);
        const isSame = this.#expected.compare(piece, 0, length, at, at + length) === 0;
        assert.ok(isSame, `the output differs between ${offset} and ${offset + length}`);
        offset += length;
        piece = piece.subarray(length);
        if (offset === (blocks / 2) * MIB) await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    assert.equal(offset, blocks * MIB);
    return (performance.now() - startedAt) / 1000;
  }

  async status(): Promise<number> {
    return (await this.#command.ended()).status;
  }
}

test('a reader that stands still stops the agent in its write and nobody else', async () => {
  const agent = new RunningCommand(['agent-spawn', cardFile(shell('yes'))], { rawOutput: true });
  agent.end();
  agent.child.stdout?.pause();
  const other = await succeed(runAgent(shell('echo free')));
  assert.equal(other.stdout, 'free\n');
  agent.child.kill('SIGTERM');
  agent.child.stdout?.resume();
  assert.equal((await agent.ended()).status, 143);
});

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} to the command stops the agent and all of its processes`, async () => {
    const card = bench.card({ command: agentProgram('brood.py') });
    const agent = startAgent(card);
    await agent.lineLike(/^ready$/);
    const { uid } = await viewAgent(card.agent_id);
    agent.child.kill(signal);
    assert.equal((await agent.ended()).status, status);
    assert.deepEqual(processesOf(uid), []);
    assert.equal((await awaitEnd(card.agent_id)).outcome?.kind, 'stopped');
  });
}

test('Ctrl-C gives an agent its time to finish, and what it says then arrives', async () => {
  const card = shell('trap "echo finishing; exit 0" TERM; echo ready; while :; do sleep 0.05; done');
  const agent = startAgent(card);
  await agent.lineLike(/^ready$/);
  agent.child.kill('SIGINT');
  const { status, stdout } = await agent.ended();
  assert.deepEqual([status, stdout], [130, 'finishing\n']);
});

test('an agent whose output nobody reads any more is stopped', async () => {
  const card = shell('echo first; while :; do echo more; done');
  const command = `set -o pipefail; agent-spawn ${cardFile(card)} </dev/null | head -1`;
  const { stdout, status } = await runCommand(['bash', '-c', command]);
  assert.deepEqual([stdout, status], ['first\n', 141]);
  assert.equal((await awaitEnd(card.agent_id)).outcome?.kind, 'stopped');
});

test('an agent does not outlive the command that runs it, even when that is killed', async () => {
  const card = bench.card({ command: agentProgram('brood.py') });
  const agent = startAgent(card);
  await agent.lineLike(/^ready$/);
  const { uid } = await viewAgent(card.agent_id);
  agent.child.kill('SIGKILL');
  assert.equal((await awaitEnd(card.agent_id)).outcome?.kind, 'stopped');
  assert.deepEqual(processesOf(uid), []);
});

test('what a foreground agent prints is in the journal of its unit, too', async () => {
  const card = shell('echo to the journal; echo and an error >&2; printf "last words"');
  await succeed(runAgent(card));
  await succeed(runCommand(['journalctl', '--sync']));
  const journal = await succeed(runCommand(['journalctl', '--output=cat', `--unit=${unitOf(card.agent_id)}`]));
  for (const line of ['to the journal', 'and an error', 'last words'])
    assert.match(journal.stdout, new RegExp(`^${line}$`, 'm'));
  const logs = await agentctl('logs', card.agent_id);
  assert.match(logs.stdout, /to the journal/);
});

test('--detach returns the id once the agent runs, which goes on without the command', async () => {
  const card = shell('echo detached; until [ -e go ]; do sleep 0.05; done; exit 6');
  const id = await detachAgent(card);
  assert.equal((await viewAgent(id)).state, 'running');
  const lines = new RunningCommand(['agentctl', 'logs', '-f', id]);
  await lines.lineLike(/detached/);
  await lines.stop();
  writeFileSync(join(card.workspace, 'go'), '');
  const waited = await runCommand(['agentctl', 'wait', id]);
  assert.equal(waited.status, 6);
});

test('--dry-run shows the plan and touches nothing', async () => {
  const card = shell('true', { environment: { GREETING: 'hello' } });
  const watched = {
    directories: [bench.directory],
    only: new RegExp(`${card.agent_id}|/run/|/var/lib/|${bench.directory}`),
  };
  const before = takeSnapshot(watched);
  const uids = readFileSync('/var/lib/agent-spawn/uids.json', 'utf8');
  const told = await succeed(runCommand(['agent-spawn', '--dry-run', '-'], { stdin: JSON.stringify(card) }));
  assert.match(told.stdout, /--unshare-all/);
  assert.match(told.stdout, /MemoryMax=/);
  assert.match(told.stdout, /GREETING +hello/);
  assert.match(told.stdout, new RegExp(card.workspace));
  const json = await succeed(runCommand(['agent-spawn', '--dry-run', '--json', '-'], { stdin: JSON.stringify(card) }));
  assert.equal((JSON.parse(json.stdout) as { id: string }).id, card.agent_id);
  assert.deepEqual(await findLeaks(before, { ...watched, withinMs: 0 }), []);
  assert.equal(readFileSync('/var/lib/agent-spawn/uids.json', 'utf8'), uids);
  assert.ok(!existsSync(card.workspace));
  assert.deepEqual(
    (await listAgents()).filter(({ id }) => id === card.agent_id),
    [],
  );
});

test('the directory of the streams is gone when the agent has ended, however it ended', async () => {
  await runAgent(shell('true'));
  await runAgent(bench.card({ command: ['no-such-program'] }));
  const agent = startAgent(shell('echo ready; sleep infinity'));
  await agent.lineLike(/^ready$/);
  assert.equal(readdirSync('/run/agent-spawn/attach').length, 1);
  agent.child.kill('SIGKILL');
  await agent.ended();
  for (const { id, state } of await listAgents()) if (state !== 'ended') await awaitEnd(id);
  assert.deepEqual(readdirSync('/run/agent-spawn/attach'), []);
});

test('what cannot be started ends with 125, one message and the reason in JSON', async () => {
  const refused = async (text: string): Promise<Ended> => runCommand(['agent-spawn', '--json', '-'], { stdin: text });
  const cases: readonly (readonly [string, string])[] = [
    ['{', 'card.syntax'],
    [JSON.stringify({ ...bench.card(), memroy: 1 }), 'card.unknown-key'],
    [JSON.stringify(bench.card({ command: ['no-such-program'] })), 'plan.command-not-found'],
    [JSON.stringify(bench.card({ network: { mode: 'host' } })), 'plan.network-refused'],
  ];
  for (const [text, code] of cases) {
    const { status, stdout, stderr } = await refused(text);
    assert.deepEqual([status, stdout, (JSON.parse(stderr) as { code: string }).code], [125, '', code]);
  }
  assert.equal((await askApi('GET', '/agents/no-such-agent')).status, 404);
});

test('without a daemon the command says what to do', async () => {
  await stopDaemon();
  const { status, stderr } = await runAgent(shell('true'));
  await startDaemon();
  assert.equal(status, 125);
  assert.match(stderr, /The daemon cannot be reached at .*\n {2}\S/);
});

test('the lines of a detached agent say which agent they are from, and only that agent chose their words', async () => {
  // A number in angle brackets would set the urgency of a line; the most urgent ones are shown on every terminal.
  const card = shell('echo "<0>marked"; touch done');
  await detachAgent(card);
  await awaitFile(join(card.workspace, 'done'));
  await awaitEnd(card.agent_id);
  await succeed(runCommand(['journalctl', '--sync']));
  const filter = [`--unit=${unitOf(card.agent_id)}`, `--identifier=agent-${card.agent_id}`];
  const { stdout } = await succeed(runCommand(['journalctl', '--output=json', ...filter]));
  const entries = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { MESSAGE: string; PRIORITY: string });
  assert.deepEqual(
    entries.map(({ MESSAGE, PRIORITY }) => [MESSAGE, PRIORITY]),
    [['<0>marked', '6']],
  );
});
