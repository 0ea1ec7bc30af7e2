import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { compareSnapshots, findLeaks, type LeakKind, type Snapshot, takeSnapshot } from '../helpers/leaks.ts';
import { namesOf, runProgram, startProgram } from './program.ts';

/** Moments of a boot at which it is killed, milliseconds after the program started: before, during and after it. */
const KILL_DELAYS_MS = [0, 40, 60, 80, 100, 120, 140, 170, 200, 240, 280, 320, 400];
const CLEANED_WITHIN_MS = 10_000;

const SLEEP = ['--bare', 'sh', '-c', 'systemd-run -q sleep 1000; echo ready; exec sleep 1000'];

test('killed while a command runs, it leaves nothing', async () => {
  const child = startProgram(SLEEP);
  const only = namesOf(child.pid);
  await once(child.stdout as Readable, 'data');
  const running = takeSnapshot({ only });
  // The check sees what it is to find gone.
  assert.deepEqual(kindsOf(running), ['cgroup', 'file', 'net namespace', 'process']);
  await kill(child);
  assert.deepEqual(await findLeaks(new Map(), { only, withinMs: CLEANED_WITHIN_MS }), []);
});

for (const delayMs of KILL_DELAYS_MS) {
  test(`killed ${delayMs} ms after its start, it leaves nothing`, async () => {
    const child = startProgram(SLEEP);
    await delay(delayMs);
    await kill(child);
    assert.deepEqual(await findLeaks(new Map(), { only: namesOf(child.pid), withinMs: CLEANED_WITHIN_MS }), []);
  });
}

test('killed together with its janitor, it is cleaned up by the next one', async () => {
  const child = startProgram(SLEEP);
  const only = namesOf(child.pid);
  await once(child.stdout as Readable, 'data');
  process.kill(findJanitor(only), 'SIGKILL');
  await kill(child);
  // The signal at the death of the parent has ended all of its processes.
  assert.deepEqual(
    await findLeaks(without(takeSnapshot({ only }), 'process'), { only, withinMs: CLEANED_WITHIN_MS }),
    [],
  );
  assert.deepEqual(kindsOf(takeSnapshot({ only })), ['cgroup', 'file']);
  assert.equal((await runProgram(['--bare', 'true'])).status, 0);
  assert.deepEqual(await findLeaks(new Map(), { only }), []);
});

test('the sweep of a new one spares those that live', async () => {
  const child = startProgram(SLEEP);
  const only = namesOf(child.pid);
  await once(child.stdout as Readable, 'data');
  try {
    const before = takeSnapshot({ only });
    assert.equal((await runProgram(['--bare', 'true'])).status, 0);
    // The other way round: what is no longer there. What a host that lives adds meanwhile is its own affair, and the
    // program itself is in the cgroups for the moment of a fork only.
    const gone = compareSnapshots(takeSnapshot({ only }), before);
    assert.deepEqual(
      gone.filter((sentence) => !sentence.startsWith(`process left behind: ${child.pid} `)),
      [],
    );
  } finally {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
});

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

function kindsOf(snapshot: Snapshot): readonly LeakKind[] {
  return [...snapshot].filter(([, things]) => things.size > 0).map(([kind]) => kind);
}

/** The same snapshot without one kind: whatever of that kind is there afterwards counts as left behind. */
function without(snapshot: Snapshot, removed: LeakKind): Snapshot {
  return new Map([...snapshot].filter(([kind]) => kind !== removed && kind !== 'net namespace'));
}

function findJanitor(names: RegExp): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = readCommand(pid);
    if (command.includes('janitor.sh') && names.test(command)) return Number(pid);
  }
  throw new Error('no janitor runs');
}

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
