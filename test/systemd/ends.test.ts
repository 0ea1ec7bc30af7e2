import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AgentView } from '../../src/control/views.ts';
import { agentctl, awaitEnd, Bench, startAgent, succeed, type TestCard, viewAgent } from '../helpers/agents.ts';
import { agentProgram, type RunningCommand, runCommand, SLOWNESS } from '../helpers/commands.ts';
import { processesOf, unitOf } from '../helpers/units.ts';

let bench: Bench;
before(async () => {
  bench = await Bench.open();
});
after(() => bench.close());

/** Starts an agent and waits until it says that it is ready. */
async function ready(
  command: readonly string[],
  changes: object = {},
): Promise<{ card: TestCard; agent: RunningCommand; uid: number }> {
  const card = bench.card({ command, ...changes });
  const agent = startAgent(card);
  await agent.lineLike(/^ready$/);
  return { card, agent, uid: (await viewAgent(card.agent_id)).uid };
}

function livedSeconds({ startedAt, endedAt }: AgentView): number {
  return (Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '')) / 1000;
}

test('ttl_seconds ends an agent within a second, whatever its processes did to get away', async () => {
  const { card, agent, uid } = await ready(agentProgram('brood.py'), { ttl_seconds: 2 });
  assert.ok(processesOf(uid).length >= 6, 'the agent, three children, a program and the sandbox run');
  const ended = await agent.ended();
  assert.deepEqual(processesOf(uid), []);
  assert.equal(ended.status, 124, ended.stderr);
  const view = await awaitEnd(card.agent_id);
  assert.equal(view.outcome?.kind, 'ttl');
  assert.ok(livedSeconds(view) >= 2 && livedSeconds(view) < 2 + SLOWNESS, `it lived ${livedSeconds(view)} s`);
});

test('ttl_seconds ends an agent that ignores every request after stop_timeout_seconds', async () => {
  const { card, agent, uid } = await ready(agentProgram('brood.py'), {
    ttl_seconds: 1,
    stop_timeout_seconds: 1,
    environment: { BROOD: 'stubborn' },
  });
  await agent.ended();
  assert.deepEqual(processesOf(uid), []);
  const view = await awaitEnd(card.agent_id);
  assert.equal(view.outcome?.kind, 'ttl');
  assert.ok(livedSeconds(view) >= 2 && livedSeconds(view) < 2 + 1.5 * SLOWNESS, `it lived ${livedSeconds(view)} s`);
});

test('stopped processes and a stopped process 1 do not hold up the end', async () => {
  const command = ['bash', '-c', 'kill -STOP 1; sleep infinity & kill -STOP $!; echo ready; kill -STOP $$'];
  const { card, agent, uid } = await ready(command, { ttl_seconds: 1 });
  await agent.ended();
  assert.deepEqual(processesOf(uid), []);
  const view = await awaitEnd(card.agent_id);
  assert.equal(view.outcome?.kind, 'ttl');
  assert.ok(livedSeconds(view) < 1 + 1.5 * SLOWNESS, `it lived ${livedSeconds(view)} s`);
});

test('an agent that forks all the time has no process left after its end', async () => {
  const command = ['bash', '-c', 'echo ready; while :; do (sleep 0.01 &) ; done'];
  const { card, agent, uid } = await ready(command, {
    ttl_seconds: 1,
    resource_limits: { max_processes: 60, cpu_percent: 50 },
  });
  await agent.ended();
  assert.deepEqual(processesOf(uid), []);
  assert.equal((await awaitEnd(card.agent_id)).outcome?.kind, 'ttl');
});

test('an agent that ignores SIGTERM is gone after stop_timeout_seconds', async () => {
  const { card, agent, uid } = await ready(agentProgram('brood.py'), {
    stop_timeout_seconds: 1,
    environment: { BROOD: 'stubborn' },
  });
  const { seconds } = await agentctl('stop', card.agent_id);
  assert.deepEqual(processesOf(uid), []);
  assert.ok(seconds >= 1 && seconds < 1 + 2 * SLOWNESS, `the stop took ${seconds} s`);
  assert.equal((await agent.ended()).status, 143);
  assert.equal((await viewAgent(card.agent_id)).outcome?.kind, 'stopped');
});

test('an agent that answers SIGTERM has its time to finish, and no more of it than it needs', async () => {
  const { card, agent } = await ready(agentProgram('graceful.py'), { stop_timeout_seconds: 20 });
  const { seconds } = await agentctl('stop', card.agent_id);
  assert.equal(readFileSync(join(card.workspace, 'finished'), 'utf8'), 'all of it\n');
  assert.ok(seconds >= 0.5 && seconds < 5 * Math.min(SLOWNESS, 3), `the stop took ${seconds} s`);
  await agent.ended();
  assert.equal((await viewAgent(card.agent_id)).outcome?.kind, 'stopped');
});

test('children that are left when the agent ends go with it', async () => {
  const script = '(setsid sleep infinity & setsid nohup sleep infinity >/dev/null 2>&1 &); echo ready; exit 5';
  const { card, agent, uid } = await ready(['bash', '-c', script]);
  assert.equal((await agent.ended()).status, 5);
  assert.deepEqual(processesOf(uid), []);
  assert.equal((await awaitEnd(card.agent_id)).outcome?.status, 5);
});

test('a process that the agent killed itself with is the end the agent had', async () => {
  for (const [signal, status] of [
    ['KILL', 137],
    ['SEGV', 139],
    ['TERM', 143],
  ] as const) {
    const { card, agent } = await ready(['bash', '-c', `echo ready; kill -${signal} $$`]);
    assert.equal((await agent.ended()).status, status);
    const { outcome } = await awaitEnd(card.agent_id);
    assert.deepEqual([outcome?.kind, outcome?.signal], ['signalled', `SIG${signal}`]);
  }
});

test('a unit that root kills from outside is an end as any other', async () => {
  const { card, agent, uid } = await ready(agentProgram('brood.py'));
  await succeed(runCommand(['systemctl', 'kill', '--signal=KILL', unitOf(card.agent_id)]));
  await agent.ended();
  assert.deepEqual(processesOf(uid), []);
  const { outcome } = await awaitEnd(card.agent_id);
  assert.deepEqual([outcome?.kind, outcome?.signal], ['signalled', 'SIGKILL']);
  assert.ok(existsSync(card.workspace), 'the workspace stays');
});
