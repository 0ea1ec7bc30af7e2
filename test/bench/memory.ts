import { existsSync, readdirSync, readFileSync } from 'node:fs';

const KIB = 1024;

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  return kibibytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS');
}

/** Share of a process in the memory it has in common with others, bytes (PSS, proc(5)). */
export function proportionalBytes(pid: number): number {
  return kibibytes(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss');
}

/** Memory the kernel could still give away, bytes: of the whole machine, whoever uses it. */
export function availableBytes(): number {
  return kibibytes(readFileSync('/proc/meminfo', 'utf8'), 'MemAvailable');
}

function kibibytes(text: string, key: string): number {
  const found = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text);
  if (found === null) throw new Error(`the kernel does not tell ${key}`);
  return Number(found[1]) * KIB;
}

/** PSS of every process below a slice, bytes, by what it is. */
export interface SliceMemory {
  /** bubblewrap's two processes of each agent. */
  readonly sandboxBytes: number;
  /** The agents themselves. */
  readonly agentBytes: number;
}

/** Adds up the memory of every process in the cgroups below `agents.slice`. */
export function sliceMemory(): SliceMemory {
  let sandboxBytes = 0;
  let agentBytes = 0;
  for (const pid of processesBelow(`${systemdHierarchy()}/agents.slice`)) {
    const isSandbox = readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'bwrap';
    const bytes = proportionalBytes(pid);
    if (isSandbox) sandboxBytes += bytes;
    else agentBytes += bytes;
  }
  return { sandboxBytes, agentBytes };
}

/** Where systemd keeps its own tree of cgroups: of version 2, or a named one of version 1. */
function systemdHierarchy(): string {
  const named = '/sys/fs/cgroup/systemd';
  return existsSync(`${named}/cgroup.procs`) ? named : '/sys/fs/cgroup';
}

function processesBelow(directory: string): readonly number[] {
  const own = readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own, ...children.flatMap(({ name }) => processesBelow(`${directory}/${name}`))];
}
