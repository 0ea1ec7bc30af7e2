import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  askAgent,
  awaitEnd,
  Bench,
  detachAgent,
  runAgent,
  startAgent,
  succeed,
  type TestCard,
  viewAgent,
} from '../helpers/agents.ts';
import { agentProgram, runCommand, SLOWNESS } from '../helpers/commands.ts';
import { type CgroupFile, isUnified, readCgroup, showProperty, unitOf } from '../helpers/units.ts';

const MIB = 1024 * 1024;
const MEMORY_MAX: CgroupFile = { controller: 'memory', v1: 'memory.limit_in_bytes', v2: 'memory.max' };
const PIDS_MAX: CgroupFile = { controller: 'pids', v1: 'pids.max', v2: 'pids.max' };
const PIDS_EVENTS: CgroupFile = { controller: 'pids', v1: 'pids.events', v2: 'pids.events' };
const OPEN_CGROUP = /^0::\/|^\d+:[^:]*:\//;

let bench: Bench;
before(async () => {
  bench = await Bench.open();
});
after(() => bench.close());

/** A card with limits and a program of test/agents. */
function limited(limits: Readonly<Record<string, unknown>>, program: readonly string[], rest: object = {}): TestCard {
  return bench.card({ command: program, resource_limits: limits, ...rest });
}

for (const kind of ['heap', 'tmp', 'shm', 'memfd']) {
  test(`memory of kind ${kind} counts, and an agent that takes more than memory_mb ends as oom`, async () => {
    const program = agentProgram('hog.py', kind, '96');
    const roomy = await succeed(runAgent(limited({ memory_mb: 256, tmp_mb: 128 }, program)));
    assert.equal(roomy.stdout, 'got 96\n', 'the same agent has its memory when it may');

    const card = limited({ memory_mb: 64, tmp_mb: 128 }, program);
    const tight = await runAgent(card);
    assert.deepEqual([tight.status, tight.stdout], [137, ''], tight.stderr);
    const { outcome, usage } = await awaitEnd(card.agent_id);
    assert.equal(outcome?.kind, 'oom');
    assert.ok(
      (usage.memoryPeakBytes ?? 0) > 48 * MIB && (usage.memoryPeakBytes ?? 0) <= 64 * MIB,
      `${usage.memoryPeakBytes}`,
    );
  });
}

test('a process of the agent that runs out of memory takes the agent with it where the kernel can do that', async () => {
  const [python = '', flag = '', text = ''] = agentProgram('hog.py');
  const script = '"$@"; echo "survived $?"; exit 3';
  const card = limited({ memory_mb: 64 }, ['bash', '-c', script, 'bash', python, flag, text, 'heap', '96']);
  const { stdout } = await runAgent(card);
  const { outcome } = await awaitEnd(card.agent_id);
  // cgroup version 1 has no memory.oom.group: the kernel picks one process, and the others learn of it.
  const expected = isUnified() ? ['', 'oom'] : ['survived 137\n', 'exited'];
  assert.deepEqual([stdout, outcome?.kind], expected);
});

test('empty files in /tmp are no way around the memory limit', async () => {
  const card = limited({ memory_mb: 32, tmp_mb: 16 }, agentProgram('flood.py'));
  const { stdout } = await runAgent(card);
  const { outcome } = await awaitEnd(card.agent_id);
  assert.ok(outcome?.kind === 'oom' || stdout === 'ENOSPC\n', `${outcome?.kind} ${stdout}`);
});

test('the kernel has the limits of the card, and no swap', async () => {
  const card = limited({ memory_mb: 100, max_processes: 17, cpu_percent: 50, cpu_shares: 2048 }, ['sleep', 'infinity']);
  const unit = unitOf(await detachAgent(card));
  assert.equal(await readCgroup(unit, MEMORY_MAX), String(100 * MIB));
  assert.equal(await readCgroup(unit, PIDS_MAX), '19', 'the agent has 17 and the sandbox itself 2');
  if (isUnified()) {
    assert.equal(await readCgroup(unit, { controller: '', v1: '', v2: 'cpu.max' }), '50000 100000');
    assert.equal(await readCgroup(unit, { controller: '', v1: '', v2: 'memory.swap.max' }), '0');
    assert.equal(await readCgroup(unit, { controller: '', v1: '', v2: 'cpu.weight' }), '200');
  } else {
    assert.equal(await readCgroup(unit, { controller: 'cpu', v1: 'cpu.cfs_quota_us', v2: '' }), '50000');
    assert.equal(await readCgroup(unit, { controller: 'cpu', v1: 'cpu.cfs_period_us', v2: '' }), '100000');
    assert.equal(await readCgroup(unit, { controller: 'cpu', v1: 'cpu.shares', v2: '' }), '2048');
  }
  assert.equal(await showProperty(unit, 'MemorySwapMax'), '0');
  await succeed(runCommand(['agentctl', 'stop', card.agent_id]));
});

