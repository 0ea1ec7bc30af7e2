import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent } from '../../src/sandbox/context.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, unexpected } from './engine.ts';

/** More calls than any launch makes: the loops below end before it, or fail. */
const CALLS_MAX = 100;

/** Number of mutating calls of one undisturbed launch. */
async function callsOfLaunch(): Promise<number> {
  const host = new FakeHost();
  const engine = await openEngine(host);
  const before = host.calls;
  await engine.launch(launchOf('a'));
  return host.calls - before;
}

for (const moment of ['before', 'after'] as const) {
  test(`a launch whose n-th call fails ${moment} it took effect leaves nothing, for every n, and the id is free again`, async () => {
    let failures = 0;
    for (let n = 1; n < CALLS_MAX; n += 1) {
      const host = new FakeHost();
      const engine = await openEngine(host);
      host.markClean();
      host.failAt(n, moment);
      const error = await engine.launch(launchOf('a')).then(
        () => null,
        (cause: unknown) => cause,
      );
      const failed = host.log.at(-1);
      if (error === null) break;
      failures += 1;
      host.failAt(0);
      // An answer that is lost on its way is a thing of the bus: a file call that throws has done nothing for good.
      if (moment === 'before' || isBusCall(host.log, n))
        assert.deepEqual(unexpected(host.leftovers()), [], `call ${n}: ${failed}`);
      assert.equal(engine.registry.find('a'), null);
      const agent = await engine.launch(launchOf('a'));
      assert.equal(agent.record.phase, 'started');
      await engine[Symbol.asyncDispose]();
    }
    assert.equal(failures, await callsOfLaunch());
  });
}

function isBusCall(log: readonly string[], n: number): boolean {
  return /^[A-Z]\w+(Unit|Reload)/.test(log[n - 1] ?? '');
}

test('a daemon killed before any call of a launch leaves nothing that its successor does not remove', async () => {
  const total = await callsOfLaunch();
  for (let n = 1; n <= total; n += 1) {
    const host = new FakeHost();
    const first = await openEngine(host);
    host.markClean();
    host.dieAt(n);
    await assert.rejects(first.launch(launchOf('a')));
    await first[Symbol.asyncDispose]();
    host.dieAt(0);
    const events: EngineEvent[] = [];
    const second = await openEngine(host, events);
    assert.deepEqual(withoutMadeWorkspace(unexpected(host.leftovers())), [], `killed before call ${n} of ${total}`);
    assert.equal(second.registry.find('a'), null);
    assert.deepEqual(
      events.filter((event) => event.kind === 'ignored-failure'),
      [],
    );
    await second[Symbol.asyncDispose]();
  }
});

/** An empty workspace may stay after a crash: nobody can tell whose it is, and the next start takes it over. */
function withoutMadeWorkspace(leftovers: readonly string[]): readonly string[] {
  return leftovers.filter((line) => !/^directory \/srv\/agents(\/a)? remains$/.test(line));
}

test('an agent that runs is adopted by the next daemon, which can stop it', async () => {
  const host = new FakeHost();
  const first = await openEngine(host);
  await first.launch(launchOf('a'));
  await first[Symbol.asyncDispose]();
  const second = await openEngine(host);
  assert.equal(second.registry.get('a').state, 'running');
  const agent = await second.stop('a');
  assert.deepEqual(agent.record.outcome, { kind: 'stopped' });
  assert.equal(host.units.loaded.size, 0);
});

test('an agent that ended while no daemon ran has its outcome settled and is cleared away', async () => {
  const host = new FakeHost();
  const first = await openEngine(host);
  host.markClean();
  await first.launch(launchOf('a'));
  await first[Symbol.asyncDispose]();
  host.files.seedFile(
    '/run/agent-spawn/exits/a',
    'service_result=exit-code\nexit_code=exited\nexit_status=7\ncomplete=yes\n',
  );
  host.units.end('sandboxed-agent@a.service', { result: 'exit-code', mainCode: 1, mainStatus: 7 });
  const second = await openEngine(host);
  assert.deepEqual(second.registry.get('a').record.outcome, { kind: 'exited', status: 7 });
  await second.remove('a');
  assert.deepEqual(withoutMadeWorkspace(unexpected(host.leftovers())), []);
});

test('of two starts with one id at once exactly one wins and the other is told', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  const results = await Promise.allSettled([engine.launch(launchOf('a')), engine.launch(launchOf('a'))]);
  assert.deepEqual(
    results.map((result) => (result.status === 'rejected' ? result.reason.code : 'started')),
    ['started', 'sandbox.exists'],
  );
});
