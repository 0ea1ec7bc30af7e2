import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { BusConnection, type BusSignal } from '../../src/host/bus-connection.ts';
import type { UnitState } from '../../src/host/host.ts';
import { Systemd } from '../../src/host/systemd.ts';
import type { UnitProperty } from '../../src/plan/unit-property.ts';
import { BusRelay } from '../helpers/bus-relay.ts';
import { openThisHost } from '../helpers/linux-host.ts';

const BUS = 'unix:path=/run/dbus/system_bus_socket';
const UNIT = 'sandboxed-agent@host-units.service';
const UNIT_FILE = `/run/systemd/system/${UNIT}`;

after(async () => {
  rmSync(UNIT_FILE, { force: true });
  await using systemd = await Systemd.open(BUS);
  await clean(systemd);
});

async function clean(systemd: Systemd): Promise<void> {
  for (const { unit } of await systemd.list('sandboxed-agent@host-units*.service')) {
    await systemd.stop(unit);
    await systemd.resetFailed(unit);
  }
}

function service(words: readonly string[], more: readonly UnitProperty[] = []): readonly UnitProperty[] {
  return [
    { name: 'Type', signature: 's', value: 'exec' },
    { name: 'CollectMode', signature: 's', value: 'inactive' },
    { name: 'ExecStartEx', signature: 'a(sasas)', value: [[words[0] ?? '', words, ['no-env-expand']]] },
    ...more,
  ];
}

const SLEEP = ['/bin/sleep', '1000'];

/** What a host was told, with a way to wait for it. */
class Listener extends EventTarget {
  readonly states: (UnitState | null)[] = [];
  losses = 0;

  changed(unit: string, state: UnitState | null): void {
    if (unit !== UNIT) return;
    this.states.push(state);
    this.dispatchEvent(new Event('told'));
  }

  lost(): void {
    this.losses += 1;
    this.dispatchEvent(new Event('told'));
  }

  /** Resolves once something holds of what was told. */
  async until(holds: () => boolean): Promise<void> {
    const patience = AbortSignal.timeout(15_000);
    while (!holds()) await once(this, 'told', { signal: patience });
  }
}

test('a hundred units start at once, are listed, and stop at once', async () => {
  await using systemd = await Systemd.open(BUS);
  const names = Array.from({ length: 100 }, (_, index) => `sandboxed-agent@host-units-${index}.service`);
  const results = await Promise.all(names.map((name) => systemd.startTransient(name, service(SLEEP))));
  assert.deepEqual(new Set(results), new Set(['done']));
  const listed = await systemd.list('sandboxed-agent@host-units-*.service');
  assert.deepEqual(listed.map(({ unit }) => unit).sort(), [...names].sort());
  assert.equal(new Set(listed.map(({ mainPid }) => mainPid)).size, 100);
  assert.deepEqual(new Set(await Promise.all(names.map((name) => systemd.stop(name)))), new Set(['done']));
  assert.deepEqual(await systemd.list('sandboxed-agent@host-units-*.service'), []);
});

test('a unit with a file of its own is not replaced by a transient one', async () => {
  await using systemd = await Systemd.open(BUS);
  writeFileSync(UNIT_FILE, '[Service]\nExecStart=/bin/sleep 1000\n');
  try {
    await assert.rejects(systemd.startTransient(UNIT, service(SLEEP)), { code: 'sandbox.exists' });
    assert.equal(await systemd.start(UNIT), 'done');
    const before = await systemd.state(UNIT);
    assert.equal(await systemd.restart(UNIT), 'done');
    const restarted = await systemd.state(UNIT);
    assert.equal(restarted?.activeState, 'active');
    assert.notEqual(restarted?.invocationId, before?.invocationId);
  } finally {
    await systemd.stop(UNIT);
    rmSync(UNIT_FILE);
    await systemd.reload();
  }
});

test('asking for a unit does not load it', async () => {
  await using systemd = await Systemd.open(BUS);
  writeFileSync(UNIT_FILE, '[Service]\nExecStart=/bin/sleep 1000\n');
  try {
    assert.equal(await systemd.state(UNIT), null);
    assert.deepEqual(await systemd.list(UNIT), []);
  } finally {
    rmSync(UNIT_FILE);
  }
});

