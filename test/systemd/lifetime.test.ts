import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AgentView } from '../../src/control/views.ts';
import {
  agentctl,
  awaitEnd,
  Bench,
  detachAgent,
  listAgents,
  runAgent,
  startAgent,
  succeed,
  viewAgent,
} from '../helpers/agents.ts';
import { askApi } from '../helpers/api.ts';
import { awaitFile, runCommand, SLOWNESS } from '../helpers/commands.ts';
import { daemonPid, killDaemon, startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { awaitProperty, processesOf, readCgroup, showProperty, unitOf } from '../helpers/units.ts';

const MEMORY_MAX = { controller: 'memory', v1: 'memory.limit_in_bytes', v2: 'memory.max' };

let bench: Bench;
before(async () => {
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs/ });
});
after(() => bench.close());

/** Everything on the host that carries an agent's id. */
async function tracesOf(id: string): Promise<readonly string[]> {
  const directories = ['/run/agent-spawn/agents', '/run/agent-spawn/records', '/run/agent-spawn/exits', '/run/userdb'];
  const files = directories.flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.replace(/^agent-/, '').replace(/\.[a-z]+$/, '') === id)
      .map((name) => join(directory, name)),
  );
  const { stdout } = await succeed(
    runCommand(['systemctl', 'list-units', '--all', '--plain', '--no-legend', unitOf(id)]),
  );
  return [...files, ...stdout.split('\n').filter((line) => line.includes(id))];
}

