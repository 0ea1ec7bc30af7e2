import { SpawnError } from '../../src/base/errors.ts';
import type { HostUnits, JobResult, UnitListener, UnitState, UnitUsage } from '../../src/host/host.ts';
import type { UnitProperty } from '../../src/plan/unit-property.ts';
import type { FakeClock } from './fake-clock.ts';
import type { FakeFaults } from './fake-faults.ts';
import type { FakeFiles } from './fake-files.ts';

/** How the next starts of a unit go. */
export interface StartScript {
  /** `done` when absent. */
  readonly result?: JobResult;
  /** What is different from a unit that runs; only the part that a test is about. */
  readonly state?: Partial<UnitState>;
}

/** How a run ends. */
export interface EndScript {
  readonly result: string;
  readonly mainCode: number;
  readonly mainStatus: number;
}

/** A run that ended with status 0. */
export const SUCCESS: EndScript = { result: 'success', mainCode: 1, mainStatus: 0 };

interface FakeUnit {
  state: UnitState;
  readonly properties: readonly UnitProperty[];
  readonly isTransient: boolean;
}

const NO_USAGE: UnitUsage = { memoryBytes: null, memoryPeakBytes: null, tasks: null, cpuNanoseconds: null };
const SIGTERM = 15;

/** PID 1 in memory: units that are loaded, what their starts do, and the signals that go with it. */
export class FakeUnits implements HostUnits {
  readonly loaded = new Map<string, FakeUnit>();
  /** Directory of unit files; a unit with a file there can be started by name. */
  unitsDirectory = '/run/systemd/system';
  reloads = 0;
  /** Units other than agents' that {@link names} finds failed. */
  readonly failedUnits = new Set<string>();
  readonly #scripts = new Map<string, StartScript>();
  readonly #listeners = new Set<UnitListener>();
  readonly #faults: FakeFaults;
  readonly #files: FakeFiles;
  readonly #clock: FakeClock;
  #pid = 1000;

  constructor(faults: FakeFaults, files: FakeFiles, clock: FakeClock) {
    this.#faults = faults;
    this.#files = files;
    this.#clock = clock;
  }

  /** Says how starts of a unit go from now on. */
  script(unit: string, script: StartScript): void {
    this.#scripts.set(unit, script);
  }

  /** Ends the run of a unit by itself, as its own program would. */
  end(unit: string, end: EndScript = SUCCESS): void {
    const present = this.loaded.get(unit);
    if (present === undefined) throw new Error(`the fake has no unit ${unit}`);
    const isFailure = end.result !== 'success';
    const ended = isFailure
      ? ({ activeState: 'failed', subState: 'failed' } as const)
      : ({ activeState: 'inactive', subState: 'dead' } as const);
    this.#change(present, { ...ended, ...end, mainPid: 0, hasJob: false });
    if (!isFailure) this.#unload(unit);
  }

  /** Changes a unit's state and tells the listeners. */
  change(unit: string, changes: Partial<UnitState>): void {
    const present = this.loaded.get(unit);
    if (present === undefined) throw new Error(`the fake has no unit ${unit}`);
    this.#change(present, changes);
  }

  /** The connection was lost and is back. */
  lose(): void {
    for (const listener of [...this.#listeners]) listener.lost();
  }

  startTransient(unit: string, properties: readonly UnitProperty[]): Promise<JobResult> {
    return this.#faults.mutate(`StartTransientUnit ${unit}`, () => {
      if (this.loaded.has(unit) || this.#hasFile(unit)) {
        throw new SpawnError('sandbox.exists', `The unit ${unit} exists already.`);
      }
      return this.#start({ state: idleState(unit), properties, isTransient: true });
    });
  }

  start(unit: string): Promise<JobResult> {
    return this.#faults.mutate(`StartUnit ${unit}`, () => this.#startByName(unit));
  }

