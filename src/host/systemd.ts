import { SpawnError } from '../base/errors.ts';
import type { UnitProperty } from '../plan/unit-property.ts';
import { SystemBus } from './bus.ts';
import { type BusConnection, type BusSignal, BusUnavailable } from './bus-connection.ts';
import type { HostUnits, JobResult, UnitListener, UnitState, UnitUsage } from './host.ts';
import { UnitJobs } from './unit-jobs.ts';
import { errorName, NO_USAGE, readUnit, readUnits, readUsage, SYSTEMD } from './unit-reader.ts';
import { propertyArguments } from './unit-values.ts';
import { UnitWatch } from './unit-watch.ts';

const MANAGER_PATH = '/org/freedesktop/systemd1';
const MANAGER_INTERFACE = 'org.freedesktop.systemd1.Manager';
const BUS = 'org.freedesktop.DBus';

/**
 * Signals we need. The bus cannot match a unit's name by its beginning, so all
 * units' signals come here; those of other interfaces than a service's do not.
 */
const MATCH_RULES = [
  `type='signal',sender='${BUS}',interface='${BUS}',member='NameOwnerChanged',arg0='${SYSTEMD}'`,
  ...['JobRemoved', 'UnitRemoved'].map(
    (member) =>
      `type='signal',sender='${SYSTEMD}',path='${MANAGER_PATH}',interface='${MANAGER_INTERFACE}',member='${member}'`,
  ),
  ...['Unit', 'Service'].map(
    (name) =>
      `type='signal',sender='${SYSTEMD}',path_namespace='${MANAGER_PATH}/unit',` +
      `interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='${SYSTEMD}.${name}'`,
  ),
];

/** PID 1 over the system bus. */
export class Systemd implements HostUnits, AsyncDisposable {
  readonly #jobs = new UnitJobs();
  readonly #watch: UnitWatch;
  #bus: SystemBus | null = null;
  /** Unique bus name of PID 1. Anybody on the bus may send a signal to us directly; only this sender's count. */
  #owner = '';

  private constructor() {
    this.#watch = new UnitWatch((unit) => void this.#readAgain(unit));
  }

