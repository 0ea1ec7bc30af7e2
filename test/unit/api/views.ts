import type { AgentDetail, AgentView, PlanView } from '../../../src/control/views.ts';

/** A running agent as the daemon would show it; `changes` replace parts. */
export function agentView(id: string, changes: Partial<AgentView> = {}): AgentView {
  return {
    id,
    unit: `sandboxed-agent@${id}.service`,
    state: 'running',
    origin: 'spawned',
    description: `The agent ${id}`,
    labels: { team: 'red' },
    command: ['bash', '-c', 'true'],
    workspace: `/mnt/agents/${id}`,
    user: `agent-${id}`,
    uid: 1_900_000_001,
    network: 'none',
    startedAt: '2026-01-02T03:04:05.000Z',
    endedAt: null,
    expiresAt: null,
    mainPid: 4242,
    restarts: 0,
    usage: {
      memoryBytes: 20 * 1024 * 1024,
      memoryPeakBytes: 41 * 1024 * 1024,
      memoryMaxBytes: 256 * 1024 * 1024,
      tasks: 3,
      tasksMax: 50,
      cpuSeconds: 0.75,
      forksRefused: null,
    },
    outcome: null,
    notices: [],
    ...changes,
  };
}

/** An agent that ended. */
export function endedView(id: string, outcome: AgentView['outcome'], changes: Partial<AgentView> = {}): AgentView {
  const { usage } = agentView(id);
  return agentView(id, {
    state: 'ended',
    endedAt: '2026-01-02T03:04:08.200Z',
    mainPid: null,
    usage: { ...usage, memoryBytes: null, tasks: null, forksRefused: 0 },
    outcome,
    ...changes,
  });
}

/** A plan with one of everything that needs care when it is printed. */
export function planView(id: string): PlanView {
  return {
    id,
    unit: `sandboxed-agent@${id}.service`,
    unitText: '[Unit]\nDescription=Agent of a test\n\n[Service]\nType=exec\n',
    bwrap: [
      ...['/usr/bin/bwrap', '--unshare-all', '--cap-drop', 'ALL', '--hostname', id],
      ...['--setenv', 'ODD', "--it's a value", '--size', '1048576', '--tmpfs', '/'],
      ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--proc', '/proc'],
      ...['--bind', `/mnt/agents/${id}`, '/workspace', '--remount-ro', '/', '--chdir', '/workspace'],
      ...['--', 'bash', '-c', 'echo --hello\x1b[2J'],
    ],
    mounts: [
      { kind: 'tmpfs', source: null, destination: '/', options: 'size=1048576' },
      { kind: 'ro-bind', source: '/usr', destination: '/usr', options: 'ro,nosuid,nodev' },
      { kind: 'symlink', source: 'usr/bin', destination: '/bin', options: '' },
      { kind: 'bind', source: `/mnt/agents/${id}`, destination: '/workspace', options: 'rw,nosuid,nodev' },
    ],
    environment: [
      { name: 'HOME', value: '/workspace', origin: 'launcher' },
      { name: 'ODD', value: "--it's a value\x07", origin: 'card' },
    ],
    network: { mode: 'none', explanation: 'no network at all' },
    user: { name: `agent-${id}`, uid: 1_900_000_001, gid: 1_900_000_001, reason: 'a user of its own' },
    steps: ['make the workspace', `start sandboxed-agent@${id}.service`],
    notices: ['The proxy is not there yet.'],
  };
}

/** Everything about an agent. */
export function agentDetail(agent: AgentView): AgentDetail {
  return { ...agent, card: { agent_id: agent.id }, plan: planView(agent.id) };
}
