import assert from 'node:assert/strict';
import test from 'node:test';
import { agentTable, agentText, changeLine, detailText } from '../../../src/cli/agent-text.ts';
import { networkText } from '../../../src/cli/network-text.ts';
import { agentDetail, agentView, BUDGET, CREDENTIALS, endedView, planView } from '../api/views.ts';
import { assertGolden } from './golden.ts';

const NOW = '2026-01-02T03:14:05.000Z';
const KILLED = { kind: 'signalled', status: 137, signal: 'SIGKILL', message: 'SIGKILL ended it.' } as const;

const AGENTS = [
  agentView('demo'),
  endedView('over', KILLED),
  agentView('waits', { state: 'not-started', origin: 'declared', startedAt: null, mainPid: null, description: '' }),
  agentView('a-name-that-is-long', {
    description: 'A description that is longer than a line of the terminal has room for',
  }),
  agentView('evil', { description: 'x\u001b]52;c;aGk=\u0007\u202e\r\nfake  running' }),
];

test('a proxy that the configuration names is told as that', () => {
  const { network } = planView('demo');
  assert.ok(network.egress !== null);
  const egress = { ...network.egress, hasCredentials: false, upstreamFrom: 'config.json' as const };
  assert.match(
    networkText({ ...network, egress }),
    /\n\nUpstream proxy: http:\/\/10\.0\.0\.1:3128 \(from config\.json\)\n/,
  );
});

test('the table of agents is the recorded one', () => {
  assertGolden('agent-table.txt', agentTable(AGENTS, { now: NOW, width: null }));
});

test('on a terminal the table of agents is no wider than that', () => {
  const text = agentTable(AGENTS, { now: NOW, width: 80 });
  assertGolden('agent-table-80.txt', text);
  assert.ok(text.split('\n').every((line) => line.length <= 80));
});

test('an agent that runs is shown as recorded', () => {
  const agent = agentView('demo', {
    expiresAt: '2026-01-02T04:04:05.000Z',
    restarts: 2,
    command: ['sh', '-c', 'printf \u001b[31m'],
    labels: { team: 'red', 'a\u001b[2J': 'b\u0000' },
    notices: ['No proxy yet.', 'A\u009b2Jnote'],
    credentials: CREDENTIALS,
    budget: BUDGET,
  });
  assertGolden('agent-running.txt', agentText(agent, { now: NOW, width: null }));
});

test('an agent that ended is shown as recorded', () => {
  const { usage } = endedView('over', KILLED);
  const agent = endedView('over', KILLED, { usage: { ...usage, forksRefused: 12 } });
  assertGolden('agent-ended.txt', agentText(agent, { now: NOW, width: null }));
});

test('an agent is inspected as recorded', () => {
  assertGolden('agent-detail.txt', detailText(agentDetail(agentView('demo')), { now: NOW, width: null }));
});

test('a change is told in one line, with what a user should know', () => {
  assert.equal(changeLine(agentView('demo')), 'agent demo: running\n');
  assert.equal(
    changeLine(agentView('demo', { notices: ['No\u001b proxy.'] })),
    'agent demo: running\n  note: No\\x1b proxy.\n',
  );
  assert.match(changeLine(endedView('over', KILLED)), /^agent over: killed by SIGKILL after 3\.2 s · /);
});