test('a re-read of the unit files ends no run and hides none', async () => {
  await using systemd = await Systemd.open(BUS);
  await systemd.startTransient(UNIT, service(SLEEP));
  const before = await systemd.state(UNIT);
  const listener = new Listener();
  using _watch = systemd.watch(listener);
  const asked = Array.from({ length: 20 }, () => systemd.state(UNIT));
  await Promise.all([systemd.reload(), ...asked]);
  for (const answer of await Promise.all(asked)) assert.equal(answer?.activeState, 'active');
  assert.deepEqual(await systemd.state(UNIT), before);
  await systemd.stop(UNIT);
  await listener.until(() => listener.states.at(-1) === null);
  assert.equal(listener.states.indexOf(null), listener.states.length - 1);
});

test('restarts that systemd makes on its own are counted and told', async () => {
  await using systemd = await Systemd.open(BUS);
  const listener = new Listener();
  using _watch = systemd.watch(listener);
  await systemd.startTransient(
    UNIT,
    service(
      ['/bin/sh', '-c', 'exit 7'],
      [
        { name: 'Restart', signature: 's', value: 'on-failure' },
        { name: 'RestartUSec', signature: 't', value: 10_000n },
      ],
    ),
  );
  await listener.until(() => listener.states.some((state) => (state?.restarts ?? 0) >= 2));
  assert.ok(listener.states.some((state) => state?.subState === 'auto-restart' && state.mainStatus === 7));
  await systemd.stop(UNIT);
  await systemd.resetFailed(UNIT);
});

test('a failure names the call, the unit and systemd’s error', async () => {
  await using systemd = await Systemd.open(BUS);
  await assert.rejects(systemd.start(UNIT), {
    code: 'host.call-failed',
    message: /^systemd: StartUnit .*host-units\.service failed: org\.freedesktop\.systemd1\.NoSuchUnit: /,
  });
  const nonsense = [{ name: 'NoSuchProperty', signature: 's', value: 'x' }];
  await assert.rejects(systemd.startTransient(UNIT, nonsense), {
    code: 'host.call-failed',
    message: /org\.freedesktop\.DBus\.Error\.PropertyReadOnly/,
  });
});

/** Unique names on the bus. */
async function uniqueNames(connection: BusConnection): Promise<readonly string[]> {
  const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };
  const [names] = await connection.call({ ...bus, member: 'ListNames' });
  return (names as string[]).filter((name) => name.startsWith(':'));
}

/** Sends the signals of a state change that never was, as an ordinary user, directly to one connection. */
function forge(destination: string): void {
  const path = '/org/freedesktop/systemd1/unit/sandboxed_2dagent_40host_2dunits_2eservice';
  const emit = ['setpriv', '--reuid=65534', '--clear-groups', 'busctl', 'emit', `--destination=${destination}`, path];
  const changed = ['org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as'];
  const service = [
    'Result',
    's',
    'oom-kill',
    'ExecMainCode',
    'i',
    '2',
    'ExecMainStatus',
    'i',
    '9',
    'MainPID',
    'u',
    '0',
  ];
  const rest = ['NRestarts', 'u', '0', 'StatusText', 's', 'forged'];
  const unit = ['ActiveState', 's', 'failed', 'SubState', 's', 'failed', 'InvocationID', 'ay', '0'];
  const unitRest = ['Job', '(uo)', '0', '/', 'ActiveEnterTimestamp', 't', '0'];
  const calls = [
    ['org.freedesktop.systemd1.Service', '6', ...service, ...rest, '0'],
    ['org.freedesktop.systemd1.Unit', '5', ...unit, ...unitRest, '0'],
  ];
  for (const words of calls) execFileSync(emit[0] ?? '', [...emit.slice(1), ...changed, ...words]);
}

/** Opens something on the bus and tells the unique name it got. */
async function nameOf<T>(observer: BusConnection, open: () => Promise<T>): Promise<readonly [opened: T, name: string]> {
  const before = await uniqueNames(observer);
  const opened = await open();
  const name = (await uniqueNames(observer)).find((other) => !before.includes(other));
  assert.ok(name !== undefined);
  return [opened, name];
}

