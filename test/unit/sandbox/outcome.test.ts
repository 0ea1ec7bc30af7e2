import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitState } from '../../../src/host/host.ts';
import type { ExitReport } from '../../../src/sandbox/exit-report.ts';
import { type Outcome, type OutcomeInput, settleOutcome } from '../../../src/sandbox/outcome.ts';

const REPORT: ExitReport = {
  result: 'success',
  exitCode: 'exited',
  exitStatus: '0',
  memoryPeakBytes: null,
  oomKills: 0,
  forksRefused: 0,
  tasksPeak: null,
  cpuMicroseconds: null,
};

const STATE: UnitState = {
  unit: 'sandboxed-agent@a.service',
  activeState: 'failed',
  subState: 'failed',
  result: 'exit-code',
  mainCode: 1,
  mainStatus: 3,
  mainPid: 0,
  invocationId: '',
  restarts: 0,
  hasJob: false,
  statusText: '',
  activeSinceMs: 0,
};

const INPUT: OutcomeInput = { state: null, report: REPORT, stopRequested: false, livedSeconds: 1, ttlSeconds: 0 };

const rows: readonly (readonly [string, Partial<OutcomeInput>, Outcome])[] = [
  ['a clean exit', {}, { kind: 'exited', status: 0 }],
  ['an exit status', { report: { ...REPORT, result: 'exit-code', exitStatus: '7' } }, { kind: 'exited', status: 7 }],
  [
    '128 + signal from bubblewrap',
    { report: { ...REPORT, result: 'exit-code', exitStatus: '139' } },
    { kind: 'signalled', signal: 'SIGSEGV', status: 139 },
  ],
  [
    'a status above 128 that is no signal',
    { report: { ...REPORT, result: 'exit-code', exitStatus: '255' } },
    { kind: 'exited', status: 255 },
  ],
  ['a stop from outside', { report: { ...REPORT, exitCode: 'killed', exitStatus: 'TERM' } }, { kind: 'stopped' }],
  ['a stop by a caller', { stopRequested: true }, { kind: 'stopped' }],
  [
    'the end of its time',
    {
      report: { ...REPORT, result: 'timeout', exitCode: 'killed', exitStatus: 'TERM' },
      ttlSeconds: 2,
      livedSeconds: 2,
    },
    { kind: 'ttl' },
  ],
  [
    'a stop that took too long',
    {
      report: { ...REPORT, result: 'timeout', exitCode: 'killed', exitStatus: 'KILL' },
      ttlSeconds: 60,
      livedSeconds: 5,
    },
    { kind: 'stopped' },
  ],
  [
    'systemd saw it run out of memory',
    { report: { ...REPORT, result: 'oom-kill', exitCode: 'killed', exitStatus: 'KILL' } },
    { kind: 'oom' },
  ],
  [
    'cgroup v1 saw it run out of memory',
    { report: { ...REPORT, result: 'exit-code', exitStatus: '137', oomKills: 1 } },
    { kind: 'oom' },
  ],
  [
    'killed, but not for memory',
    { report: { ...REPORT, result: 'exit-code', exitStatus: '137' } },
    { kind: 'signalled', signal: 'SIGKILL', status: 137 },
  ],
  [
    'bubblewrap itself was killed',
    { report: { ...REPORT, result: 'signal', exitCode: 'killed', exitStatus: 'KILL' } },
    { kind: 'signalled', signal: 'SIGKILL', status: 137 },
  ],
  ['no report, but a state', { report: null, state: STATE }, { kind: 'exited', status: 3 }],
  ['nothing known', { report: null }, { kind: 'lost' }],
  [
    'systemd gave up starting it',
    { report: { ...REPORT, result: 'start-limit-hit' } },
    { kind: 'start-failed', reason: 'start-limit-hit' },
  ],
];

for (const [name, changes, expected] of rows) {
  test(`outcome: ${name} is ${expected.kind}`, () => {
    assert.deepEqual(settleOutcome({ ...INPUT, ...changes }), expected);
  });
}
