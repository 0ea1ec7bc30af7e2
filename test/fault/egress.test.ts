import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EGRESS_RETRY_MAX_MS } from '../../src/base/limits.ts';
import type { EngineEvent } from '../../src/sandbox/context.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, unexpected } from './engine.ts';

const UNIT = 'sandboxed-agent@a.service';

/** Hosts that an agent may reach, as the proxy knows it; null when it does not know the agent. */
function hostsOf(host: FakeHost, id = 'a'): readonly string[] | null {
  return host.egress.tables.get(id)?.policy.allow.map((rule) => rule.host) ?? null;
}

/** Everything the proxy knows, by agent. */
function knownTo(host: FakeHost): object {
  return Object.fromEntries(structuredClone(host.egress.tables));
}

function declare(host: FakeHost, keys: object): void {
  const card = { agent_id: 'a', workspace: '/srv/agents/a', agent: 'shell', ...keys };
  host.files.seedFile('/etc/agents/a.json', JSON.stringify(card));
}

/** Lets everything run that waits for nothing but its turn. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Ends the present daemon and starts another on the same host. */
async function restartDaemon(engine: Engine, host: FakeHost, events: EngineEvent[] = []): Promise<Engine> {
  await engine[Symbol.asyncDispose]();
  return openEngine(host, events);
}

test('a spawned agent is known to the proxy from before its start until its end, and leaves its counts behind', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  const agent = await engine.launch(launchOf('a'));
  assert.deepEqual(hostsOf(host), ['api.anthropic.com']);
  assert.ok(host.log.indexOf('egress PUT a') < host.log.findIndex((call) => call.startsWith('StartTransientUnit')));
  host.egress.summaries.set('a', { allowed: 3, refused: 1 });
  await engine.stop('a');
  assert.equal(hostsOf(host), null);
  assert.equal(agent.record.egress?.allowed, 3);
  assert.equal(agent.record.egressTable, null);
});

test('an agent does not start while the proxy is away', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  host.egress.die();
  await assert.rejects(engine.launch(launchOf('a')), { code: 'host.egress-unavailable' });
  assert.equal(engine.registry.find('a'), null);
  assert.equal(host.units.loaded.size, 0);
  host.egress.comeBack();
  await engine.launch(launchOf('a'));
  assert.deepEqual(hostsOf(host), ['api.anthropic.com']);
});

test('after an end of the daemon, of the proxy and of both, the proxy knows the same as before', async () => {
  const host = new FakeHost();
  host.files.seedFile(
    '/etc/agents/b.json',
    JSON.stringify({ agent_id: 'b', workspace: '/srv/agents/b', agent: 'shell' }),
  );
  let engine = await openEngine(host);
  await engine.launch(launchOf('a'));
  await engine.changeEgress('a', { action: 'allow', host: 'live.example' });
  const before = knownTo(host);
  assert.deepEqual(hostsOf(host), ['api.anthropic.com', 'live.example']);
  assert.deepEqual(hostsOf(host, 'b'), ['api.anthropic.com']);

  engine = await restartDaemon(engine, host);
  assert.deepEqual(knownTo(host), before);

  host.egress.die();
  host.egress.comeBack();
  host.clock.advance(EGRESS_RETRY_MAX_MS);
  await settle();
  assert.deepEqual(knownTo(host), before);

  host.egress.die();
  host.egress.comeBack();
  engine = await restartDaemon(engine, host);
  assert.deepEqual(knownTo(host), before);
  await engine[Symbol.asyncDispose]();
});

test('a daemon killed before any call of a launch leaves the proxy knowing nothing that its successor does not take back', async () => {
  for (let n = 1; n < 30; n += 1) {
    const host = new FakeHost();
    const first = await openEngine(host);
    host.dieAt(n);
    const failed = await first.launch(launchOf('a')).then(
      () => false,
      () => true,
    );
    await first[Symbol.asyncDispose]();
    host.dieAt(0);
    if (!failed) return;
    const second = await openEngine(host);
    assert.deepEqual([...host.egress.tables.keys()], [], `killed before call ${n}`);
    await second[Symbol.asyncDispose]();
  }
  assert.fail('the loop is too short');
});

test('a declared agent is known to the proxy while it rests, so that PID 1 can start it alone', async () => {
  const host = new FakeHost();
  declare(host, { allowed_hosts: ['one.example'] });
  const engine = await openEngine(host);
  assert.deepEqual(hostsOf(host), ['one.example']);
  declare(host, { allowed_hosts: ['two.example'] });
  await engine.compileDeclared();
  assert.deepEqual(hostsOf(host), ['two.example']);
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.equal(hostsOf(host), null);
});

