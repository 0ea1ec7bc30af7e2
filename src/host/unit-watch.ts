import type { BusSignal } from './bus-connection.ts';
import type { UnitListener, UnitState } from './host.ts';
import { unitOfPath, unitPath } from './object-path.ts';
import { isComplete, readDictionary, readState, SERVICE_INTERFACE, UNIT_INTERFACE } from './unit-state.ts';

/** How names of agents' units begin and end. */
const PREFIX = 'sandboxed-agent@';
const SUFFIX = '.service';
const PATH_PREFIX = unitPath(PREFIX);

/** Reads of one state until the last one counts, whatever signals came meanwhile; a unit that changes faster has no state. */
const READS_MAX = 5;

/** A read of one unit's state that is under way. */
interface Read {
  readonly unit: string;
  isOutdated: boolean;
}

/**
 * Knows the states of agents' units from the signals alone. PID 1 sends two
 * for each change, the service's properties and then the unit's, and both
 * carry every value a state is made of; no call is needed.
 */
export class UnitWatch {
  readonly #listeners = new Set<UnitListener>();
  readonly #values = new Map<string, Map<string, unknown>>();
  readonly #reads = new Set<Read>();
  readonly #readAgain: (unit: string) => void;

  /** `readAgain` is asked for a unit whose signals did not say everything; its answer comes by {@link tell}. */
  constructor(readAgain: (unit: string) => void) {
    this.#readAgain = readAgain;
  }

  /** Adds a listener; the result removes it. */
  add(listener: UnitListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Takes in PropertiesChanged of any unit. */
  propertiesChanged(signal: BusSignal): void {
    if (!signal.path.startsWith(PATH_PREFIX)) return;
    const unit = unitOfPath(signal.path);
    if (unit === null || !unit.endsWith(SUFFIX)) return;
    const [interfaceName, changed] = signal.body;
    if (interfaceName !== UNIT_INTERFACE && interfaceName !== SERVICE_INTERFACE) return;
    const values = this.#values.get(unit) ?? new Map<string, unknown>();
    this.#values.set(unit, values);
    for (const [name, value] of readDictionary(changed)) values.set(name, value);
    this.#outdate(unit);
    if (interfaceName === SERVICE_INTERFACE) return;
    if (isComplete(values)) this.tell(unit, readState(unit, values));
    else this.#readAgain(unit);
  }

  /**
   * Takes in UnitRemoved of any unit. PID 1 sends it for every unit while it
   * re-reads its configuration, too, so it is asked what holds afterwards.
   */
  unitRemoved(unit: string): void {
    if (!unit.startsWith(PREFIX) || !unit.endsWith(SUFFIX)) return;
    this.#values.delete(unit);
    this.#outdate(unit);
    this.#readAgain(unit);
  }

  /** Tells every listener of a state. */
  tell(unit: string, state: UnitState | null): void {
    for (const listener of [...this.#listeners]) listener.changed(unit, state);
  }

  /**
   * The state that the signals told last, or null when they have not told everything. Asking for a dozen
   * properties one by one takes PID 1, the bus and us some milliseconds of each start.
   */
  known(unit: string): UnitState | null {
    const values = this.#values.get(unit);
    return values !== undefined && isComplete(values) ? readState(unit, values) : null;
  }

  /** Signals were missed: forgets everything and tells the listeners to read again. */
  lost(): void {
    this.#values.clear();
    for (const listener of [...this.#listeners]) listener.lost();
  }

  /**
   * Reads a state by calls. PID 1 answers them one by one and may send signals
   * between two answers; then the signals are newer and their state is the one
   * to return, or else a caller could take a state for the present one that
   * its listener has already seen the end of. When they do not say everything,
   * the calls are made again.
   */
  async during(unit: string, body: () => Promise<UnitState | null>): Promise<UnitState | null> {
    for (let attempt = 1; ; attempt += 1) {
      const read: Read = { unit, isOutdated: false };
      this.#reads.add(read);
      try {
        const state = await body();
        const values = this.#values.get(unit);
        if (!read.isOutdated || attempt === READS_MAX) return state;
        if (values !== undefined && isComplete(values)) return readState(unit, values);
      } finally {
        this.#reads.delete(read);
      }
    }
  }

  #outdate(unit: string): void {
    for (const read of this.#reads) if (read.unit === unit) read.isOutdated = true;
  }
}