  stop(unit: string): Promise<JobResult> {
    return this.#faults.mutate(`StopUnit ${unit}`, () => {
      const present = this.loaded.get(unit);
      if (present !== undefined && isRunning(present.state)) {
        this.end(unit, { result: 'success', mainCode: 2, mainStatus: SIGTERM });
      }
      return 'done' as const;
    });
  }

  restart(unit: string): Promise<JobResult> {
    return this.#faults.mutate(`RestartUnit ${unit}`, () => {
      const present = this.loaded.get(unit);
      if (present !== undefined && isRunning(present.state)) return this.#start(present);
      return this.#startByName(unit);
    });
  }

  tryRestart(unit: string): Promise<JobResult> {
    return this.#faults.mutate(`TryRestartUnit ${unit}`, () => {
      const present = this.loaded.get(unit);
      return present?.state.activeState === 'active' ? this.#start(present) : 'done';
    });
  }

  reloadUnit(unit: string): Promise<JobResult> {
    return this.#faults.mutate(`ReloadUnit ${unit}`, () => {
      const present = this.loaded.get(unit);
      if (present === undefined || !isRunning(present.state)) return 'failed';
      return this.#scripts.get(unit)?.result ?? 'done';
    });
  }

  kill(unit: string, signal: number): Promise<void> {
    return this.#faults.mutate(`KillUnit ${unit}`, () => {
      const present = this.loaded.get(unit);
      if (present === undefined || !isRunning(present.state)) return;
      const isClean = [1, 2, 13, SIGTERM].includes(signal);
      this.end(unit, { result: isClean ? 'success' : 'signal', mainCode: 2, mainStatus: signal });
    });
  }

  resetFailed(unit: string): Promise<void> {
    return this.#faults.mutate(`ResetFailedUnit ${unit}`, () => {
      const present = this.loaded.get(unit);
      if (present?.state.activeState !== 'failed') return;
      this.#change(present, { activeState: 'inactive', subState: 'dead', result: 'success' });
      this.#unload(unit);
    });
  }

  reload(): Promise<void> {
    return this.#faults.mutate('Reload', () => {
      this.reloads += 1;
    });
  }

  async state(unit: string): Promise<UnitState | null> {
    return this.loaded.get(unit)?.state ?? null;
  }

  async usage(unit: string): Promise<UnitUsage> {
    const present = this.loaded.get(unit);
    if (present === undefined || !isRunning(present.state)) return NO_USAGE;
    return { memoryBytes: 1024 * 1024, memoryPeakBytes: null, tasks: 3, cpuNanoseconds: 1_000_000 };
  }

  async list(pattern: string): Promise<readonly UnitState[]> {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
    const glob = new RegExp(`^${parts.join('.*')}$`);
    return [...this.loaded.values()].map(({ state }) => state).filter(({ unit }) => glob.test(unit));
  }

  async names(pattern: string, states: readonly string[]): Promise<readonly string[]> {
    const isAny = states.length === 0;
    const agents = [...this.loaded.values()].filter(({ state }) => isAny || states.includes(state.activeState));
    const others = isAny || states.includes('failed') ? [...this.failedUnits] : [];
    return [...others, ...agents.map(({ state }) => state.unit)].filter((unit) => unit === pattern);
  }

  watch(listener: UnitListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #startByName(unit: string): JobResult {
    const present = this.loaded.get(unit);
    if (present === undefined && !this.#hasFile(unit)) {
      throw new SpawnError('host.call-failed', `StartUnit ${unit} failed: org.freedesktop.systemd1.NoSuchUnit`);
    }
    if (present !== undefined && isRunning(present.state)) return 'done';
    return this.#start(present ?? { state: idleState(unit), properties: [], isTransient: false });
  }

  #start(unit: FakeUnit): JobResult {
    const { unit: name } = unit.state;
    const script = this.#scripts.get(name) ?? {};
    const result = script.result ?? 'done';
    this.#pid += 1;
    this.loaded.set(name, unit);
    for (const mount of this.#mountsOf(unit)) this.#mount(mount);
    const running: Partial<UnitState> =
      result === 'done'
        ? { activeState: 'active', subState: 'running', mainPid: this.#pid, activeSinceMs: this.#clock.now() }
        : { activeState: 'failed', subState: 'failed', result: 'exit-code', mainCode: 1, mainStatus: 203, mainPid: 0 };
    const fresh = { ...idleState(name), invocationId: this.#pid.toString(16).padStart(32, '0') };
    this.#change(unit, { ...fresh, ...running, ...script.state });
    return result;
  }

  /** Mounts that a transient unit, or the file of another one, requires. */
  #mountsOf({ properties, state }: FakeUnit): readonly string[] {
    const required = properties.filter(({ name }) => name === 'Requires').flatMap(({ value }) => value as string[]);
    const text = this.#files.text(`${this.unitsDirectory}/${state.unit}`) ?? '';
    const written = [...text.matchAll(/^Requires=(.*)$/gm)].flatMap(([, names = '']) => names.split(' '));
    return [...required, ...written].filter((name) => name.endsWith('.mount') && this.#hasFile(name));
  }

  #mount(name: string): void {
    const [, where = ''] = /^Where=(.*)$/m.exec(this.#files.text(`${this.unitsDirectory}/${name}`) ?? '') ?? [];
    this.#files.seedDirectory(where);
    if (this.loaded.has(name)) return;
    const state = { ...idleState(name), activeState: 'active', subState: 'mounted' } as const;
    this.loaded.set(name, { state, properties: [], isTransient: false });
  }

  #change(unit: FakeUnit, changes: Partial<UnitState>): void {
    unit.state = { ...unit.state, ...changes };
    for (const listener of [...this.#listeners]) listener.changed(unit.state.unit, unit.state);
  }

  #unload(unit: string): void {
    this.loaded.delete(unit);
    for (const listener of [...this.#listeners]) listener.changed(unit, null);
  }

  #hasFile(unit: string): boolean {
    return this.#files.text(`${this.unitsDirectory}/${unit}`) !== null;
  }
}

function isRunning(state: UnitState): boolean {
  return state.activeState !== 'inactive' && state.activeState !== 'failed';
}

function idleState(unit: string): UnitState {
  return {
    unit,
    activeState: 'inactive',
    subState: 'dead',
    result: 'success',
    mainCode: 0,
    mainStatus: 0,
    mainPid: 0,
    invocationId: '',
    restarts: 0,
    hasJob: false,
    statusText: '',
    activeSinceMs: 0,
  };
}
