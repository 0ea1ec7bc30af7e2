import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PropertiesInput } from '../../../src/plan/properties.ts';
import { planProperties, stdioProperties } from '../../../src/plan/properties.ts';
import type { PropertyValue, UnitProperty } from '../../../src/plan/unit-property.ts';
import { renderUnitText } from '../../../src/plan/unit-text.ts';

/**
 * Reads unit text back by the rules of systemd.syntax(7) and systemd.service(5),
 * written independently of the renderer: both must mean the same unit.
 */
function readUnitText(text: string): readonly UnitProperty[] {
  const properties: UnitProperty[] = [];
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (line.startsWith('#') || line.startsWith('[') || at < 0) continue;
    const reader = READERS[line.slice(0, at)];
    assert.ok(reader, `an unknown directive: ${line}`);
    properties.push({ name: reader[0], signature: reader[1], value: reader[2](line.slice(at + 1)) });
  }
  return properties;
}

type Reader = readonly [name: string, signature: string, read: (text: string) => PropertyValue];

const READERS: Readonly<Record<string, Reader>> = {
  AmbientCapabilities: ['AmbientCapabilities', 't', (text) => (text === '' ? 0n : -1n)],
  BindReadOnlyPaths: [
    'BindReadOnlyPaths',
    'a(ssbt)',
    (text) =>
      words(text).map((word) => [word.slice(0, word.indexOf(':')), word.slice(word.indexOf(':') + 1), false, 0n]),
  ],
  CapabilityBoundingSet: ['CapabilityBoundingSet', 't', (text) => (text === '' ? 0n : -1n)],
  CollectMode: ['CollectMode', 's', plain],
  CPUAccounting: ['CPUAccounting', 'b', boolean],
  CPUQuota: ['CPUQuotaPerSecUSec', 't', (text) => BigInt(text.replace('%', '')) * 10_000n],
  CPUWeight: ['CPUWeight', 't', BigInt],
  Description: ['Description', 's', plain],
  ExecStart: ['ExecStartEx', 'a(sasas)', command],
  ExecStopPost: ['ExecStopPostEx', 'a(sasas)', command],
  IOWeight: ['IOWeight', 't', BigInt],
  KeyringMode: ['KeyringMode', 's', plain],
  KillMode: ['KillMode', 's', plain],
  LimitCORE: ['LimitCORE', 't', BigInt],
  LimitNOFILE: ['LimitNOFILE', 't', BigInt],
  LoadCredential: ['LoadCredential', 'a(ss)', (text) => [text.split(':')]],
  LockPersonality: ['LockPersonality', 'b', boolean],
  MemoryHigh: ['MemoryHigh', 't', BigInt],
  MemoryMax: ['MemoryMax', 't', BigInt],
  MemorySwapMax: ['MemorySwapMax', 't', BigInt],
  NoNewPrivileges: ['NoNewPrivileges', 'b', boolean],
  OOMPolicy: ['OOMPolicy', 's', plain],
  OOMScoreAdjust: ['OOMScoreAdjust', 'i', Number],
  PrivateNetwork: ['PrivateNetwork', 'b', boolean],
  Restart: ['Restart', 's', plain],
  RestartPreventExitStatus: ['RestartPreventExitStatus', '(aiai)', (text) => (text === 'SIGTERM' ? [[], [15]] : [])],
  RestartSec: ['RestartUSec', 't', time],
  RestrictAddressFamilies: [
    'RestrictAddressFamilies',
    '(bas)',
    (text) => [!text.startsWith('~'), words(text.replace('~', ''))],
  ],
  RestrictRealtime: ['RestrictRealtime', 'b', boolean],
  RuntimeMaxSec: ['RuntimeMaxUSec', 't', time],
  Slice: ['Slice', 's', plain],
  StandardError: ['StandardError', 's', plain],
  StandardInput: ['StandardInput', 's', plain],
  StandardOutput: ['StandardOutput', 's', plain],
  SyslogIdentifier: ['SyslogIdentifier', 's', plain],
  SyslogLevelPrefix: ['SyslogLevelPrefix', 'b', boolean],
  After: ['After', 'as', words],
  JoinsNamespaceOf: ['JoinsNamespaceOf', 'as', words],
  Requires: ['Requires', 'as', words],
  SystemCallArchitectures: ['SystemCallArchitectures', 'as', words],
  SystemCallErrorNumber: ['SystemCallErrorNumber', 'i', (text) => (text === 'EPERM' ? 1 : -1)],
  SystemCallFilter: ['SystemCallFilter', '(bas)', (text) => [!text.startsWith('~'), words(text.replace('~', ''))]],
  TasksMax: ['TasksMax', 't', BigInt],
  TimeoutStopSec: ['TimeoutStopUSec', 't', time],
  Type: ['Type', 's', plain],
  User: ['User', 's', plain],
};

