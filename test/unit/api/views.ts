import type { AuditEvent } from '../../../src/audit/event.gen.ts';
import type {
  AgentDetail,
  AgentView,
  AuditCheckView,
  AuditEntry,
  BudgetView,
  CredentialsView,
  EgressCountsView,
  EgressView,
  KeyUsageView,
  KeyView,
  PlanView,
  ReloadView,
} from '../../../src/control/views.ts';
import type { EgressRule } from '../../../src/policy/table.ts';

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
    published: [{ port: 8080, listen: '127.0.0.1:18080' }],
    startedAt: '2026-01-02T03:04:05.000Z',
    endedAt: null,
    credentials: [],
    budget: null,
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
    egress: null,
    notices: [],
    ...changes,
  };
}

const USED: KeyUsageView = {
  requests: 12,
  modelCalls: 10,
  bytesSent: 480_000,
  bytesReceived: 96_000,
  inputTokens: 120_400,
  outputTokens: 5210,
  estimatedTokens: 830,
};

/** A model's key that was used, a git token that was not, and a key that the agent has itself. */
export const CREDENTIALS: readonly KeyView[] = [
  {
    provider: 'anthropic',
    delivery: 'gateway',
    source: '/run/secrets/anthropic-key',
    address: 'http://127.0.0.1:3128/anthropic',
    leadsTo: 'https://api.anthropic.com',
    variable: null,
    usage: USED,
  },
  {
    provider: 'git',
    delivery: 'gateway',
    source: 'credential:git\u001b-token',
    address: 'http://127.0.0.1:3128/git/git.example.com',
    leadsTo: 'https://git.example.com/team',
    variable: null,
    usage: {
      ...{ requests: 0, modelCalls: 0, bytesSent: 0, bytesReceived: 0 },
      ...{ inputTokens: 0, outputTokens: 0, estimatedTokens: 0 },
    },
  },
  {
    provider: 'custom',
    delivery: 'env',
    source: '/run/secrets/llm-key',
    address: null,
    leadsTo: null,
    variable: 'LLM_API_KEY',
    usage: null,
  },
];

/** A budget of which a part is spent. */
export const BUDGET: BudgetView = {
  requests: 200,
  tokens: 2_000_000,
  requestsSpent: 10,
  tokensSpent: 126_440,
  requestsLeft: 190,
  tokensLeft: 1_873_560,
};

/** A call of a model that states no tokens and needs none. */
const CALL = {
  status: 200,
  ...{ bytesSent: 1834, bytesReceived: 90_211 },
  ...{ inputTokens: 0, outputTokens: 0, estimatedTokens: 0, isEstimated: false },
};

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
    published: [{ port: 8080, listen: '[::1]:18080' }],
    network: {
      mode: 'isolated',
      isEnforced: true,
      explanation: 'a network of its own',
      egress: {
        allow: [planRule('api.example.org', [443], '/api_provider')],
        deny: [{ ...planRule('*.example.net', null, '/denied_hosts/0'), reason: 'not\x07 its business' }],
        upstream: 'http://10.0.0.1:3128',
        upstreamFrom: 'card',
        hasCredentials: true,
        maxBytes: 1_000_000,
        requestsPerMinute: null,
      },
    },
    credentials: CREDENTIALS.map((credential) => ({ ...credential, usage: null })),
    user: { name: `agent-${id}`, uid: 1_900_000_001, gid: 1_900_000_001, reason: 'a user of its own' },
    steps: ['make the workspace', `start sandboxed-agent@${id}.service`],
    notices: ['The proxy is not there yet.'],
  };
}

function planRule(host: string, ports: readonly number[] | null, pointer: string): EgressRule {
  return { host, ports, methods: null, paths: null, protocol: 'tls', pointer, reason: null };
}

/** Everything about an agent. */
export function agentDetail(agent: AgentView): AgentDetail {
  return { ...agent, card: { agent_id: agent.id }, plan: planView(agent.id) };
}

