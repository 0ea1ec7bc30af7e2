import type { Daemon } from './api-start.ts';
import type { Contestant } from './contestant.ts';
import { availableBytes, residentBytes, type SliceMemory, sliceMemory } from './memory.ts';
import { compete, type Result } from './round-robin.ts';

/** How the host does with a number of idle agents. */
export interface Level {
  /** Idle agents alive. */
  readonly agents: number;
  /** Starts of further agents, and the same by hand. */
  readonly starts: readonly Result[];
  readonly daemonBytes: number;
  readonly managerBytes: number;
  readonly slice: SliceMemory;
  /** Of the whole machine: falls with everything the kernel keeps per agent, and with what others do. */
  readonly availableBytes: number;
  /** Time the agents since the level before took to start, milliseconds. */
  readonly filledInMs: number;
}

/** What the levels are measured with. */
export interface IdleOptions {
  readonly daemon: Daemon;
  readonly daemonPid: number;
  /** Rising numbers of idle agents. */
  readonly levels: readonly number[];
  /** Idle agents that run already. */
  readonly alreadyIdle: number;
  readonly rounds: number;
  readonly contestants: readonly Contestant[];
  readonly progress: (line: string) => void;
}

/** Idle agents started at once: as many as keep two cores busy without starving everybody else. */
const STARTS_AT_ONCE = 4;

const MANAGER_PID = 1;

/** Adds idle agents level by level and measures at each what the next start takes and what the idle ones cost. */
export async function measureIdle(options: IdleOptions): Promise<readonly Level[]> {
  const levels: Level[] = [];
  let agents = options.alreadyIdle;
  for (const level of options.levels) {
    const startedAt = performance.now();
    await fill(options.daemon, agents, level);
    const filledInMs = performance.now() - startedAt;
    agents = Math.max(agents, level);
    options.progress(`${agents} idle agents`);
    const starts = await compete(options.contestants, options.rounds);
    levels.push({ agents, starts, filledInMs, ...weigh(options) });
  }
  return levels;
}

/** Starts idle agents until there are so many. */
async function fill(daemon: Daemon, from: number, to: number): Promise<void> {
  let next = from;
  const starter = async (): Promise<void> => {
    while (next < to) {
      next += 1;
      await daemon.startIdle(`bench-idle-${next}`);
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, starter));
}

function weigh(options: IdleOptions): Omit<Level, 'agents' | 'starts' | 'filledInMs'> {
  return {
    daemonBytes: residentBytes(options.daemonPid),
    managerBytes: residentBytes(MANAGER_PID),
    slice: sliceMemory(),
    availableBytes: availableBytes(),
  };
}

/** What one more idle agent costs, bytes, between the lowest and the highest level. */
export interface IdleCost {
  readonly sandboxBytes: number;
  readonly agentBytes: number;
  readonly daemonBytes: number;
  readonly managerBytes: number;
  /** What the launcher adds: everything but the agent's own program. */
  readonly addedBytes: number;
  readonly machineBytes: number;
}

/** Undefined with fewer than two levels. */
export function idleCost(levels: readonly Level[]): IdleCost | undefined {
  const [first] = levels;
  const last = levels.at(-1);
  if (first === undefined || last === undefined || last.agents === first.agents) return undefined;
  const each = (of: (level: Level) => number): number => (of(last) - of(first)) / (last.agents - first.agents);
  const sandboxBytes = each(({ slice }) => slice.sandboxBytes);
  const daemonBytes = each((level) => level.daemonBytes);
  const managerBytes = each((level) => level.managerBytes);
  return {
    sandboxBytes,
    agentBytes: each(({ slice }) => slice.agentBytes),
    daemonBytes,
    managerBytes,
    addedBytes: sandboxBytes + daemonBytes + managerBytes,
    machineBytes: -each((level) => level.availableBytes),
  };
}