function plain(text: string): string {
  return text.trimEnd().replaceAll('%%', '%');
}

function boolean(text: string): boolean {
  return text === 'yes';
}

function time(text: string): bigint {
  const match = /^(\d+)(us|s)$/.exec(text);
  assert.ok(match, text);
  return BigInt(match[1] ?? '') * (match[2] === 's' ? 1_000_000n : 1n);
}

/** extract_first_word() with quotes and C escapes, then specifier expansion. */
function words(text: string): string[] {
  const found: string[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|([^\s"]+)/g;
  for (const [, quoted, bare] of text.matchAll(pattern)) {
    const word = quoted === undefined ? (bare ?? '') : unescapeC(quoted);
    found.push(word.replaceAll('%%', '%'));
  }
  return found;
}

function unescapeC(text: string): string {
  return text.replace(/\\(x[0-9a-f]{2}|.)/g, (_, code: string) => {
    if (code.startsWith('x')) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return { n: '\n', t: '\t' }[code] ?? code;
  });
}

function command(text: string): PropertyValue {
  const prefix = /^[-+:]*/.exec(text)?.[0] ?? '';
  const flags = [
    ...(prefix.includes('-') ? ['ignore-failure'] : []),
    ...(prefix.includes('+') ? ['privileged'] : []),
    ...(prefix.includes(':') ? ['no-env-expand'] : []),
  ];
  const argv = words(text.slice(prefix.length));
  return [[argv[0] ?? '', argv, flags]];
}

const INPUT: PropertiesInput = {
  id: 'a-b',
  unit: 'sandboxed-agent@a-b.service',
  description: '50% of "it" \\',
  user: 'agent-a-b',
  bwrap: [
    '/usr/bin/bwrap',
    '--setenv',
    'A',
    '',
    '--',
    'sh',
    '-c',
    'echo "$HOME" %n \\ \t\n\u0001é ; true',
    "it's",
    ';',
    '~',
    '--x=y',
  ],
  exitReportPath: '/usr/lib/agent-spawn/exit-report',
  limits: {
    memoryMaxBytes: 4294967296,
    memoryHighBytes: 1,
    cpuWeight: 100,
    cpuPercent: 20,
    ioWeight: 7,
    tasksMax: 50,
    openFilesMax: 1024,
    tmpBytes: 1048576,
  },
  ttlSeconds: 7,
  stopTimeoutSeconds: 10,
  restart: 'on-failure',
  privateNetwork: true,
  hasRelay: true,
  link: null,
  unitBinds: [{ source: '/root/with space', destination: '/run/x' }],
  keysFile: '/run/agent-spawn/agents/a-b/keys/options',
};

const inputs: readonly (readonly [string, PropertiesInput])[] = [
  ['everything set', INPUT],
  [
    'nothing optional set',
    {
      ...INPUT,
      limits: { ...INPUT.limits, memoryHighBytes: null, cpuPercent: null, ioWeight: null },
      ttlSeconds: 0,
      restart: 'no',
      privateNetwork: false,
      hasRelay: false,
      unitBinds: [],
      keysFile: null,
    },
  ],
  ['a fraction of a second', { ...INPUT, restart: 'always' }],
];

for (const [name, input] of inputs) {
  test(`both renderers mean the same unit: ${name}`, () => {
    const properties = [...planProperties(input), ...stdioProperties({ kind: 'journal' })];
    const read = readUnitText(renderUnitText(properties));
    const byName = (list: readonly UnitProperty[]): readonly UnitProperty[] =>
      [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual(byName(read), byName(properties));
  });
}
