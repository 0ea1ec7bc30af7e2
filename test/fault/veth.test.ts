import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Launch } from '../../src/sandbox/launch.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, unexpected } from './engine.ts';

/** More calls than any launch makes: the loops below end before it, or fail. */
const CALLS_MAX = 100;
const NEEDS = (id: string): string => `/run/agent-spawn/agents/${id}/veth.needs`;
const UNIT = 'agent-veth@a.service';

function linked(id: string): Launch {
  return launchOf(id, { network: { mode: 'veth', allow: [{ address: '192.0.2.7', port: 5432 }] } });
}

test('a launch with a link whose n-th call fails leaves nothing, for every n, and the link is free again', async () => {
  let failures = 0;
  for (let n = 1; n < CALLS_MAX; n += 1) {
    const host = new FakeHost();
    const engine = await openEngine(host);
    host.markClean();
    host.failAt(n);
    const error = await engine.launch(linked('a')).then(
      () => null,
      (cause: unknown) => cause,
    );
    if (error === null) break;
    failures += 1;
    host.failAt(0);
    assert.deepEqual(unexpected(host.leftovers()), [], `call ${n}: ${host.log[n - 1]}`);
    const agent = await engine.launch(linked('b'));
    assert.equal(agent.record.linkIndex, 1, 'the lowest is free again');
    await engine[Symbol.asyncDispose]();
  }
  assert.ok(failures > 10, `${failures}`);
});

test('a failed start stops the unit of the link before the files go that it reads', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  const [stop, unlink] = [`StopUnit ${UNIT}`, NEEDS('a')];
  host.units.startTransient = () => Promise.resolve('dependency');
  await assert.rejects(engine.launch(linked('a')), /did not start/);
  const steps = host.log.map((line) => (line === stop ? 'stop' : line.includes(unlink) ? 'file' : '')).filter(Boolean);
  assert.deepEqual(steps.slice(0, 3), ['file', 'stop', 'file']);
});

test('the next daemon knows the links of agents that run, and frees those of agents that ended meanwhile', async () => {
  const host = new FakeHost();
  const first = await openEngine(host);
  for (const id of ['a', 'b']) await first.launch(linked(id));
  await first[Symbol.asyncDispose]();
  host.files.seedFile(
    '/run/agent-spawn/exits/a',
    'service_result=success\nexit_code=exited\nexit_status=0\ncomplete=yes\n',
  );
  host.units.end('sandboxed-agent@a.service', { result: 'success', mainCode: 1, mainStatus: 0 });
  const second = await openEngine(host);
  const indexes = [];
  for (const id of ['c', 'd']) indexes.push((await second.launch(linked(id))).record.linkIndex);
  assert.deepEqual(indexes, [1, 3]);
});

test('a plan that is only looked at takes no link', async () => {
  const engine = await openEngine(new FakeHost());
  const plan = await engine.plan(linked('a'));
  assert.equal(plan.network.veth?.index, 1);
  assert.equal((await engine.launch(linked('b'))).record.linkIndex, 1);
});

test('a hundred starts at once have a hundred links', async () => {
  const engine = await openEngine(new FakeHost());
  const ids = Array.from({ length: 100 }, (_, index) => `a${index}`);
  const agents = await Promise.all(ids.map((id) => engine.launch(linked(id))));
  const indexes = agents.map(({ record }) => record.linkIndex ?? 0).sort((a, b) => a - b);
  assert.deepEqual(
    indexes,
    ids.map((_, index) => index + 1),
  );
});

test('a declared agent keeps its link while its card wants one', async () => {
  const host = new FakeHost();
  const card = { agent_id: 'a', workspace: '/srv/agents/a', agent: 'shell', network: { mode: 'veth' } };
  host.files.seedFile('/etc/agents/a.json', JSON.stringify(card));
  const engine = await openEngine(host);
  assert.match(host.files.text(NEEDS('a')) ?? '', /^link agv1$/m);
  assert.equal((await engine.launch(linked('b'))).record.linkIndex, 2);
  host.files.seedFile('/etc/agents/a.json', JSON.stringify({ ...card, network: { mode: 'none' } }));
  await engine.compileDeclared();
  assert.equal(engine.registry.get('a').record.linkIndex, null);
  assert.equal((await engine.launch(linked('c'))).record.linkIndex, 1);
});
