import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { readProgram } from './program.ts';

/** What figures depend on besides the program. */
export interface Surroundings {
  readonly startedAt: string;
  readonly cores: number;
  readonly processor: string;
  readonly kernel: string;
  readonly distribution: string;
  readonly node: string;
  readonly systemd: string;
  readonly bubblewrap: string;
  readonly cgroups: string;
  /** Load average of the last minute: above the number of cores somebody else was busy. */
  readonly loadBefore: number;
}

/** Describes the machine. */
export async function describeSurroundings(): Promise<Surroundings> {
  return {
    startedAt: new Date().toISOString(),
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    kernel: release(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown',
    node: process.version,
    systemd: firstLine(await readProgram(['systemctl', '--version'])),
    bubblewrap: firstLine(await readProgram(['bwrap', '--version'])),
    cgroups: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'version 2' : 'version 1 or hybrid',
    loadBefore: load(),
  };
}

/** Load average of the last minute. */
export function load(): number {
  return loadavg()[0] ?? Number.NaN;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}
