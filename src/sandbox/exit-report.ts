/**
 * What the unit's ExecStopPost wrote when the main process had ended. It is
 * written by root inside the unit's cgroup, so the agent cannot forge it, and
 * it survives the daemon.
 */
export interface ExitReport {
  /** systemd's `$SERVICE_RESULT`. */
  readonly result: string;
  /** systemd's `$EXIT_CODE`: `exited`, `killed` or `dumped`. */
  readonly exitCode: string;
  /** systemd's `$EXIT_STATUS`: a number, or a signal name without `SIG`. */
  readonly exitStatus: string;
  readonly memoryPeakBytes: number | null;
  /** Processes the kernel killed for want of memory. */
  readonly oomKills: number | null;
  /** Forks the task limit refused. */
  readonly forksRefused: number | null;
  readonly tasksPeak: number | null;
  readonly cpuMicroseconds: number | null;
}

/** Reads `key=value` lines; unknown keys are skipped, missing ones are null or empty. */
export function parseExitReport(text: string): ExitReport {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1));
  }
  return {
    result: values.get('service_result') ?? '',
    exitCode: values.get('exit_code') ?? '',
    exitStatus: values.get('exit_status') ?? '',
    memoryPeakBytes: wholeNumber(values.get('memory_peak')),
    oomKills: wholeNumber(values.get('oom_kills')),
    forksRefused: wholeNumber(values.get('pids_refused')),
    tasksPeak: wholeNumber(values.get('pids_peak')),
    cpuMicroseconds: wholeNumber(values.get('cpu_usec')),
  };
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