test('a changed card leaves the rules of a run that goes on alone, also over an end of the daemon, and is in force for the next', async () => {
  const host = new FakeHost();
  declare(host, { allowed_hosts: ['one.example'] });
  let engine = await openEngine(host);
  await engine.startDeclared('a');
  declare(host, { allowed_hosts: ['two.example'] });
  await engine.compileDeclared();
  assert.deepEqual(hostsOf(host), ['one.example']);
  engine = await restartDaemon(engine, host);
  assert.deepEqual(hostsOf(host), ['one.example']);
  host.egress.summaries.set('a', { refused: 4 });
  await engine.stop('a');
  await settle();
  assert.equal(engine.registry.get('a').record.egress?.refused, 4);
  assert.deepEqual(hostsOf(host), ['two.example']);
});

test('a restart by PID 1 takes the newest card up, and keeps what the operator allowed in between', async () => {
  const host = new FakeHost();
  declare(host, { allowed_hosts: ['one.example'] });
  const engine = await openEngine(host);
  await engine.startDeclared('a');
  await engine.changeEgress('a', { action: 'allow', host: 'live.example' });
  declare(host, { allowed_hosts: ['two.example'] });
  await engine.compileDeclared();
  assert.deepEqual(hostsOf(host), ['one.example', 'live.example']);
  await host.units.restart(UNIT);
  await settle();
  assert.deepEqual(hostsOf(host), ['two.example', 'live.example']);
  await engine.stop('a');
  await settle();
  assert.deepEqual(hostsOf(host), ['two.example']);
});

test('a restart that is asked of the daemon hands the new rules over before the new run begins', async () => {
  const host = new FakeHost();
  declare(host, { allowed_hosts: ['one.example'] });
  const engine = await openEngine(host);
  await engine.startDeclared('a');
  declare(host, { allowed_hosts: ['two.example'] });
  const before = host.log.length;
  await engine.restart('a');
  const log = host.log.slice(before);
  const handedOver = log.indexOf('egress PUT a');
  assert.ok(handedOver !== -1 && handedOver < log.findIndex((call) => call.startsWith('RestartUnit')), log.join('\n'));
  assert.deepEqual(hostsOf(host), ['two.example']);
});

test('a restart that nobody watched takes the newest card up as well', async () => {
  const host = new FakeHost();
  declare(host, { allowed_hosts: ['one.example'] });
  let engine = await openEngine(host);
  await engine.startDeclared('a');
  declare(host, { allowed_hosts: ['two.example'] });
  await engine.compileDeclared();
  await engine[Symbol.asyncDispose]();
  await host.units.restart(UNIT);
  engine = await openEngine(host);
  await settle();
  assert.deepEqual(hostsOf(host), ['two.example']);
  await engine[Symbol.asyncDispose]();
});

test('a card that is refused takes what its agent may reach away, once nothing of it runs', async () => {
  const host = new FakeHost();
  declare(host, { allowed_hosts: ['one.example'] });
  const engine = await openEngine(host);
  await engine.startDeclared('a');
  declare(host, { allowed_hosts: ['*.com'] });
  await engine.compileDeclared();
  assert.deepEqual(hostsOf(host), ['one.example']);
  await engine.stop('a');
  await settle();
  assert.equal(hostsOf(host), null);
});

test('agents that ended while no daemon ran are taken back, with their counts', async () => {
  const host = new FakeHost();
  const first = await openEngine(host);
  await first.launch(launchOf('a'));
  await first[Symbol.asyncDispose]();
  host.egress.summaries.set('a', { allowed: 5 });
  host.units.end(UNIT, { result: 'success', mainCode: 1, mainStatus: 0 });
  const second = await openEngine(host);
  assert.equal(hostsOf(host), null);
  assert.equal(second.registry.get('a').record.egress?.allowed, 5);
});

test('a card that goes away while the end of its agent is being settled leaves nothing', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  host.markClean();
  declare(host, {});
  await engine.compileDeclared();
  const agent = await engine.startDeclared('a');
  let release = (): void => undefined;
  host.egress.removalGate = new Promise((resolve) => {
    release = resolve;
  });
  host.units.end(UNIT, { result: 'success', mainCode: 1, mainStatus: 0 });
  await settle();
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.equal(agent.isLive, true);
  release();
  await agent.whenEnded();
  await settle();
  await engine.remove('a');
  assert.deepEqual(
    unexpected(host.leftovers()).filter((line) => !line.startsWith('directory /srv/agents')),
    [],
  );
});

test('a card that goes away in the last moment of that leaves nothing either', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  host.markClean();
  declare(host, {});
  await engine.compileDeclared();
  const agent = await engine.startDeclared('a');
  const list = host.files.list.bind(host.files);
  host.files.list = async (path) => {
    host.files.list = list;
    await host.files.remove('/etc/agents/a.json');
    await engine.compileDeclared();
    assert.equal(agent.isLive, true);
    return list(path);
  };
  host.units.end(UNIT, { result: 'success', mainCode: 1, mainStatus: 0 });
  await agent.whenEnded();
  await settle();
  await engine.remove('a');
  assert.deepEqual(
    unexpected(host.leftovers()).filter((line) => !line.startsWith('directory /srv/agents')),
    [],
  );
});

