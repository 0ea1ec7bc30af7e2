import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent } from '../../src/sandbox/context.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, unexpected } from './engine.ts';

const UNITS = '/run/systemd/system';
const UNIT = 'run-agent\\x2dspawn-homes-a-1900000000.mount';

/** More calls than any launch makes. */
const CALLS_MAX = 100;

/** A card with a home of its own. */
function privately(id: string, keys: object = {}): ReturnType<typeof launchOf> {
  return launchOf(id, { filesystem: { home: 'private' }, ...keys });
}

/** Everything of homes on the host: units that are loaded, unit files, directories. */
async function homesOf(host: FakeHost): Promise<readonly string[]> {
  const files = [...host.files.nodes.keys()].filter((path) => /\/homes\/.|\.mount$/.test(path));
  return [...files, ...[...host.units.loaded.keys()].filter((unit) => unit.endsWith('.mount'))].sort();
}

const ALL = [`/run/agent-spawn/homes/a`, `/run/agent-spawn/homes/a/1900000000`, `${UNITS}/${UNIT}`, UNIT];

for (const moment of ['before', 'after'] as const) {
  test(`a first launch with a home whose n-th call fails ${moment} it took effect leaves nothing, for every n`, async () => {
    let failures = 0;
    for (let n = 1; n < CALLS_MAX; n += 1) {
      const host = new FakeHost();
      const engine = await openEngine(host);
      host.markClean();
      host.failAt(n, moment);
      const isStarted = await engine.launch(privately('a')).then(
        () => true,
        () => false,
      );
      const failed = host.log.at(n - 1) ?? '';
      host.failAt(0);
      if (isStarted) break;
      failures += 1;
      if (moment === 'before' || /^[A-Z]\w+Unit/.test(failed))
        assert.deepEqual(unexpected(host.leftovers()), [], `call ${n}: ${failed}`);
      await engine[Symbol.asyncDispose]();
    }
    assert.ok(failures > 4, 'the unit of the home is among the calls');
  });
}

test('a later launch that fails leaves the home of the one before alone, whatever call fails', async () => {
  for (let n = 1; n < CALLS_MAX; n += 1) {
    const host = new FakeHost();
    const engine = await openEngine(host);
    await engine.launch(privately('a'));
    await engine.stop('a');
    host.failAt(n);
    const isStarted = await engine.launch(privately('a')).then(
      () => true,
      () => false,
    );
    host.failAt(0);
    assert.deepEqual(await homesOf(host), ALL, `call ${n}`);
    if (isStarted) return;
    await engine[Symbol.asyncDispose]();
  }
  assert.fail('no launch succeeded');
});

test('a home is there while its agent runs and after it, and gone once the agent is removed', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  await engine.launch(privately('a'));
  assert.deepEqual(await homesOf(host), ALL);
  await engine.stop('a');
  assert.deepEqual(await homesOf(host), ALL);
  await engine.remove('a');
  assert.deepEqual(await homesOf(host), []);
});

test('a daemon killed before any call of a removal leaves no home that its successor does not remove', async () => {
  for (let n = 1; n < CALLS_MAX; n += 1) {
    const host = new FakeHost();
    const first = await openEngine(host);
    await first.launch(privately('a'));
    await first.stop('a');
    host.dieAt(n);
    const isRemoved = await first.remove('a').then(
      () => true,
      () => false,
    );
    await first[Symbol.asyncDispose]();
    host.dieAt(0);
    const second = await openEngine(host);
    if (second.registry.find('a') !== null) await second.remove('a');
    assert.deepEqual(await homesOf(host), [], `killed before call ${n}`);
    await second[Symbol.asyncDispose]();
    if (isRemoved) return;
  }
  assert.fail('no removal succeeded');
});

test('homes of agents that nobody knows go at the start of a daemon, those of known ones stay', async () => {
  const host = new FakeHost();
  const first = await openEngine(host);
  await first.launch(privately('a'));
  await first.launch(privately('b'));
  await first.stop('a');
  await first[Symbol.asyncDispose]();
  host.files.seedFile(`${UNITS}/run-agent\\x2dspawn-homes-gone\\x2dby-1900000009.mount`, '');
  host.files.seedDirectory('/run/agent-spawn/homes/gone-by/1900000009');
  const known = (await homesOf(host)).filter((path) => !path.includes('gone'));
  await openEngine(host);
  assert.deepEqual(await homesOf(host), known);
});

test('the home of a declared agent goes with its card, after the run that goes on', async () => {
  const host = new FakeHost();
  host.files.seedFile('/etc/agents/a.json', privately('a').cardSource.text);
  const engine = await openEngine(host);
  await engine.startDeclared('a');
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.deepEqual(await homesOf(host), ALL);
  await engine.stop('a');
  assert.deepEqual(await homesOf(host), []);
});

test('the home of a declared agent at rest goes with its card at once', async () => {
  const host = new FakeHost();
  host.files.seedFile('/etc/agents/a.json', privately('a').cardSource.text);
  const engine = await openEngine(host);
  await engine.startDeclared('a');
  await engine.stop('a');
  assert.deepEqual(await homesOf(host), ALL);
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.deepEqual(await homesOf(host), []);
});

test('the home that an agent had as another user goes at the end of its next run', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  await engine.launch(privately('a'));
  await engine.stop('a');
  host.files.seedDirectory('/srv/checkouts/ada', { uid: 1000 });
  await engine.launch(privately('a', { workspace: '/srv/checkouts/ada' }));
  await engine.stop('a');
  assert.deepEqual(await homesOf(host), [
    '/run/agent-spawn/homes/a',
    '/run/agent-spawn/homes/a/1000',
    `${UNITS}/run-agent\\x2dspawn-homes-a-1000.mount`,
    'run-agent\\x2dspawn-homes-a-1000.mount',
  ]);
});

test('a home gets the size of a changed card; one that holds too much is refused and keeps what it has', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  const sizeOf = (): string => /size=(\d+)/.exec(host.files.text(`${UNITS}/${UNIT}`) ?? '')?.[1] ?? '';
  await engine.launch(privately('a', { resource_limits: { tmp_mb: 2 } }));
  await engine.stop('a');
  await engine.launch(privately('a', { resource_limits: { tmp_mb: 4 } }));
  await engine.stop('a');
  assert.deepEqual([sizeOf(), host.log.includes(`ReloadUnit ${UNIT}`)], ['4194304', true]);
  host.units.script(UNIT, { result: 'failed' });
  await assert.rejects(engine.launch(privately('a', { resource_limits: { tmp_mb: 1 } })), {
    code: 'plan.home-refused',
    message: /cannot be changed to 1 MiB/,
  });
  assert.equal(sizeOf(), '4194304');
  assert.deepEqual(await homesOf(host), ALL);
});

test('a start whose home could not be mounted says so, and takes everything back', async () => {
  const host = new FakeHost();
  const events: EngineEvent[] = [];
  const engine = await openEngine(host, events);
  host.markClean();
  host.units.script('sandboxed-agent@a.service', { result: 'dependency' });
  host.units.failedUnits.add(UNIT);
  await assert.rejects(engine.launch(privately('a')), {
    code: 'sandbox.start-failed',
    message: 'The home directory of the agent "a" could not be mounted.',
  });
  assert.deepEqual(unexpected(host.leftovers()), []);
});
