import { assert } from '../base/assert.ts';
import { escapeSpecifiers, quoteWord } from './exec-line.ts';
import type { PropertyValue, UnitProperty } from './unit-property.ts';

/** How one bus property is written in a unit file. */
interface Directive {
  readonly section: 'Unit' | 'Service';
  readonly key: string;
  readonly write: (value: PropertyValue) => string;
}

/** The one table of directives: bus name → section, key and spelling. */
const DIRECTIVES: Readonly<Record<string, Directive>> = {
  After: unit('After', writeUnits),
  AmbientCapabilities: service('AmbientCapabilities', emptySet),
  BindsTo: unit('BindsTo', writeUnits),
  BindReadOnlyPaths: service('BindReadOnlyPaths', writeBinds),
  CapabilityBoundingSet: service('CapabilityBoundingSet', emptySet),
  CollectMode: unit('CollectMode', writeText),
  CPUAccounting: service('CPUAccounting', writeBoolean),
  CPUQuotaPerSecUSec: service('CPUQuota', writeQuota),
  CPUWeight: service('CPUWeight', writeNumber),
  Description: unit('Description', writeText),
  ExecStartEx: service('ExecStart', writeCommand),
  ExecStopPostEx: service('ExecStopPost', writeCommand),
  JoinsNamespaceOf: unit('JoinsNamespaceOf', writeUnits),
  IOWeight: service('IOWeight', writeNumber),
  KeyringMode: service('KeyringMode', writeText),
  KillMode: service('KillMode', writeText),
  LimitCORE: service('LimitCORE', writeNumber),
  LimitNOFILE: service('LimitNOFILE', writeNumber),
  LoadCredential: service('LoadCredential', writeCredential),
  LockPersonality: service('LockPersonality', writeBoolean),
  MemoryHigh: service('MemoryHigh', writeNumber),
  MemoryMax: service('MemoryMax', writeNumber),
  MemorySwapMax: service('MemorySwapMax', writeNumber),
  NetworkNamespacePath: service('NetworkNamespacePath', writeText),
  NoNewPrivileges: service('NoNewPrivileges', writeBoolean),
  NotifyAccess: service('NotifyAccess', writeText),
  OOMPolicy: service('OOMPolicy', writeText),
  OOMScoreAdjust: service('OOMScoreAdjust', writeNumber),
  PrivateNetwork: service('PrivateNetwork', writeBoolean),
  Requires: unit('Requires', writeUnits),
  Restart: service('Restart', writeText),
  RestartPreventExitStatus: service('RestartPreventExitStatus', writeExitStatus),
  RestartUSec: service('RestartSec', writeTime),
  RestrictAddressFamilies: service('RestrictAddressFamilies', writeFilter),
  RestrictRealtime: service('RestrictRealtime', writeBoolean),
  RuntimeMaxUSec: service('RuntimeMaxSec', writeTime),
  Slice: service('Slice', writeText),
  StandardError: service('StandardError', writeText),
  StandardInput: service('StandardInput', writeText),
  StandardOutput: service('StandardOutput', writeText),
  SyslogIdentifier: service('SyslogIdentifier', writeText),
  SyslogLevelPrefix: service('SyslogLevelPrefix', writeBoolean),
  SystemCallArchitectures: service('SystemCallArchitectures', writeWords),
  SystemCallErrorNumber: service('SystemCallErrorNumber', writeErrno),
  SystemCallFilter: service('SystemCallFilter', writeFilter),
  TasksMax: service('TasksMax', writeNumber),
  TimeoutStopUSec: service('TimeoutStopSec', writeTime),
  Type: service('Type', writeText),
  User: service('User', writeText),
};

/** A unit file with the same effect as a transient unit of these properties. */
export function renderUnitText(properties: readonly UnitProperty[], header: readonly string[] = []): string {
  const sections = { Unit: [] as string[], Service: [] as string[] };
  for (const { name, value } of properties) {
    const directive = DIRECTIVES[name];
    assert(directive !== undefined, `the property ${name} has a spelling in unit files`);
    sections[directive.section].push(`${directive.key}=${directive.write(value)}`);
  }
  const comments = header.map((line) => `# ${line}\n`).join('');
  return `${comments}[Unit]\n${sections.Unit.join('\n')}\n\n[Service]\n${sections.Service.join('\n')}\n`;
}