test('signals that any user may send to us directly are not taken for PID 1’s', async () => {
  const received: BusSignal[] = [];
  const deaf = { signal: () => undefined, closed: () => undefined };
  const observer = await BusConnection.open(BUS, deaf);
  const naive = { signal: (signal: BusSignal) => void received.push(signal), closed: () => undefined };
  const [victim, victimName] = await nameOf(observer, () => BusConnection.open(BUS, naive));
  const [systemd, ourName] = await nameOf(observer, () => Systemd.open(BUS));
  try {
    const listener = new Listener();
    using _watch = systemd.watch(listener);
    // Positive control: the forged signals do arrive at a connection that looks at nothing but their names.
    forge(victimName);
    await uniqueNames(victim);
    assert.equal(received.filter((signal) => signal.member === 'PropertiesChanged').length, 2);
    forge(ourName);
    await systemd.startTransient(UNIT, service(SLEEP));
    await systemd.stop(UNIT);
    await listener.until(() => listener.states.at(-1) === null);
    assert.equal(
      listener.states.some((state) => state?.statusText === 'forged'),
      false,
    );
  } finally {
    observer.close();
    victim.close();
    await systemd[Symbol.asyncDispose]();
  }
});

test('a lost connection comes back, is told, and forgets no match', async () => {
  await using relay = await BusRelay.open();
  await using systemd = await Systemd.open(relay.address);
  const listener = new Listener();
  using _watch = systemd.watch(listener);
  await systemd.startTransient(UNIT, service(SLEEP));
  relay.cut();
  await listener.until(() => listener.losses === 1);
  assert.equal((await systemd.state(UNIT))?.activeState, 'active');
  await systemd.stop(UNIT);
  await listener.until(() => listener.states.at(-1) === null);
});

test('a job whose end nobody could hear is a failure, and calls wait for the end of the outage', async () => {
  await using relay = await BusRelay.open();
  await using systemd = await Systemd.open(relay.address);
  await using other = await Systemd.open(BUS);
  const begun = new Listener();
  using _watch = other.watch(begun);
  const slow = [{ name: 'ExecStartPre', signature: 'a(sasb)', value: [['/bin/sleep', SLEEP, false]] }];
  const lost = assert.rejects(systemd.startTransient(UNIT, service(SLEEP, slow)), {
    code: 'host.call-failed',
    message: /lost/,
  });
  await begun.until(() => begun.states.some((state) => state?.activeState === 'activating'));
  // The answer that names the job has come once a later call on the same connection is answered.
  await systemd.state(UNIT);
  await relay.close();
  await lost;
  const answer = systemd.state(UNIT);
  await relay.reopen();
  assert.equal((await answer)?.activeState, 'activating');
  await systemd.stop(UNIT);
  await systemd.resetFailed(UNIT);
});

test('a host without a bus is told as one', async () => {
  await assert.rejects(openThisHost({ busAddress: 'unix:path=/nonexistent/bus' }), {
    code: 'host.systemd-missing',
    message: /^The system bus at unix:path=\/nonexistent\/bus cannot be used: .*ENOENT/,
  });
});

test('PID 1 that executes itself anew is followed', async () => {
  await using systemd = await Systemd.open(BUS);
  const listener = new Listener();
  using _watch = systemd.watch(listener);
  await systemd.startTransient(UNIT, service(SLEEP));
  execFileSync('systemctl', ['daemon-reexec']);
  assert.equal((await systemd.state(UNIT))?.activeState, 'active');
  assert.equal(await systemd.stop(UNIT), 'done');
  await listener.until(() => listener.states.at(-1) === null);
});

test('a state text that a unit sends is told', async () => {
  await using systemd = await Systemd.open(BUS);
  const script = 'systemd-notify --ready --status="two of three"; exec sleep 1000';
  const notify = [
    { name: 'NotifyAccess', signature: 's', value: 'all' },
    { name: 'Type', signature: 's', value: 'notify' },
  ];
  const words = service(['/bin/sh', '-c', script]).filter(({ name }) => name !== 'Type');
  assert.equal(await systemd.startTransient(UNIT, [...words, ...notify]), 'done');
  assert.equal((await systemd.state(UNIT))?.statusText, 'two of three');
  await systemd.stop(UNIT);
});

mkdirSync('/run/systemd/system', { recursive: true });