/** An audit with everything that is shown differently: hosts nobody would want on a terminal among it. */
export function auditEntries(id: string): readonly AuditEntry[] {
  const frame = (
    sequence: number,
  ): Pick<AuditEvent, 'version' | 'sequence' | 'time' | 'agent' | 'previous' | 'hash'> => ({
    version: 1,
    sequence,
    time: `2026-01-02T03:04:${String(sequence).padStart(2, '0')}.000Z`,
    agent: id,
    previous: '0'.repeat(64),
    hash: 'f'.repeat(64),
  });
  const tunnel = { form: 'tunnel', method: 'CONNECT', port: 443, path: null } as const;
  const refused = { verdict: 'deny', reason: 'egress.no-rule', rule: null, address: null } as const;
  const allowed = {
    verdict: 'allow',
    reason: 'egress.allowed',
    rule: '/allowed_hosts/0',
    address: '203.0.113.7',
  } as const;
  const host = 'api.example.com';
  const model = { mount: '/anthropic', provider: 'anthropic', totals: { since: frame(1).time, ...USED } } as const;
  return [
    { kind: 'opened', allowRules: 1, denyRules: 0, policy: 'a'.repeat(64), upstream: null, ...frame(1) },
    { kind: 'decision', ...allowed, ...tunnel, host, ...frame(2) },
    { kind: 'decision', ...refused, ...tunnel, host: '"ev\u001bil\\u202e"', ...frame(3) },
    {
      kind: 'decision',
      ...refused,
      form: 'http',
      method: 'GET',
      host: '2001:db8::1',
      port: 80,
      path: '/x',
      ...frame(4),
    },
    { kind: 'decision', ...refused, form: null, method: null, host: null, port: null, path: null, ...frame(5) },
    { kind: 'repeated', reason: 'egress.no-rule', host, port: 80, count: 812, since: frame(4).time, ...frame(6) },
    { kind: 'repeated', reason: 'egress.no-rule', host: null, port: null, count: 3, since: frame(4).time, ...frame(7) },
    { kind: 'broken-line', file: 'audit.jsonl', line: 8 },
    { kind: 'rules-changed', change: 'added', action: 'allow', rule: '/live/allow/0', host, ports: [443], ...frame(9) },
    { kind: 'recovered', cause: 'unwritable', bytesRemoved: 0, unwritten: 4, ...frame(10) },
    { kind: 'rotated', olderBytes: 8_388_000, ...frame(11) },
    {
      kind: 'tunnel-closed',
      ...{ host, port: 443, address: '203.0.113.7', bytesSent: 1834, bytesReceived: 90_211, durationMs: 1200 },
      ...frame(12),
    },
    { kind: 'model-call', ...model, ...CALL, inputTokens: 1200, outputTokens: 340, ...frame(13) },
    { kind: 'model-call', ...model, ...CALL, status: 0, estimatedTokens: 523, isEstimated: true, ...frame(14) },
    { kind: 'model-call', ...model, ...CALL, mount: '/git/git.example.com', provider: 'git', ...frame(15) },
    { kind: 'model-totals', ...model, ...frame(16) },
    { kind: 'closed', allowed: 1, refused: 818, bytesSent: 1834, bytesReceived: 90_211, ...frame(17) },
  ];
}

/** The verdict on an audit that holds. */
export function auditCheckView(agent: string, changes: Partial<AuditCheckView> = {}): AuditCheckView {
  const message = 'All 13 events hold, and the end is where it should be.';
  return { agent, isIntact: true, isConfirmed: true, events: 13, broken: null, message, ...changes };
}

/** An agent with one key of each kind, two of which are other ones than before. */
export function credentialsView(agent: string): CredentialsView {
  return {
    agent,
    credentials: [
      { pointer: '/api_key_file', target: '/anthropic', isChanged: true, inForce: 'now' },
      { pointer: '/credentials/0/api_key_file', target: '/git/github.com', isChanged: false, inForce: 'now' },
      { pointer: '/credentials/1/api_key_file', target: 'OPENAI_API_KEY', isChanged: true, inForce: 'next-start' },
    ],
  };
}

/** One card of each kind that something was done for, and two of the others. */
export function reloadView(): ReloadView {
  return {
    cards: [
      { id: 'broken', did: 'refused', message: 'The card has no key "memroy".' },
      { id: 'demo', did: 'restarted', message: null },
      { id: 'new', did: 'installed', message: null },
    ],
    unchanged: 2,
  };
}

/** Rules of an agent that may reach one host. */
export function egressView(agent: string): EgressView {
  const rule = { methods: null, paths: null, protocol: 'tls', reason: null } as const;
  return {
    agent,
    allow: [{ host: 'api.example.com', ports: [80, 443], pointer: '/allowed_hosts/0', ...rule }],
    deny: [{ host: '*.evil.example', ports: null, pointer: '/denied_hosts/0', ...rule }],
    upstream: 'http://10.0.0.1:3128',
    upstreamFrom: 'config.json',
    counts: COUNTS,
  };
}

/** Requests of an agent that was refused more hosts than are shown. */
export const COUNTS: EgressCountsView = {
  allowed: 12,
  refused: 40,
  bytesSent: 1834,
  bytesReceived: 90_211,
  topRefusals: [
    { host: 'evil.example', port: 443, reason: 'egress.no-rule', count: 30 },
    { host: '"ev\u001bil"', port: 80, reason: 'egress.host-name', count: 5 },
    { host: '2001:db8::1', port: 443, reason: 'egress.address-unlisted', count: 2 },
    { host: 'other.example', port: 443, reason: 'egress.no-rule', count: 1 },
  ],
};