function unit(key: string, write: Directive['write']): Directive {
  return { section: 'Unit', key, write };
}

function service(key: string, write: Directive['write']): Directive {
  return { section: 'Service', key, write };
}

/** A whole-line value: no quoting, only specifiers and line ends need care. */
function writeText(value: PropertyValue): string {
  const text = escapeSpecifiers(String(value));
  assert(!/[\n\r]/.test(text), 'a unit-file value is one line');
  return text.endsWith('\\') ? `${text} ` : text;
}

function writeNumber(value: PropertyValue): string {
  return String(value);
}

function writeBoolean(value: PropertyValue): string {
  return value === true ? 'yes' : 'no';
}

/** Microseconds, in seconds where that is exact. */
function writeTime(value: PropertyValue): string {
  const microseconds = BigInt(value as bigint);
  return microseconds % 1_000_000n === 0n ? `${microseconds / 1_000_000n}s` : `${microseconds}us`;
}

/** Microseconds of CPU time per second of wall time, as percent. */
function writeQuota(value: PropertyValue): string {
  return `${BigInt(value as bigint) / 10_000n}%`;
}

/** Capability sets are only ever emptied; the empty assignment does that. */
function emptySet(value: PropertyValue): string {
  assert(value === 0n, 'agents have no capabilities');
  return '';
}

function writeWords(value: PropertyValue): string {
  return (value as readonly string[]).map(quoteWord).join(' ');
}

/** Names of units stand as they are: a backslash belongs to the name (systemd.unit(5)). */
function writeUnits(value: PropertyValue): string {
  const names = value as readonly string[];
  assert(
    names.every((name) => /^[A-Za-z0-9:_.\\@-]+$/.test(name)),
    'the name of a unit needs no quoting',
  );
  return names.join(' ');
}

/** `(bas)`: false makes it a deny list, which unit files mark with `~`. */
function writeFilter(value: PropertyValue): string {
  const [isAllowList, names] = value as readonly [boolean, readonly string[]];
  return `${isAllowList ? '' : '~'}${names.join(' ')}`;
}

/** Only EPERM is used. */
function writeErrno(value: PropertyValue): string {
  assert(value === 1, 'denied system calls answer EPERM');
  return 'EPERM';
}

/** `(aiai)`: exit statuses and signals; only SIGTERM is used. */
function writeExitStatus(value: PropertyValue): string {
  const [statuses, signals] = value as readonly [readonly number[], readonly number[]];
  assert(statuses.length === 0 && signals.length === 1 && signals[0] === 15, 'only SIGTERM prevents a restart');
  return 'SIGTERM';
}

/** `a(sasas)`: path, words, flags; the flags are prefixes in unit files (systemd.service(5)). */
function writeCommand(value: PropertyValue): string {
  const commands = value as readonly (readonly [string, readonly string[], readonly string[]])[];
  const [command] = commands;
  assert(commands.length === 1 && command !== undefined, 'one command per directive');
  const [path, words, flags] = command;
  assert(path === words[0], 'argv[0] is the path');
  const prefix = `${flags.includes('ignore-failure') ? '-' : ''}${flags.includes('privileged') ? '+' : ''}${flags.includes('no-env-expand') ? ':' : ''}`;
  return `${prefix}${words.map(quoteWord).join(' ')}`;
}

/** `a(ss)`: name and path; only one is used. */
function writeCredential(value: PropertyValue): string {
  const credentials = value as readonly (readonly [string, string])[];
  const [credential] = credentials;
  assert(credentials.length === 1 && credential !== undefined, 'one credential per unit');
  return escapeSpecifiers(credential.join(':'));
}

/** `a(ssbt)`: source, destination, ignore-missing, recursive flag. */
function writeBinds(value: PropertyValue): string {
  return (value as readonly (readonly [string, string, boolean, bigint])[])
    .map(([source, destination]) => quoteWord(`${source}:${destination}`))
    .join(' ');
}