/** Numbers from 0 to 1 that are the same in every run (Park and Miller's generator). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('agents, limits and time limits do not notice that the daemon is killed, and the next daemon has them', async () => {
  const ticking = bench.card({
    resource_limits: { memory_mb: 128 },
    command: ['bash', '-c', 'echo $$ >pid; while :; do date +%s%N >tick; sleep 0.05; done'],
  });
  const ttl = 3 * SLOWNESS;
  const mortal = bench.card({ ttl_seconds: ttl, command: ['sleep', 'infinity'] });
  await detachAgent(ticking);
  await detachAgent(mortal);
  const first = await viewAgent(ticking.agent_id);
  const daemon = await daemonPid();

  await killDaemon();
  const tick = join(ticking.workspace, 'tick');
  const seen = readFileSync(tick, 'utf8');
  await awaitFile(tick, (text) => text !== '' && text !== seen);
  const listed = JSON.parse((await agentctl('list', '--json')).stdout) as readonly AgentView[];
  const running = listed.filter(({ state }) => state === 'running').map(({ id }) => id);
  assert.notEqual(await daemonPid(), daemon, 'it is another daemon');
  assert.deepEqual(running.sort(), [mortal.agent_id, ticking.agent_id].sort());
  const adopted = await viewAgent(ticking.agent_id);
  assert.deepEqual([adopted.mainPid, adopted.startedAt, adopted.uid], [first.mainPid, first.startedAt, first.uid]);
  assert.equal(await readCgroup(unitOf(ticking.agent_id), MEMORY_MAX), String(128 * 1024 * 1024));

  const ended = await awaitEnd(mortal.agent_id);
  assert.equal(ended.outcome?.kind, 'ttl');
  const lived = (Date.parse(ended.endedAt ?? '') - Date.parse(ended.startedAt ?? '')) / 1000;
  assert.ok(lived >= ttl && lived < ttl + 1.5 * SLOWNESS, `it lived ${lived} s`);
  await agentctl('stop', ticking.agent_id);
  assert.equal((await viewAgent(ticking.agent_id)).outcome?.kind, 'stopped');
  assert.deepEqual(processesOf(first.uid), []);
});

test('a reload of PID 1 takes nothing from a spawned agent, which it starts again when it fails', async () => {
  const script = 'echo "$HOME" "$$" %n; touch begun; while [ ! -e go ]; do sleep 0.05; done; exit 3';
  const card = bench.card({ command: ['bash', '-c', script], restart: 'on-failure' });
  const unit = unitOf(card.agent_id);
  await detachAgent(card);
  await awaitFile(join(card.workspace, 'begun'));
  assert.equal(await showProperty(unit, 'NeedDaemonReload'), 'no');
  await succeed(runCommand(['systemctl', 'daemon-reload']));
  assert.equal(await showProperty(unit, 'LoadState'), 'loaded');
  assert.equal(await showProperty(unit, 'NeedDaemonReload'), 'no');
  writeFileSync(join(card.workspace, 'go'), '');
  await awaitProperty(unit, 'SubState', 'auto-restart');
  assert.equal((await viewAgent(card.agent_id)).state, 'restarting');
  for (const name of ['begun', 'go']) rmSync(join(card.workspace, name));
  await awaitFile(join(card.workspace, 'begun'));
  await agentctl('stop', card.agent_id);
  const ended = await awaitEnd(card.agent_id);
  assert.ok((ended.usage.memoryPeakBytes ?? 0) > 0, JSON.stringify(ended.usage));
  assert.ok(!existsSync(`/run/systemd/system/${unit}.d`));
});

test('what happens to agents while no daemon runs is known afterwards', async () => {
  const command = ['bash', '-c', 'until [ -e go ]; do sleep 0.05; done; exit 7'];
  const exits = bench.card({ command });
  const stopped = bench.card({ command: ['sleep', 'infinity'] });
  const killed = bench.card({ command: ['sleep', 'infinity'] });
  for (const card of [exits, stopped, killed]) await detachAgent(card);
  await stopDaemon();
  await succeed(runCommand(['systemctl', 'stop', unitOf(stopped.agent_id)]));
  await runCommand(['systemctl', 'kill', '--signal=KILL', unitOf(killed.agent_id)]);
  writeFileSync(join(exits.workspace, 'go'), '');
  await awaitFile(`/run/agent-spawn/exits/${exits.agent_id}`, (text) => text.endsWith('complete=yes\n'));
  // Where systemd kills by cgroup.kill, some kernels kill what is started there later as well, the exit report with it.
  await awaitProperty(unitOf(killed.agent_id), 'ActiveState', 'failed');
  await startDaemon();
  const outcomes = await Promise.all([exits, stopped, killed].map(({ agent_id: id }) => awaitEnd(id)));
  assert.deepEqual(
    outcomes.map(({ outcome }) => [outcome?.kind, outcome?.status]),
    [
      ['exited', 7],
      ['stopped', null],
      ['signalled', 137],
    ],
  );
  for (const { agent_id: id } of [exits, stopped, killed]) {
    assert.deepEqual(await tracesOf(id), [`/run/agent-spawn/records/${id}.json`]);
  }
});

test('a foreground agent and its caller do not notice that the daemon is killed', async () => {
  const card = bench.card({
    command: ['bash', '-c', 'echo one; until [ -e go ]; do sleep 0.05; done; echo two; exit 9'],
  });
  const agent = startAgent(card);
  assert.equal(await agent.line(), 'one');
  await killDaemon();
  writeFileSync(join(card.workspace, 'go'), '');
  const { status, stdout } = await agent.ended();
  assert.deepEqual([status, stdout], [9, 'two\n']);
});

test('a daemon killed in the middle of starts leaves nothing half made', async () => {
  const random = seeded(20_261_121);
  for (let round = 0; round < 12; round += 1) {
    const cards = [0, 1, 2].map(() => bench.card({ command: ['sleep', 'infinity'] }));
    const starts = cards.map((card) => runCommand(['agent-spawn', '--detach', '-'], { stdin: JSON.stringify(card) }));
    // A command reaches the daemon after some 40 ms, and a start takes another 40.
    await new Promise((resolve) => setTimeout(resolve, 30 + random() * 90));
    await killDaemon();
    const statuses = (await Promise.all(starts)).map(({ status }) => status);
    await startDaemon();
    const known = new Map((await listAgents()).map((agent) => [agent.id, agent]));
    for (const [index, { agent_id: id }] of cards.entries()) {
      const agent = known.get(id);
      if (statuses[index] === 0) assert.equal(agent?.state, 'running', `round ${round}: ${id} was announced`);
      if (agent === undefined) {
        assert.deepEqual(await tracesOf(id), [], `round ${round}: ${id} is unknown`);
        continue;
      }
      assert.equal(agent.state, 'running', `round ${round}: ${id} is listed`);
      assert.equal(await showProperty(unitOf(id), 'ActiveState'), 'active');
      await askApi('POST', `/agents/${id}/stop`);
      await askApi('DELETE', `/agents/${id}`);
      assert.deepEqual(await tracesOf(id), []);
    }
  }
});

test('of many starts with one id at once exactly one wins, and the others are told', async () => {
  for (let round = 0; round < 3; round += 1) {
    const card = bench.card({ command: ['sleep', 'infinity'] });
    const options = { stdin: JSON.stringify(card) };
    const starts = Array.from({ length: 6 }, () => runCommand(['agent-spawn', '--detach', '--json', '-'], options));
    const ended = await Promise.all(starts);
    const winners = ended.filter(({ status }) => status === 0);
    assert.equal(winners.length, 1, ended.map(({ stderr }) => stderr).join(''));
    for (const { status, stderr } of ended.filter((one) => one.status !== 0)) {
      assert.deepEqual([status, (JSON.parse(stderr) as { code: string }).code], [125, 'sandbox.exists']);
    }
    assert.equal((await viewAgent(card.agent_id)).state, 'running');
    await agentctl('stop', card.agent_id);
  }
});

test('an id can be stopped and started again in a loop, and no end is taken for another one', async () => {
  const card = bench.card({ command: ['bash', '-c', 'exit 3'] });
  for (let round = 0; round < 6; round += 1) {
    const id = await detachAgent({ ...card, command: ['sleep', 'infinity'] });
    await agentctl('stop', id);
    assert.equal((await viewAgent(id)).outcome?.kind, 'stopped', `round ${round}`);
    assert.equal((await runAgent(card)).status, 3, `round ${round}`);
    assert.equal((await viewAgent(id)).outcome?.status, 3, `round ${round}`);
  }
});

test('a stop is heard in the first moments of an agent, too, and while it is being started', async () => {
  for (let round = 0; round < 10; round += 1) {
    const card = bench.card({ command: ['sleep', 'infinity'] });
    const start = askApi('POST', '/agents', {
      card: { text: JSON.stringify(card), format: 'json', source: 'test' },
      arguments: [],
      attach: null,
    });
    if (round % 2 === 0) assert.equal((await start).status, 201);
    const startedAt = performance.now();
    const stop = await askApi('POST', `/agents/${card.agent_id}/stop`);
    const seconds = (performance.now() - startedAt) / 1000;
    await start;
    // Sent at the same time as the start, it may be the first to arrive.
    assert.ok(stop.status === 200 || (round % 2 === 1 && stop.status === 404), `round ${round}: ${stop.body}`);
    assert.ok(seconds < 5 * SLOWNESS, `round ${round}: the stop took ${seconds} s`);
    if (stop.status === 200) assert.equal((await viewAgent(card.agent_id)).outcome?.kind, 'stopped');
    else await askApi('POST', `/agents/${card.agent_id}/stop`);
  }
});

test('an ended agent is started again by its id, with the same card', async () => {
  const card = bench.card({ command: ['bash', '-c', 'echo x >>runs'] });
  await succeed(runAgent(card));
  for (const expected of ['x\nx\n', 'x\nx\nx\n']) {
    await agentctl('start', card.agent_id);
    assert.equal((await awaitEnd(card.agent_id)).outcome?.status, 0);
    assert.equal(readFileSync(join(card.workspace, 'runs'), 'utf8'), expected);
  }
  await detachAgent({ ...card, command: ['sleep', 'infinity'] });
  const first = await viewAgent(card.agent_id);
  await agentctl('restart', card.agent_id);
  const second = await viewAgent(card.agent_id);
  assert.equal(second.state, 'running');
  assert.notEqual(second.mainPid, first.mainPid);
  await agentctl('stop', card.agent_id);
});

test('what a crash or an intruder left in the run-time directories is swept, and nothing outside is touched', async () => {
  const outside = join(bench.directory, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), 'mine\n');
  await stopDaemon();
  const agents = '/run/agent-spawn/agents';
  mkdirSync(`${agents}/ghost`);
  symlinkSync(outside, `${agents}/ghost/link`);
  symlinkSync(outside, `${agents}/linked-ghost`);
  mkdirSync('/run/userdb', { recursive: true });
  for (const name of ['agent-ghost.user', 'agent-ghost.group']) writeFileSync(`/run/userdb/${name}`, '{}');
  writeFileSync('/run/agent-spawn/exits/ghost', 'complete=yes\n');
  writeFileSync('/run/agent-spawn/records/damaged.json', '{"version":1,');
  writeFileSync(
    '/run/agent-spawn/records/other.json',
    JSON.stringify({ version: 1, id: '../../../tmp/x', phase: 'starting' }),
  );
  symlinkSync(join(outside, 'file'), '/run/agent-spawn/records/linked.json');
  await startDaemon();
  assert.deepEqual(
    (await listAgents()).filter(({ id }) => /ghost|damaged|other|linked/.test(id)),
    [],
  );
  for (const directory of ['agents', 'exits', 'records']) {
    const left = readdirSync(`/run/agent-spawn/${directory}`).filter((name) => /ghost|damaged|other|linked/.test(name));
    assert.deepEqual(left, [], directory);
  }
  assert.ok(!existsSync('/run/userdb/agent-ghost.user'));
  assert.deepEqual(readdirSync(outside), ['file']);
  assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'mine\n');
});
