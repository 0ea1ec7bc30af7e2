import assert from 'node:assert/strict';
import test from 'node:test';
import type { Host, UnitState } from '../../src/host/host.ts';
import type { Ground } from './ground.ts';

const UNIT = 'sandboxed-agent@contract.service';
const ABSENT = 'sandboxed-agent@absent.service';
/** Longest wait for a signal, milliseconds. */
const PATIENCE_MS = 10_000;

/** The part of the contract about units, journal and time. */
export function testUnits(name: string, open: () => Promise<Ground>): void {
  const check = (sentence: string, body: (ground: Ground) => Promise<void>): void => {
    test(`${name}: ${sentence}`, async () => {
      await using ground = await open();
      await body(ground);
    });
  };

  check('a started unit is active and has a process', async (ground) => {
    const { units } = ground.host;
    assert.equal(await units.startTransient(UNIT, ground.unit(UNIT, 'runs')), 'done');
    const state = await units.state(UNIT);
    assert.deepEqual(
      [state?.unit, state?.activeState, state?.subState, state?.result, state?.mainCode, state?.hasJob],
      [UNIT, 'active', 'running', 'success', 0, false],
    );
    assert.ok((state?.mainPid ?? 0) > 0);
    assert.match(state?.invocationId ?? '', /^[0-9a-f]{32}$/);
  });

  check('a unit that exists is not started a second time', async (ground) => {
    const { units } = ground.host;
    const properties = ground.unit(UNIT, 'runs');
    await units.startTransient(UNIT, properties);
    const before = await units.state(UNIT);
    await assert.rejects(units.startTransient(UNIT, properties), { name: 'SpawnError', code: 'sandbox.exists' });
    assert.deepEqual(await units.state(UNIT), before);
  });

  check('a failure is told, stays until it is reset, and then the unit is gone', async (ground) => {
    const { units } = ground.host;
    const seen = new Recorder(ground.host);
    await units.startTransient(UNIT, ground.unit(UNIT, 'fails-with-3'));
    ground.letEnd(UNIT);
    // A program that ends at once may do so while its start job still runs.
    const failure = await seen.until((state) => state?.activeState === 'failed' && !state.hasJob);
    assert.deepEqual([failure?.result, failure?.mainCode, failure?.mainStatus], ['exit-code', 1, 3]);
    assert.deepEqual(await units.state(UNIT), failure);
    await units.resetFailed(UNIT);
    await seen.until((state) => state === null);
    assert.equal(await units.state(UNIT), null);
  });

  check('a program that does not exist fails the job, and the state says why', async (ground) => {
    const { units } = ground.host;
    assert.equal(await units.startTransient(UNIT, ground.unit(UNIT, 'has-no-program')), 'failed');
    const state = await units.state(UNIT);
    assert.deepEqual([state?.activeState, state?.mainCode, state?.mainStatus], ['failed', 1, 203]);
  });

  check('a stopped unit is told to be inactive, then gone', async (ground) => {
    const { units } = ground.host;
    const seen = new Recorder(ground.host);
    await units.startTransient(UNIT, ground.unit(UNIT, 'runs'));
    assert.equal(await units.stop(UNIT), 'done');
    const last = await seen.until((state) => state?.activeState === 'inactive' && state.mainCode !== 0);
    assert.deepEqual([last?.result, last?.mainCode, last?.mainStatus], ['success', 2, 15]);
    await seen.until((state) => state === null);
    assert.equal(await units.state(UNIT), null);
  });

  check('a signal ends the program', async (ground) => {
    const { units } = ground.host;
    const seen = new Recorder(ground.host);
    await units.startTransient(UNIT, ground.unit(UNIT, 'runs'));
    await units.kill(UNIT, 9);
    const failure = await seen.until((state) => state?.activeState === 'failed');
    assert.deepEqual([failure?.result, failure?.mainCode, failure?.mainStatus], ['signal', 2, 9]);
  });

  check('a unit that nobody loaded is nothing to stop, kill, reset or ask about', async ({ host }) => {
    assert.equal(await host.units.stop(ABSENT), 'done');
    await host.units.kill(ABSENT, 15);
    await host.units.resetFailed(ABSENT);
    assert.equal(await host.units.state(ABSENT), null);
    const nothing = { memoryBytes: null, memoryPeakBytes: null, tasks: null, cpuNanoseconds: null };
    assert.deepEqual(await host.units.usage(ABSENT), nothing);
  });

  check('a unit that is active is restarted on trial, one that is not is left alone', async (ground) => {
    const { units } = ground.host;
    assert.equal(await units.tryRestart(ABSENT), 'done');
    assert.equal(await units.state(ABSENT), null);
    await units.startTransient(UNIT, ground.unit(UNIT, 'runs'));
    const before = await units.state(UNIT);
    assert.equal(await units.tryRestart(UNIT), 'done');
    const after = await units.state(UNIT);
    assert.equal(after?.activeState, 'active');
    assert.notEqual(after?.invocationId, before?.invocationId);
  });

  check('a unit without a file cannot be started by name', async ({ host }) => {
    await assert.rejects(host.units.start(ABSENT), { name: 'SpawnError', code: 'host.call-failed' });
  });

  check('a list holds the loaded units of a pattern', async (ground) => {
    const { units } = ground.host;
    await units.startTransient(UNIT, ground.unit(UNIT, 'runs'));
    const listed = await units.list('sandboxed-agent@c*.service');
    assert.deepEqual(listed, [await units.state(UNIT)]);
    assert.deepEqual(await units.list('sandboxed-agent@x*.service'), []);
  });

  check('units are found by a pattern and their state, others are not', async (ground) => {
    const { units } = ground.host;
    await units.startTransient(UNIT, ground.unit(UNIT, 'has-no-program'));
    assert.deepEqual(await units.names(UNIT, ['failed']), [UNIT]);
    assert.deepEqual(await units.names(ABSENT, ['failed', 'inactive']), []);
    await units.resetFailed(UNIT);
    await units.startTransient(UNIT, ground.unit(UNIT, 'runs'));
    assert.deepEqual(await units.names(UNIT, ['failed']), []);
    assert.deepEqual(await units.names(UNIT, ['failed', 'active']), [UNIT]);
  });

  check('a running unit uses memory and tasks', async (ground) => {
    await ground.host.units.startTransient(UNIT, ground.unit(UNIT, 'runs'));
    const usage = await ground.host.units.usage(UNIT);
    assert.ok((usage.memoryBytes ?? 0) > 0 && (usage.tasks ?? 0) > 0);
  });

  check('a disposed watch hears nothing more', async (ground) => {
    const { units } = ground.host;
    const deaf = new Recorder(ground.host);
    const seen = new Recorder(ground.host);
    deaf.dispose();
    await units.startTransient(UNIT, ground.unit(UNIT, 'runs'));
    await units.stop(UNIT);
    await seen.until((state) => state === null);
    assert.deepEqual(deaf.states, []);
  });

  check('lines are taken by the journal', async ({ host }) => {
    await host.journal.append({ unit: UNIT, identifier: 'agent-contract', priority: 6, lines: ['one', 'two\nlines'] });
  });

  check('random digits differ and have the length asked for', async ({ host }) => {
    const [one, two] = [host.clock.randomHex(8), host.clock.randomHex(8)];
    assert.match(one, /^[0-9a-f]{16}$/);
    assert.notEqual(one, two);
  });
}

/** What a listener was told about the unit of these tests. */
class Recorder {
  readonly states: (UnitState | null)[] = [];
  readonly #watch: Disposable;
  #wake: () => void = () => undefined;

  constructor(host: Host) {
    this.#watch = host.units.watch({
      changed: (unit, state) => {
        if (unit !== UNIT) return;
        this.states.push(state);
        this.#wake();
      },
      lost: () => undefined,
    });
  }

  dispose(): void {
    this.#watch[Symbol.dispose]();
  }

  /** Resolves with the first state told so far or later that fits. */
  until(fits: (state: UnitState | null) => boolean): Promise<UnitState | null> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no such state was told; there were ${JSON.stringify(this.states)}`));
      }, PATIENCE_MS);
      this.#wake = () => {
        const state = this.states.find(fits);
        if (state === undefined) return;
        clearTimeout(timer);
        resolve(state);
      };
      this.#wake();
    });
  }
}
