import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../src/card/parse.ts';
import { resolveCard } from '../../src/card/resolve.ts';
import { plannedPorts } from '../../src/plan/publish.ts';
import type { Launch } from '../../src/sandbox/launch.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, unexpected } from './engine.ts';

const UNITS = '/run/systemd/system';

/** More calls than any launch makes. */
const CALLS_MAX = 100;

/** A start of a card that publishes port 8080 at these places. */
function publishing(id: string, ...listens: readonly string[]): Launch {
  const publish = listens.map((listen) => ({ port: 8080, listen }));
  const text = JSON.stringify({ agent_id: id, workspace: `/srv/agents/${id}`, agent: 'shell', network: { publish } });
  const parsed = parseCard(Buffer.from(text), { format: 'json' });
  if (!parsed.ok) throw new Error('the card of the test is not valid');
  const card = resolveCard(parsed.value, 'spawned');
  return { ...launchOf(id), card, cardSource: { text, format: 'json', source: 'test' } };
}

async function unitsOf(host: FakeHost): Promise<readonly string[]> {
  return (await host.files.list(UNITS)).filter((name) => name.startsWith('agent-publish@'));
}

test('a launch with published ports whose n-th call fails leaves nothing, for every n', async () => {
  let failures = 0;
  for (let n = 1; n < CALLS_MAX; n += 1) {
    const host = new FakeHost();
    const engine = await openEngine(host);
    host.markClean();
    host.failAt(n);
    const isStarted = await engine.launch(publishing('a', '127.0.0.1:1', '[::1]:1')).then(
      () => true,
      () => false,
    );
    host.failAt(0);
    if (isStarted) break;
    failures += 1;
    assert.deepEqual(unexpected(host.leftovers()), [], `call ${n}`);
    await engine[Symbol.asyncDispose]();
  }
  assert.ok(failures > 4, 'the units of both ports are among the calls');
});

test('the units of published ports are there while the agent runs, and gone with it', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  await engine.launch(publishing('a', '127.0.0.1:1'));
  assert.equal((await unitsOf(host)).length, 2);
  await engine.stop('a');
  assert.deepEqual(await unitsOf(host), []);
});

test('units of published ports that belong to nobody are removed at the start of a daemon', async () => {
  const host = new FakeHost();
  host.files.seedFile(`${UNITS}/agent-publish@gone:8080-0123456789.socket`, '');
  host.files.seedFile(`${UNITS}/agent-publish@gone:8080-0123456789.service`, '');
  const first = await openEngine(host);
  assert.deepEqual(await unitsOf(host), []);
  await first.launch(publishing('a', '127.0.0.1:1'));
  await first[Symbol.asyncDispose]();
  await openEngine(host);
  assert.equal((await unitsOf(host)).length, 2, 'those of an agent that runs stay');
});

test('a place that another agent publishes at is refused with its name, and free after its end', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  await engine.launch(publishing('a', '127.0.0.1:1'));
  const problems = await engine.launch(publishing('b', '127.0.0.1:2', '127.0.0.1:1')).then(
    () => [],
    (error) => error.problems,
  );
  assert.deepEqual(problems, [
    {
      code: 'plan.publish-refused',
      pointer: '/network/publish/1/listen',
      message: '127.0.0.1:1 is a published port of the agent "a".',
      suggestion: 'Publish at another address or port, or stop that agent.',
    },
  ]);
  await engine.stop('a');
  await engine.launch(publishing('b', '127.0.0.1:2', '127.0.0.1:1'));
});

test('of two starts at once that publish at one place, not both are refused for each other', async () => {
  const engine = await openEngine(new FakeHost());
  const results = await Promise.allSettled(['a', 'b'].map((id) => engine.launch(publishing(id, '127.0.0.1:1'))));
  assert.ok(results.some(({ status }) => status === 'fulfilled'));
});

test('of two declared cards with one place the second is refused, and stays so', async () => {
  const host = new FakeHost();
  for (const id of ['a', 'b']) {
    host.files.seedFile(`/etc/agents/${id}.json`, publishing(id, '127.0.0.1:1').cardSource.text);
  }
  const engine = await openEngine(host);
  await engine.compileDeclared();
  assert.deepEqual(
    ['a', 'b'].map((id) => engine.registry.get(id).state),
    ['not-started', 'invalid'],
  );
  assert.match(host.files.text(`${UNITS}/sandboxed-agent@b.service`) ?? '', /published port of the agent/);
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  await engine.compileDeclared();
  assert.equal(engine.registry.get('b').state, 'not-started');
  assert.equal((await unitsOf(host)).length, 2);
});

test('a changed card leaves no unit of a port that it does not publish any more', async () => {
  const host = new FakeHost();
  host.files.seedFile('/etc/agents/a.json', publishing('a', '127.0.0.1:1').cardSource.text);
  const engine = await openEngine(host);
  const before = await unitsOf(host);
  host.files.seedFile('/etc/agents/a.json', publishing('a', '127.0.0.1:2').cardSource.text);
  await engine.compileDeclared();
  const after = await unitsOf(host);
  assert.equal(after.length, 2);
  assert.deepEqual(
    after.filter((name) => before.includes(name)),
    [],
  );
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.deepEqual(await unitsOf(host), []);
});

test('a start that a taken port kept back says who has it, and takes everything back', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  host.markClean();
  const launch = publishing('a', '127.0.0.1:1');
  host.units.script('sandboxed-agent@a.service', { result: 'dependency' });
  for (const { socket } of plannedPorts(launch.card)) host.units.failedUnits.add(socket);
  await assert.rejects(engine.launch(launch), {
    code: 'sandbox.port-taken',
    message: '127.0.0.1:1 cannot be published: another program of this host listens there.',
  });
  assert.deepEqual(unexpected(host.leftovers()), []);
});