  /** Connects to the bus at a D-Bus address. Throws `host.systemd-missing`. */
  static async open(address: string): Promise<Systemd> {
    const systemd = new Systemd();
    systemd.#bus = await SystemBus.open({
      address,
      prepare: (connection) => systemd.#prepare(connection),
      signal: (signal) => systemd.#signal(signal),
      lost: () => systemd.#jobs.lost(new BusUnavailable('the connection to the system bus was lost')),
      restored: () => systemd.#watch.lost(),
    });
    return systemd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bus?.[Symbol.asyncDispose]();
  }

  async startTransient(unit: string, properties: readonly UnitProperty[]): Promise<JobResult> {
    try {
      return await this.#job('StartTransientUnit', unit, 'ssa(sv)a(sa(sv))', [
        unit,
        'fail',
        propertyArguments(properties),
        [],
      ]);
    } catch (error) {
      if (causeName(error) !== `${SYSTEMD}.UnitExists`) throw error;
      throw new SpawnError('sandbox.exists', `The unit ${unit} exists already.`, {
        remedy: `systemctl status ${unit}`,
        cause: error,
      });
    }
  }

  start(unit: string): Promise<JobResult> {
    return this.#job('StartUnit', unit, 'ss', [unit, 'replace']);
  }

  async stop(unit: string): Promise<JobResult> {
    return (await this.#known(this.#job('StopUnit', unit, 'ss', [unit, 'replace']))) ?? 'done';
  }

  restart(unit: string): Promise<JobResult> {
    return this.#job('RestartUnit', unit, 'ss', [unit, 'replace']);
  }

  async tryRestart(unit: string): Promise<JobResult> {
    return (await this.#known(this.#job('TryRestartUnit', unit, 'ss', [unit, 'replace']))) ?? 'done';
  }

  reloadUnit(unit: string): Promise<JobResult> {
    return this.#job('ReloadUnit', unit, 'ss', [unit, 'replace']);
  }

  async kill(unit: string, signal: number): Promise<void> {
    await this.#known(this.#manager('KillUnit', unit, 'ssi', [unit, 'all', signal]));
  }

  async resetFailed(unit: string): Promise<void> {
    await this.#known(this.#manager('ResetFailedUnit', unit, 's', [unit]));
  }

  async reload(): Promise<void> {
    await this.#manager('Reload', '', '', []);
  }

  state(unit: string): Promise<UnitState | null> {
    return this.#watch.during(unit, async () => {
      if (!(await this.#isLoaded(unit))) return null;
      return this.#watch.known(unit) ?? this.#named(unit, () => readUnit((call) => this.#open().call(call), unit));
    });
  }

  async usage(unit: string): Promise<UnitUsage> {
    if (!(await this.#isLoaded(unit))) return NO_USAGE;
    return this.#named(unit, () => readUsage((call) => this.#open().call(call), unit));
  }

  async list(pattern: string): Promise<readonly UnitState[]> {
    return readUnits(await this.#names([], pattern), (unit) => this.state(unit));
  }

  names(pattern: string, states: readonly string[]): Promise<readonly string[]> {
    return this.#names(states, pattern);
  }

  watch(listener: UnitListener): Disposable {
    return this.#watch.add(listener);
  }

  /** Loaded units by a glob; without states, in any of them. */
  async #names(states: readonly string[], pattern: string): Promise<readonly string[]> {
    const [units] = await this.#manager('ListUnitsByPatterns', pattern, 'asas', [states, [pattern]]);
    return Array.isArray(units) ? units.map((row: readonly unknown[]) => String(row[0])) : [];
  }

  /** Match rules come first, so that nothing is missed between the subscription and the first job. */
  async #prepare(connection: BusConnection): Promise<void> {
    const bus = { destination: BUS, path: '/org/freedesktop/DBus', interface: BUS };
    const matches = MATCH_RULES.map((rule) =>
      connection.call({ ...bus, member: 'AddMatch', signature: 's', body: [rule] }),
    );
    const [[owner]] = await Promise.all([
      connection.call({ ...bus, member: 'GetNameOwner', signature: 's', body: [SYSTEMD] }),
      connection.call({
        destination: SYSTEMD,
        path: MANAGER_PATH,
        interface: MANAGER_INTERFACE,
        member: 'Subscribe',
      }),
      ...matches,
    ]);
    this.#owner = String(owner);
  }

  #signal(signal: BusSignal): void {
    if (signal.sender === BUS) this.#ownerChanged(signal);
    if (signal.sender !== this.#owner) return;
    const [first, second, , fourth] = signal.body;
    if (signal.member === 'PropertiesChanged') this.#watch.propertiesChanged(signal);
    else if (signal.member === 'JobRemoved') this.#jobs.removed(String(second), String(fourth));
    else if (signal.member === 'UnitRemoved') this.#watch.unitRemoved(String(first));
  }

  /** PID 1 left the bus or came back to it, as it does when it re-executes itself: it may have forgotten us. */
  #ownerChanged(signal: BusSignal): void {
    const [name, , owner] = signal.body;
    if (signal.member !== 'NameOwnerChanged' || name !== SYSTEMD) return;
    this.#owner = String(owner);
    if (this.#owner === '') return;
    void this.#manager('Subscribe', '', '', []).catch(() => undefined);
    this.#watch.lost();
  }

  async #readAgain(unit: string): Promise<void> {
    try {
      this.#watch.tell(unit, await this.state(unit));
    } catch {
      // The connection is gone, and every listener will be told so.
    }
  }

  /** Answers for a unit that is loaded and nothing else, so that it is not loaded by asking. */
  async #isLoaded(unit: string): Promise<boolean> {
    return (await this.#known(this.#manager('GetUnit', unit, 's', [unit]))) !== null;
  }

  async #job(member: string, unit: string, signature: string, body: readonly unknown[]): Promise<JobResult> {
    return this.#named(unit, () =>
      this.#jobs.wait(async () => String((await this.#manager(member, unit, signature, body))[0])),
    );
  }

  #manager(member: string, unit: string, signature: string, body: readonly unknown[]): Promise<readonly unknown[]> {
    const call = { destination: SYSTEMD, path: MANAGER_PATH, interface: MANAGER_INTERFACE, member, signature, body };
    return this.#named(`${member} ${unit}`.trimEnd(), () => this.#open().call(call));
  }

  /** Null instead of the failure that means that PID 1 has no such unit loaded, or nothing runs in it. */
  async #known<T>(answer: Promise<T>): Promise<T | null> {
    try {
      return await answer;
    } catch (error) {
      const name = causeName(error);
      if (name === `${SYSTEMD}.NoSuchUnit` || name === `${SYSTEMD}.NoSuchProcess`) return null;
      throw error;
    }
  }

  /** Turns whatever the bus throws into a `host.*` failure that names the operation and the D-Bus error. */
  async #named<T>(subject: string, body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof SpawnError) throw error;
      const name = errorName(error);
      const text = error instanceof Error ? error.message : String(error);
      const detail = name === null ? text : `${name}: ${text}`;
      throw new SpawnError('host.call-failed', `systemd: ${subject} failed: ${detail}`, { cause: error });
    }
  }

  #open(): SystemBus {
    if (this.#bus === null) throw new BusUnavailable('the bus is not connected yet');
    return this.#bus;
  }
}

/** D-Bus error name behind a failure of ours, or null. */
function causeName(error: unknown): string | null {
  return error instanceof SpawnError ? errorName(error.cause) : errorName(error);
}
