import { existsSync, readFileSync } from 'node:fs';

/** Where the kernel tells what a whole host used, and how many of its units are a millisecond. */
const COUNTERS = [
  { path: '/sys/fs/cgroup/cpu.stat', perMs: 1_000 },
  { path: '/sys/fs/cgroup/unified/cpu.stat', perMs: 1_000 },
  { path: '/sys/fs/cgroup/cpuacct/cpuacct.usage', perMs: 1_000_000 },
] as const;

/**
 * A clock of the CPU time that everything on this private host has used, milliseconds: its root is a cgroup of the
 * machine, so that others who are busy there are not counted. Undefined where no counter can be read.
 */
export function openCpuClock(): (() => number) | undefined {
  const counter = COUNTERS.find(({ path }) => existsSync(path));
  if (counter === undefined) return undefined;
  const { path, perMs } = counter;
  return () => Number(/^(?:usage_usec )?(\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1]) / perMs;
}
