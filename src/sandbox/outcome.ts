import { signalName, signalNumber } from '../base/signals.ts';
import type { UnitState } from '../host/host.ts';
import type { ExitReport } from './exit-report.ts';

/** Why an agent ended. */
export type Outcome =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signalled'; readonly signal: string; readonly status: number }
  | { readonly kind: 'ttl' }
  | { readonly kind: 'oom' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'start-failed'; readonly reason: string }
  | { readonly kind: 'lost' };

/** What is known about an end. */
export interface OutcomeInput {
  /** Last state PID 1 told, or null when the unit was gone before it could be asked. */
  readonly state: UnitState | null;
  /** What ExecStopPost wrote, or null. */
  readonly report: ExitReport | null;
  /** A caller asked for the end. */
  readonly stopRequested: boolean;
  /** Seconds the agent lived, and its limit; 0 for no limit. */
  readonly livedSeconds: number;
  readonly ttlSeconds: number;
}

/** How the main process ended, in one form for both sources. */
interface MainExit {
  readonly result: string;
  /** Exit status, or null when a signal ended it. */
  readonly status: number | null;
  readonly signal: number | null;
}

const SIGKILL = 9;
/** Signals systemd counts as a clean end (systemd.service(5), SuccessExitStatus=): a stop by anyone. */
const CLEAN_SIGNALS = [1, 2, 13, 15];
/** Timers of PID 1 fire at or after their time; one second covers the rounding of both clocks. */
const TTL_SLACK_SECONDS = 1;

/**
 * Settles why an agent ended. bubblewrap reports an agent that a signal ended
 * as status 128 + signal, as a shell does, and so do we.
 */
export function settleOutcome(input: OutcomeInput): Outcome {
  const main = mainExit(input);
  if (main === null) return input.stopRequested ? { kind: 'stopped' } : { kind: 'lost' };
  if (main.result === 'oom-kill' || wasOutOfMemory(main, input.report)) return { kind: 'oom' };
  if (input.stopRequested) return { kind: 'stopped' };
  if (main.result === 'timeout') return timedOut(input) ? { kind: 'ttl' } : { kind: 'stopped' };
  if (main.signal !== null) return signalled(main.signal, main.result);
  if (main.result !== 'success' && main.result !== 'exit-code') return { kind: 'start-failed', reason: main.result };
  return exited(main.status ?? 0);
}

/** One sentence for people. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'exited':
      return `It exited with status ${outcome.status}.`;
    case 'signalled':
      return `${outcome.signal} ended it (status ${outcome.status}).`;
    case 'ttl':
      return 'Its time to live was over.';
    case 'oom':
      return 'It used more memory than it may and was killed.';
    case 'stopped':
      return 'It was stopped.';
    case 'start-failed':
      return `It did not start: ${outcome.reason}`;
    case 'lost':
      return 'It ended while nobody watched, and left no report.';
  }
}

/** The report is preferred: it was written at the end itself, while the unit may be gone or reused. */
function mainExit(input: OutcomeInput): MainExit | null {
  const { report, state } = input;
  if (report !== null && report.result !== '') {
    const isStatus = report.exitCode === 'exited';
    return {
      result: report.result,
      status: isStatus ? Number(report.exitStatus) : null,
      signal: isStatus || report.exitStatus === '' ? null : signalNumber(report.exitStatus),
    };
  }
  if (state === null) return null;
  return {
    result: state.result,
    status: state.mainCode === 1 ? state.mainStatus : null,
    signal: state.mainCode === 2 || state.mainCode === 3 ? state.mainStatus : null,
  };
}

/** cgroup v1 has no `oom-kill` result; the counter and the kill together say the same. */
function wasOutOfMemory(main: MainExit, report: ExitReport | null): boolean {
  const killed = main.signal === SIGKILL || main.status === 128 + SIGKILL;
  return killed && (report?.oomKills ?? 0) > 0;
}

function timedOut(input: OutcomeInput): boolean {
  return input.ttlSeconds > 0 && input.livedSeconds + TTL_SLACK_SECONDS >= input.ttlSeconds;
}

function signalled(signal: number, result: string): Outcome {
  if (result === 'success' && CLEAN_SIGNALS.includes(signal)) return { kind: 'stopped' };
  return { kind: 'signalled', signal: signalName(signal) ?? `signal ${signal}`, status: 128 + signal };
}

function exited(status: number): Outcome {
  const signal = status > 128 ? signalName(status - 128) : null;
  return signal === null ? { kind: 'exited', status } : { kind: 'signalled', signal, status };
}
