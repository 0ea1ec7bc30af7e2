import type { UnitState } from './host.ts';
import { plain } from './unit-values.ts';

/** Interfaces of a service's object (org.freedesktop.systemd1(5)). */
export const UNIT_INTERFACE: string = 'org.freedesktop.systemd1.Unit';
export const SERVICE_INTERFACE: string = 'org.freedesktop.systemd1.Service';

/** Properties of the unit interface that a state needs. All of them come with their value in PropertiesChanged. */
export const UNIT_PROPERTIES: readonly string[] = [
  'ActiveState',
  'SubState',
  'InvocationID',
  'Job',
  'ActiveEnterTimestamp',
];
/** The same of the service interface. */
export const SERVICE_PROPERTIES: readonly string[] = [
  'Result',
  'ExecMainCode',
  'ExecMainStatus',
  'MainPID',
  'NRestarts',
  'StatusText',
];

/** Values of one unit by property name, as far as they are known. */
export type PropertyValues = ReadonlyMap<string, unknown>;

/** Values of a `dict<string, variant>`. */
export function readDictionary(dictionary: unknown): PropertyValues {
  if (typeof dictionary !== 'object' || dictionary === null) return new Map();
  return new Map(Object.entries(dictionary).map(([name, value]) => [name, plain(value)]));
}

/** Whether every property of both interfaces is there. */
export function isComplete(values: PropertyValues): boolean {
  return UNIT_PROPERTIES.every((name) => values.has(name)) && SERVICE_PROPERTIES.every((name) => values.has(name));
}

/** A unit's state from its properties. */
export function readState(unit: string, values: PropertyValues): UnitState {
  return {
    unit,
    activeState: activeState(text(values.get('ActiveState'))),
    subState: text(values.get('SubState')),
    result: text(values.get('Result')),
    mainCode: count(values.get('ExecMainCode')),
    mainStatus: count(values.get('ExecMainStatus')),
    mainPid: count(values.get('MainPID')),
    invocationId: bytes(values.get('InvocationID')),
    restarts: count(values.get('NRestarts')),
    hasJob: jobId(values.get('Job')) !== 0,
    statusText: text(values.get('StatusText')),
    activeSinceMs: count(values.get('ActiveEnterTimestamp'), 1000n),
  };
}

const ACTIVE_STATES: readonly UnitState['activeState'][] = [
  'active',
  'reloading',
  'inactive',
  'failed',
  'activating',
  'deactivating',
  'maintenance',
];

/** Newer systemd may know more states; whatever they are, the unit is neither gone nor idle. */
function activeState(value: string): UnitState['activeState'] {
  return ACTIVE_STATES.find((known) => known === value) ?? 'maintenance';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A number of any width, divided; 0 when it is absent. */
function count(value: unknown, divisor = 1n): number {
  if (typeof value === 'bigint') return Number(value / divisor);
  return typeof value === 'number' ? Math.trunc(value / Number(divisor)) : 0;
}

function bytes(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : '';
}

/** First member of the `(uo)` struct. */
function jobId(value: unknown): number {
  return Array.isArray(value) ? count(value[0]) : 0;
}