for (const number of [1, 2, 20]) {
  test(`an agent has exactly its ${number} processes`, async () => {
    const card = limited({ max_processes: number }, agentProgram('forks.py'));
    const told = await askAgent<{ processes: number; refusal: string; visible: number }>(card);
    // Besides its own, an agent sees the sandbox's process 1.
    assert.deepEqual(told, { processes: number, refusal: 'EAGAIN', visible: number + 1 });
    const { usage } = await awaitEnd(card.agent_id);
    assert.equal(usage.tasksMax, number);
    assert.equal(usage.forksRefused, 1);
  });
}

test('a fork bomb stays below its limit, and host and other agents go on', async () => {
  const card = limited({ max_processes: 40, cpu_percent: 50, memory_mb: 128 }, agentProgram('bomb.sh'));
  const bomb = startAgent(card);
  await bomb.lineLike(/^lit$/);
  const host = await succeed(runCommand(['systemctl', 'is-active', unitOf(card.agent_id)]));
  assert.equal(host.stdout, 'active\n');
  const other = await succeed(runAgent(bench.card({ command: ['true'] })));
  assert.ok(other.seconds < 10 * SLOWNESS, `another agent took ${other.seconds} s`);
  const tasks = Number(
    await readCgroup(unitOf(card.agent_id), { controller: 'pids', v1: 'pids.current', v2: 'pids.current' }),
  );
  assert.ok(tasks <= 42, `${tasks} tasks`);
  await untilForksAreRefused(unitOf(card.agent_id));
  const stopped = await succeed(runCommand(['agentctl', 'stop', card.agent_id]));
  assert.ok(stopped.seconds < 15 * SLOWNESS, `the stop took ${stopped.seconds} s`);
  await bomb.ended();
  const { outcome, usage } = await awaitEnd(card.agent_id);
  assert.equal(outcome?.kind, 'stopped');
  assert.ok((usage.forksRefused ?? 0) > 0, JSON.stringify(usage));
});

/** On a slow host, all else is done before the bomb has grown to its limit. */
async function untilForksAreRefused(unit: string): Promise<void> {
  const deadline = performance.now() + 60_000 * SLOWNESS;
  for (;;) {
    const events = await readCgroup(unit, PIDS_EVENTS);
    if (/^max [1-9]/m.test(events)) return;
    assert.ok(performance.now() < deadline, `no fork was refused: ${events}`);
    await delay(50);
  }
}

test('cpu_percent 20 gives a fifth of one core, however many processes want it', async () => {
  const seconds = 4;
  const share = async (limits: object): Promise<number> => {
    const card = bench.card({ command: agentProgram('burn.py', String(seconds), '2'), resource_limits: limits });
    await succeed(runAgent(card));
    const { usage, startedAt, endedAt } = await awaitEnd(card.agent_id);
    // Of its whole life: on a slow host the interpreter alone takes a good part of it to start.
    return (usage.cpuSeconds ?? 0) / ((Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '')) / 1000);
  };
  const free = await share({});
  assert.ok(free > 0.4, `without the limit it has ${free} of a core`);
  const held = await share({ cpu_percent: 20 });
  assert.ok(held >= 0.15 && held <= 0.25, `with the limit it has ${held} of a core`);
});

test('an agent has exactly the open files that its card allows', async () => {
  const told = await askAgent<{ largest: number; refusal: string }>(
    limited({ max_open_files: 64 }, agentProgram('descriptors.py')),
  );
  assert.deepEqual(told, { largest: 63, refusal: 'EMFILE' });
});

test('every directory in memory is full at tmp_mb', async () => {
  const places = ['/tmp', '/dev/shm', '/home/agent', '/var/tmp'];
  const card = limited({ tmp_mb: 8, memory_mb: 256 }, agentProgram('fill.py', ...places));
  const told = await askAgent<Record<string, { bytes: number; refusal: string }>>(card);
  for (const place of places) {
    const { bytes = 0, refusal } = told[place] ?? {};
    assert.equal(refusal, 'ENOSPC');
    assert.ok(bytes > 7 * MIB && bytes <= 8 * MIB, `${place} took ${bytes} bytes`);
  }
});

test('an agent cannot leave its cgroup or change its limits', async () => {
  const card = limited({ memory_mb: 64 }, [
    'bash',
    '-c',
    'cat /proc/self/cgroup; for f in /sys/fs/cgroup /sys; do [ -e $f ] && echo "$f is there"; done; echo -1000 >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj',
  ]);
  const { stdout, stderr } = await runAgent(card);
  const lines = stdout.trim().split('\n');
  assert.equal(lines.pop(), '200', 'the agent goes first when the host runs out of memory');
  assert.match(stderr, /oom_score_adj|write error/);
  for (const line of lines) assert.match(line, OPEN_CGROUP);
  assert.ok(
    lines.every((line) => line.endsWith(':/')),
    `its cgroup is the root of what it sees: ${lines}`,
  );
  assert.equal((await viewAgent(card.agent_id)).outcome?.kind, 'exited');
});
