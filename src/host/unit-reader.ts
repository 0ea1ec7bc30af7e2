import { BUS_CALLS_AT_ONCE_MAX } from '../base/limits.ts';
import type { BusCall } from './bus-connection.ts';
import type { UnitState, UnitUsage } from './host.ts';
import { unitPath } from './object-path.ts';
import { readState, SERVICE_INTERFACE, SERVICE_PROPERTIES, UNIT_INTERFACE, UNIT_PROPERTIES } from './unit-state.ts';
import { plain } from './unit-values.ts';

/** Well-known name of PID 1. */
export const SYSTEMD: string = 'org.freedesktop.systemd1';

/** Calls a method of the bus. */
export type CallBus = (call: BusCall) => Promise<readonly unknown[]>;

/** Reads the state of a loaded unit. Asking for the object of another one would make PID 1 load it. */
export async function readUnit(call: CallBus, unit: string): Promise<UnitState> {
  const read = async (interfaceName: string, name: string): Promise<readonly [string, unknown]> => [
    name,
    await getProperty(call, unit, { interfaceName, name }),
  ];
  const values = await Promise.all([
    ...UNIT_PROPERTIES.map((name) => read(UNIT_INTERFACE, name)),
    ...SERVICE_PROPERTIES.map((name) => read(SERVICE_INTERFACE, name)),
  ]);
  return readState(unit, new Map(values));
}

/** Reads the states of many loaded units, a bounded number at once, in the order of their names here. */
export async function readUnits(
  names: readonly string[],
  read: (unit: string) => Promise<UnitState | null>,
): Promise<readonly UnitState[]> {
  const perUnit = UNIT_PROPERTIES.length + SERVICE_PROPERTIES.length;
  const states: (UnitState | null)[] = new Array(names.length).fill(null);
  const queue = names.entries();
  const worker = async (): Promise<void> => {
    for (const [index, name] of queue) states[index] = await read(name);
  };
  await Promise.all(Array.from({ length: Math.ceil(BUS_CALLS_AT_ONCE_MAX / perUnit) }, worker));
  return states.filter((state) => state !== null);
}

/** What a loaded unit uses. */
export async function readUsage(call: CallBus, unit: string): Promise<UnitUsage> {
  const number = async (name: string): Promise<number | null> => {
    try {
      return accounted(await getProperty(call, unit, { interfaceName: SERVICE_INTERFACE, name }));
    } catch (error) {
      // MemoryPeak is younger than the oldest systemd we run on.
      if (errorName(error) === 'org.freedesktop.DBus.Error.UnknownProperty') return null;
      throw error;
    }
  };
  const [memoryBytes, memoryPeakBytes, tasks, cpuNanoseconds] = await Promise.all(
    ['MemoryCurrent', 'MemoryPeak', 'TasksCurrent', 'CPUUsageNSec'].map(number),
  );
  return {
    memoryBytes: memoryBytes ?? null,
    memoryPeakBytes: memoryPeakBytes ?? null,
    tasks: tasks ?? null,
    cpuNanoseconds: cpuNanoseconds ?? null,
  };
}

/** Nothing is used: the answer for a unit that is not loaded. */
export const NO_USAGE: UnitUsage = { memoryBytes: null, memoryPeakBytes: null, tasks: null, cpuNanoseconds: null };

/** Name of a D-Bus error, or null for any other failure. */
export function errorName(error: unknown): string | null {
  if (!(error instanceof Error) || error.name !== 'DBusError' || !('type' in error)) return null;
  return typeof error.type === 'string' ? error.type : null;
}

async function getProperty(
  call: CallBus,
  unit: string,
  property: { readonly interfaceName: string; readonly name: string },
): Promise<unknown> {
  const [value] = await call({
    destination: SYSTEMD,
    path: unitPath(unit),
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    body: [property.interfaceName, property.name],
  });
  return plain(value);
}

/** PID 1 says UINT64_MAX for what it does not account. */
function accounted(value: unknown): number | null {
  if (typeof value !== 'bigint' || value === 0xffff_ffff_ffff_ffffn) return null;
  return Number(value);
}
