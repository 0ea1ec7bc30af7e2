import assert from 'node:assert/strict';
import test from 'node:test';
import { Variant } from '@particle/dbus-next';
import type { BusSignal } from '../../../src/host/bus-connection.ts';
import type { UnitState } from '../../../src/host/host.ts';
import { unitPath } from '../../../src/host/object-path.ts';
import { SERVICE_INTERFACE, UNIT_INTERFACE } from '../../../src/host/unit-state.ts';
import { UnitWatch } from '../../../src/host/unit-watch.ts';

const UNIT = 'sandboxed-agent@x.service';

function changed(unit: string, interfaceName: string, values: Readonly<Record<string, unknown>>): BusSignal {
  const dictionary = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Variant('v', value)]));
  return {
    sender: ':1.0',
    path: unitPath(unit),
    interface: 'org.freedesktop.DBus.Properties',
    member: 'PropertiesChanged',
    body: [interfaceName, dictionary, []],
  };
}

function serviceChanged(unit = UNIT, values: Readonly<Record<string, unknown>> = {}): BusSignal {
  const running = { Result: 'success', ExecMainCode: 0, ExecMainStatus: 0, MainPID: 77, NRestarts: 0, StatusText: '' };
  return changed(unit, SERVICE_INTERFACE, { ...running, ...values });
}

function unitChanged(unit = UNIT, values: Readonly<Record<string, unknown>> = {}): BusSignal {
  const active = {
    ActiveState: 'active',
    SubState: 'running',
    InvocationID: Buffer.from('0102', 'hex'),
    Job: [0, '/'],
    ActiveEnterTimestamp: 1_700_000_000_123_456n,
  };
  return changed(unit, UNIT_INTERFACE, { ...active, ...values });
}

const RUNNING: UnitState = {
  unit: UNIT,
  activeState: 'active',
  subState: 'running',
  result: 'success',
  mainCode: 0,
  mainStatus: 0,
  mainPid: 77,
  invocationId: '0102',
  restarts: 0,
  hasJob: false,
  statusText: '',
  activeSinceMs: 1_700_000_000_123,
};

interface Told {
  readonly watch: UnitWatch;
  readonly told: [string, UnitState | null][];
  readonly asked: string[];
}

function openWatch(): Told {
  const told: [string, UnitState | null][] = [];
  const asked: string[] = [];
  const watch = new UnitWatch((unit) => void asked.push(unit));
  watch.add({ changed: (unit, state) => void told.push([unit, state]), lost: () => void told.push(['lost', null]) });
  return { watch, told, asked };
}

test('a pair of signals is one state, and nobody is asked', () => {
  const { watch, told, asked } = openWatch();
  watch.propertiesChanged(serviceChanged());
  assert.deepEqual(told, []);
  watch.propertiesChanged(unitChanged());
  assert.deepEqual(told, [[UNIT, RUNNING]]);
  assert.deepEqual(asked, []);
});

test('a signal that does not say everything makes the watch ask', () => {
  const { watch, told, asked } = openWatch();
  watch.propertiesChanged(unitChanged());
  assert.deepEqual(told, []);
  assert.deepEqual(asked, [UNIT]);
});

test('units that are no agents’ are not looked at', () => {
  const { watch, told, asked } = openWatch();
  for (const unit of ['dbus.service', 'sandboxed-agent@x.socket', 'sandboxed-agent.service']) {
    watch.propertiesChanged(serviceChanged(unit));
    watch.propertiesChanged(unitChanged(unit));
    watch.unitRemoved(unit);
  }
  assert.deepEqual([told, asked], [[], []]);
});

test('a removed unit is asked about, and its values are forgotten', () => {
  const { watch, told, asked } = openWatch();
  watch.propertiesChanged(serviceChanged());
  watch.propertiesChanged(unitChanged());
  watch.unitRemoved(UNIT);
  watch.propertiesChanged(unitChanged());
  assert.deepEqual(told, [[UNIT, RUNNING]]);
  assert.deepEqual(asked, [UNIT, UNIT]);
});

test('a job that runs, an end and a restart are read as what they are', () => {
  const { watch, told } = openWatch();
  watch.propertiesChanged(serviceChanged(UNIT, { Result: 'signal', ExecMainCode: 2, ExecMainStatus: 9, NRestarts: 4 }));
  watch.propertiesChanged(
    unitChanged(UNIT, { ActiveState: 'activating', SubState: 'auto-restart', Job: [12, '/job'] }),
  );
  const expected = { activeState: 'activating', subState: 'auto-restart', hasJob: true };
  const run = { result: 'signal', mainCode: 2, mainStatus: 9, restarts: 4 };
  assert.deepEqual(told, [[UNIT, { ...RUNNING, ...expected, ...run }]]);
});

test('a state that this version does not know is neither idle nor gone', () => {
  const { watch, told } = openWatch();
  watch.propertiesChanged(serviceChanged());
  watch.propertiesChanged(unitChanged(UNIT, { ActiveState: 'refreshing' }));
  assert.equal(told[0]?.[1]?.activeState, 'maintenance');
});

test('a state that was read while signals came is the signals’ state', async () => {
  const { watch } = openWatch();
  watch.propertiesChanged(serviceChanged());
  watch.propertiesChanged(unitChanged());
  const stale = { ...RUNNING, subState: 'stale' };
  assert.deepEqual(await watch.during(UNIT, async () => stale), stale);
  const read = await watch.during(UNIT, async () => {
    watch.propertiesChanged(serviceChanged(UNIT, { MainPID: 78 }));
    watch.propertiesChanged(unitChanged());
    return stale;
  });
  assert.deepEqual(read, { ...RUNNING, mainPid: 78 });
});

test('a state that was read while its unit was removed is read again', async () => {
  const { watch } = openWatch();
  const answers = [RUNNING, null];
  const read = await watch.during(UNIT, async () => {
    if (answers.length === 2) watch.unitRemoved(UNIT);
    return answers.shift() ?? null;
  });
  assert.equal(read, null);
  assert.deepEqual(answers, []);
});

test('a unit that never rests is read a bounded number of times', async () => {
  const { watch } = openWatch();
  let reads = 0;
  const read = await watch.during(UNIT, async () => {
    reads += 1;
    watch.unitRemoved(UNIT);
    return RUNNING;
  });
  assert.deepEqual([reads, read], [5, RUNNING]);
});

test('a loss is told to every listener once', () => {
  const { watch, told } = openWatch();
  watch.lost();
  assert.deepEqual(told, [['lost', null]]);
});

test('what the signals told is known until the unit is removed or signals were missed', () => {
  const { watch } = openWatch();
  watch.propertiesChanged(serviceChanged());
  assert.equal(watch.known(UNIT), null);
  watch.propertiesChanged(unitChanged());
  assert.deepEqual(watch.known(UNIT), RUNNING);
  watch.unitRemoved(UNIT);
  assert.equal(watch.known(UNIT), null);
  watch.propertiesChanged(serviceChanged());
  watch.propertiesChanged(unitChanged());
  watch.lost();
  assert.equal(watch.known(UNIT), null);
});
