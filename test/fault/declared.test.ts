import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineEvent } from '../../src/sandbox/context.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine } from './engine.ts';

const UNIT_FILE = '/run/systemd/system/sandboxed-agent@a.service';

/** A host with one card; `changes` are merged into it. */
function hostWithCard(changes: object = {}): FakeHost {
  const host = new FakeHost();
  const card = { agent_id: 'a', workspace: '/srv/agents/a', agent: 'shell', ...changes };
  host.files.seedFile('/etc/agents/a.json', JSON.stringify(card));
  return host;
}

test('a card becomes a unit file that starts what the card says', async () => {
  const host = hostWithCard({ command: ['make', 'nightly'] });
  const engine = await openEngine(host);
  assert.match(host.files.text(UNIT_FILE) ?? '', /^ExecStart=:.*\/usr\/bin\/bwrap .* -- make nightly$/m);
  assert.equal(engine.registry.get('a').state, 'not-started');
});

test('a card is compiled again when the system of the host is another one', async () => {
  const host = hostWithCard();
  const engine = await openEngine(host);
  host.switchTo({ ...host.system, profile: { directory: '/nix/store/p-system-path', localeArchive: null } });
  // What is under way is waited for.
  await engine[Symbol.asyncDispose]();
  assert.match(host.files.text(UNIT_FILE) ?? '', /--setenv PATH \S+:\/nix\/store\/p-system-path\/bin /);
});

test('a compilation whose n-th call fails, for every n, is made good by the next one', async () => {
  const undisturbed = hostWithCard();
  await openEngine(undisturbed);
  for (let n = 1; n <= undisturbed.calls; n += 1) {
    const host = hostWithCard();
    host.failAt(n);
    const engine = await openEngine(host);
    host.failAt(0);
    await engine.compileDeclared();
    assert.equal(host.files.text(UNIT_FILE), undisturbed.files.text(UNIT_FILE), `call ${n}: ${host.log[n - 1]}`);
    assert.equal(engine.registry.get('a').state, 'not-started');
  }
});

test('a card that is refused becomes a unit that says why', async () => {
  const host = hostWithCard({ memroy: 1 });
  const engine = await openEngine(host);
  assert.match(
    host.files.text(UNIT_FILE) ?? '',
    /^ExecStart=:\/usr\/lib\/agent-spawn\/refuse ".*no key \\"memroy\\".*card\.unknown-key.*$/m,
  );
  assert.equal(engine.registry.get('a').state, 'invalid');
});

test('a card whose file has another name than its agent is refused with both names', async () => {
  const host = hostWithCard({ agent_id: 'b' });
  await openEngine(host);
  assert.match(host.files.text(UNIT_FILE) ?? '', /a\.json.*\\"b\\".*card\.id-mismatch/);
});

test('a card that goes away takes its unit file and everything made for it along', async () => {
  const host = hostWithCard();
  const engine = await openEngine(host);
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.equal(host.files.text(UNIT_FILE), null);
  assert.equal(engine.registry.find('a'), null);
  assert.deepEqual(await host.files.list('/run/agent-spawn/agents'), []);
  assert.deepEqual(await host.files.list('/run/userdb'), []);
});

test('a card that goes away after a run whose last word PID 1 kept to itself leaves nothing', async () => {
  const host = hostWithCard();
  const engine = await openEngine(host);
  const agent = await engine.startDeclared('a');
  const unit = 'sandboxed-agent@a.service';
  host.units.change(unit, { activeState: 'deactivating', subState: 'stop-sigterm' });
  host.units.loaded.delete(unit);
  host.units.lose();
  await agent.whenEnded();
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.deepEqual([host.files.text(UNIT_FILE), engine.registry.find('a')], [null, null]);
});

test('two cards for one workspace: the second is refused and the first keeps its files', async () => {
  const host = hostWithCard();
  host.files.seedFile(
    '/etc/agents/b.json',
    JSON.stringify({ agent_id: 'b', workspace: '/srv/agents/a', agent: 'shell' }),
  );
  await openEngine(host);
  assert.match(
    host.files.text('/run/systemd/system/sandboxed-agent@b.service') ?? '',
    /overlaps \/srv\/agents\/a, the workspace of the agent/,
  );
});

test('an agent may not be started in the workspace of one that runs', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  await engine.launch(launchOf('a'));
  const other = launchOf('b');
  await assert.rejects(engine.launch({ ...other, card: { ...other.card, workspace: '/srv/agents/a' } }), {
    code: 'plan.workspace-refused',
  });
});

test('an id that a card declares cannot be started by another card', async () => {
  const engine = await openEngine(hostWithCard());
  await assert.rejects(engine.launch(launchOf('a')), { code: 'sandbox.declared' });
});

test('a declared agent that anyone starts and ends is followed', async () => {
  const host = hostWithCard();
  const events: EngineEvent[] = [];
  const engine = await openEngine(host, events);
  await host.units.start('sandboxed-agent@a.service');
  await Promise.resolve();
  assert.equal(engine.registry.get('a').state, 'running');
  const ended = engine.registry.get('a').whenEnded();
  host.units.end('sandboxed-agent@a.service', { result: 'exit-code', mainCode: 1, mainStatus: 3 });
  await ended;
  assert.deepEqual(engine.registry.get('a').record.outcome, { kind: 'exited', status: 3 });
  assert.equal(host.files.text(UNIT_FILE) === null, false);
});

test('autostart starts an agent once per boot, not once per daemon start', async () => {
  const host = hostWithCard({ autostart: true });
  const first = await openEngine(host);
  assert.equal(first.registry.get('a').state, 'running');
  await first.stop('a');
  await first[Symbol.asyncDispose]();
  const second = await openEngine(host);
  assert.equal(second.registry.get('a').state, 'ended');
});

test('a card for an id that runs already waits for the end of that run', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  const agent = await engine.launch(launchOf('a'));
  host.files.seedFile(
    '/etc/agents/a.json',
    JSON.stringify({ agent_id: 'a', workspace: '/srv/agents/a', agent: 'shell' }),
  );
  await engine.compileDeclared();
  assert.equal(host.files.text(UNIT_FILE), null);
  assert.equal(agent.record.origin, 'spawned');
  await engine.stop('a');
  await engine.compileDeclared();
  assert.notEqual(host.files.text(UNIT_FILE), null);
  assert.equal(engine.registry.get('a').state, 'ended');
});