test('a run that begins while the end of the one before is being settled keeps its way out', async () => {
  const host = new FakeHost();
  declare(host, { allowed_hosts: ['one.example'] });
  const engine = await openEngine(host);
  await engine.startDeclared('a');
  let release = (): void => undefined;
  host.egress.removalGate = new Promise((resolve) => {
    release = resolve;
  });
  host.units.end(UNIT, { result: 'success', mainCode: 1, mainStatus: 0 });
  await settle();
  await host.units.start(UNIT);
  await settle();
  release();
  await settle();
  await settle();
  assert.equal(engine.registry.get('a').state, 'running');
  assert.deepEqual(hostsOf(host), ['one.example']);
});

test('a live rule is in force, in the record and in the log, and gone with its agent', async () => {
  const host = new FakeHost();
  const events: EngineEvent[] = [];
  const engine = await openEngine(host, events);
  await engine.launch(launchOf('a'));
  const rule = await engine.changeEgress('a', { action: 'deny', host: 'bad.example' });
  assert.equal(rule.pointer, '/live/deny/0');
  assert.deepEqual(host.egress.tables.get('a')?.policy.deny, [rule]);
  assert.deepEqual(engine.egressTable('a')?.policy.deny, [rule]);
  assert.deepEqual(engine.registry.get('a').record.egressTable?.policy.deny, [rule]);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'egress-changed'),
    [{ kind: 'egress-changed', id: 'a', action: 'deny', host: 'bad.example', rule: '/live/deny/0' }],
  );
  await engine.stop('a');
  await engine.launch(launchOf('a'));
  assert.deepEqual(engine.egressTable('a')?.policy.deny, []);
});

test('a change that cannot be made says why and changes nothing', async () => {
  const host = new FakeHost();
  const engine = await openEngine(host);
  await engine.launch(launchOf('a'));
  const cut = launchOf('n');
  await engine.launch({ ...cut, card: { ...cut.card, network: { ...cut.card.network, mode: 'none' } } });
  const allow = (id: string, name: string): Promise<unknown> =>
    engine.changeEgress(id, { action: 'allow', host: name });
  await assert.rejects(async () => allow('absent', 'x.example'), { code: 'sandbox.not-found' });
  await assert.rejects(allow('n', 'x.example'), { code: 'sandbox.no-egress' });
  await assert.rejects(allow('a', 'http://x.example/'), { code: 'card.host-pattern' });
  host.failAt(1);
  await assert.rejects(allow('a', 'x.example'), { code: 'host.call-failed' });
  assert.deepEqual(hostsOf(host), ['api.anthropic.com']);
  assert.deepEqual(engine.egressTable('a')?.policy.allow, host.egress.tables.get('a')?.policy.allow);
  await engine.stop('a');
  await assert.rejects(allow('a', 'x.example'), { code: 'sandbox.not-running' });
});

test('credentials of the proxy reach the proxy, and no plan, notice, event or message', async () => {
  const host = new FakeHost();
  const events: EngineEvent[] = [];
  host.files.seedFile('/run/secrets/proxy', 'user:hush\n', 0, 0o600);
  const keys = { proxy: 'http://squid:3128', proxy_credentials_file: '/run/secrets/proxy' };
  declare(host, keys);
  const engine = await openEngine(host, events);
  await engine.startDeclared('a');
  assert.deepEqual(host.egress.tables.get('a')?.upstream, {
    scheme: 'http',
    host: 'squid',
    port: 3128,
    credentials: 'user:hush',
  });
  const { card, notices } = engine.registry.get('a').record;
  const plan = await engine.plan({ card, arguments: [] });
  assert.doesNotMatch(
    JSON.stringify([plan, notices, events], (_, v) => (typeof v === 'bigint' ? String(v) : v)),
    /hush/,
  );
  assert.doesNotMatch(host.files.text(`/run/systemd/system/${UNIT}`) ?? '', /hush/);
  const record = [...host.files.nodes].filter(([, node]) => {
    return node.kind === 'file' && Buffer.from(node.content).includes('hush') && node.mode !== 0o600;
  });
  assert.deepEqual(record, []);
});

test('credentials that cannot be used refuse the card, or the start', async () => {
  const host = new FakeHost();
  declare(host, { proxy: 'http://squid:3128', proxy_credentials_file: '/run/secrets/proxy' });
  const engine = await openEngine(host);
  assert.equal(engine.registry.get('a').state, 'invalid');
  assert.match(engine.registry.get('a').record.notices[0] ?? '', /there is no such file/);
  const spawned = launchOf('b');
  const card = { ...spawned.card, proxy: 'http://squid:3128', proxyCredentialsFile: '/run/secrets/proxy' };
  await assert.rejects(engine.launch({ ...spawned, card }), { code: 'plan.credentials-refused' });
  assert.equal(hostsOf(host, 'b'), null);
});
