import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpawnError } from '../../src/base/errors.ts';
import { withoutCredentials } from '../../src/plan/egress.ts';
import type { AgentTable } from '../../src/policy/table.ts';
import type { EngineEvent } from '../../src/sandbox/context.ts';
import type { Engine } from '../../src/sandbox/engine.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, unexpected } from './engine.ts';

/** More calls than any start makes: the loops below end before it, or fail. */
const CALLS_MAX = 100;
const UNIT_FILE = '/run/systemd/system/sandboxed-agent@a.service';
const HELD_FILE = '/run/agent-spawn/agents/a/keys/options';

/** A card with a key of each kind, and where they are. */
const CARD = {
  api_provider: 'anthropic',
  api_key_file: '/run/secrets/model',
  credentials: [
    { provider: 'git', base_url: 'https://git.example', api_key_file: 'credential:git' },
    { provider: 'custom', base_url: 'https://search.example', api_key_file: '/run/secrets/search' },
  ],
  proxy: 'http://squid:3128',
  proxy_credentials_file: '/run/secrets/proxy',
};
const FILES: Readonly<Record<string, string>> = {
  '/run/secrets/model': 'canary-model',
  '/etc/credstore/git': 'canary-git',
  '/run/secrets/search': 'canary-search',
  '/run/secrets/proxy': 'canary-user:canary-password',
};

function hostWithKeys(): FakeHost {
  const host = new FakeHost();
  for (const [path, content] of Object.entries(FILES)) host.files.seedFile(path, `${content}\n`, 0, 0o600);
  host.markClean();
  return host;
}

function declare(host: FakeHost, keys: object = CARD): void {
  const card = { agent_id: 'a', workspace: '/srv/agents/a', agent: 'shell', ...keys };
  host.files.seedFile('/etc/agents/a.json', JSON.stringify(card));
}

function rotate(host: FakeHost, path: string, content: string): void {
  host.files.seedFile(path, `${content}\n`, 0, 0o600);
}

/** Mounts with their keys, and what the upstream proxy is told. */
function keysOf(table: AgentTable | null | undefined): Readonly<Record<string, string | null>> | null {
  if (table === null || table === undefined) return null;
  const keys = table.gateways.map(({ mount, key }) => [mount, key] as const);
  return Object.fromEntries([...keys, ['proxy', table.upstream?.credentials ?? null]]);
}

const OLD = {
  '/anthropic': 'canary-model',
  '/git/git.example': 'canary-git',
  '/custom/search.example': 'canary-search',
  proxy: 'canary-user:canary-password',
};

/** Files that hold a secret, with their modes, apart from those that the operator put there. */
function holders(host: FakeHost): readonly string[] {
  return [...host.files.nodes].flatMap(([path, node]) => {
    if (node.kind !== 'file' || path in FILES || !Buffer.from(node.content).includes('canary')) return [];
    return [`${path} ${node.mode.toString(8)}`];
  });
}

/** Everything as JSON. */
function told(...values: readonly unknown[]): string {
  return JSON.stringify(values, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

test('keys reach the proxy and rest in the record, for root alone, and nothing else has them', async () => {
  for (const isDeclared of [false, true]) {
    const host = hostWithKeys();
    const events: EngineEvent[] = [];
    if (isDeclared) declare(host);
    const engine = await openEngine(host, events);
    const agent = isDeclared ? await engine.startDeclared('a') : await engine.launch(launchOf('a', CARD));
    assert.deepEqual(keysOf(host.egress.tables.get('a')), OLD);
    assert.deepEqual(keysOf(agent.record.egressTable), OLD);
    assert.deepEqual(holders(host), ['/run/agent-spawn/records/a.json 600']);
    const { card, notices, user } = agent.record;
    const plan = await engine.plan({ card, arguments: [] });
    const shown = told(
      plan,
      card,
      notices,
      user,
      events,
      engine.egressTable('a'),
      host.log,
      [...host.units.loaded],
      host.journaled,
    );
    assert.doesNotMatch(shown, /canary/);
    assert.doesNotMatch(told(withoutCredentials(agent.record.egressTable ?? assert.fail())), /canary/);
    await engine.stop('a');
    if (!isDeclared) assert.deepEqual(holders(host), []);
  }
});

test('a start with keys whose n-th call fails leaves nothing, for every n, and the id is free again', async () => {
  let failures = 0;
  for (let n = 1; n < CALLS_MAX; n += 1) {
    const host = hostWithKeys();
    const engine = await openEngine(host);
    host.markClean();
    host.failAt(n);
    const error = await engine.launch(launchOf('a', CARD)).then(
      () => null,
      (cause: unknown) => cause,
    );
    const failed = host.log.at(-1);
    if (error === null) break;
    failures += 1;
    host.failAt(0);
    assert.deepEqual(unexpected(host.leftovers()), [], `call ${n}: ${failed}`);
    assert.deepEqual(holders(host), [], `call ${n}: ${failed}`);
    assert.doesNotMatch(String(error), /canary/);
    assert.equal(engine.registry.find('a'), null);
    await engine.launch(launchOf('a', CARD));
    assert.deepEqual(keysOf(host.egress.tables.get('a')), OLD);
    await engine[Symbol.asyncDispose]();
  }
  assert.ok(failures > 8, `${failures} calls`);
});

test('a key that cannot be used refuses a start before its first step, with every problem and no key', async () => {
  const host = hostWithKeys();
  const engine = await openEngine(host);
  await engine.launch(launchOf('b'));
  host.files.seedFile('/run/secrets/model', 'canary model\n', 0, 0o600);
  host.files.seedFile('/run/secrets/search', 'canary-search', 0, 0o644);
  host.files.nodes.delete('/etc/credstore/git');
  host.markClean();
  const calls = host.calls;
  const error = await engine.launch(launchOf('a', CARD)).catch((cause: unknown) => cause);
  assert.ok(error instanceof SpawnError);
  assert.deepEqual(
    error.problems.map(({ code, pointer }) => `${code} ${pointer}`),
    ['/api_key_file', '/credentials/0/api_key_file', '/credentials/1/api_key_file'].map(
      (at) => `plan.credentials-refused ${at}`,
    ),
  );
  assert.doesNotMatch(told(error, error.message, error.problems), /canary/);
  assert.deepEqual(unexpected(host.leftovers()), []);
  const done = host.log.slice(calls).filter((call) => !/uids\.json|^removing/.test(call));
  assert.deepEqual(done, [], 'nothing was done that had to be undone');
  assert.equal(engine.registry.find('a'), null);
});

test('a declared card whose key cannot be used is a unit that fails with the reason, until the key is there', async () => {
  const host = hostWithKeys();
  host.files.nodes.delete('/run/secrets/model');
  declare(host);
  const engine = await openEngine(host);
  assert.equal(engine.registry.get('a').state, 'invalid');
  assert.match(
    host.files.text(UNIT_FILE) ?? '',
    /^ExecStart=:\/usr\/lib\/agent-spawn\/refuse ".*no such file.*credentials-refused.*$/m,
  );
  assert.deepEqual(holders(host), []);
  await assert.rejects(engine.reloadCredentials('a'), { code: 'sandbox.card-refused', message: /no such file/ });
  rotate(host, '/run/secrets/model', 'canary-late');
  await engine.reloadCredentials('a');
  assert.equal(engine.registry.get('a').state, 'not-started');
  assert.deepEqual(keysOf(host.egress.tables.get('a')), { ...OLD, '/anthropic': 'canary-late' });
});

test('a run whose card was refused meanwhile, for a key that was away, gets its keys all the same', async () => {
  const host = hostWithKeys();
  declare(host);
  const engine = await openEngine(host);
  await engine.startDeclared('a');
  host.files.nodes.delete('/run/secrets/model');
  await engine.compileDeclared();
  assert.equal(engine.registry.get('a').isInvalid, true);
  assert.deepEqual(keysOf(host.egress.tables.get('a')), OLD);
  rotate(host, '/run/secrets/model', 'canary-new');
  await engine.reloadCredentials('a');
  assert.equal(engine.registry.get('a').state, 'running');
  assert.deepEqual(keysOf(host.egress.tables.get('a')), { ...OLD, '/anthropic': 'canary-new' });
});

/** An agent of each kind, ready to have its keys read again. */
async function ready(
  kind: 'spawned' | 'declared' | 'at rest',
): Promise<{ host: FakeHost; engine: Engine; events: EngineEvent[] }> {
  const host = hostWithKeys();
  const events: EngineEvent[] = [];
  if (kind !== 'spawned') declare(host);
  const engine = await openEngine(host, events);
  if (kind === 'spawned') await engine.launch(launchOf('a', CARD));
  if (kind === 'declared') await engine.startDeclared('a');
  return { host, engine, events };
}

for (const kind of ['spawned', 'declared', 'at rest'] as const) {
  test(`rotated keys of an agent that is ${kind} are in force at once, and after an end of the daemon`, async () => {
    const { host, engine, events } = await ready(kind);
    rotate(host, '/run/secrets/model', 'canary-new');
    rotate(host, '/run/secrets/proxy', 'canary-user:new');
    const reloaded = await engine.reloadCredentials('a');
    assert.deepEqual(reloaded, [
      { pointer: '/api_key_file', target: '/anthropic', isChanged: true, inForce: 'now' },
      { pointer: '/credentials/0/api_key_file', target: '/git/git.example', isChanged: false, inForce: 'now' },
      { pointer: '/credentials/1/api_key_file', target: '/custom/search.example', isChanged: false, inForce: 'now' },
      { pointer: '/proxy_credentials_file', target: 'proxy', isChanged: true, inForce: 'now' },
    ]);
    const now = { ...OLD, '/anthropic': 'canary-new', proxy: 'canary-user:new' };
    assert.deepEqual(keysOf(host.egress.tables.get('a')), now);
    assert.deepEqual(events.at(-1), {
      kind: 'credentials-reloaded',
      id: 'a',
      changed: ['/api_key_file', '/proxy_credentials_file'],
    });
    assert.deepEqual(holders(host), ['/run/agent-spawn/records/a.json 600']);
    await engine[Symbol.asyncDispose]();
    host.egress.die();
    host.egress.comeBack();
    await openEngine(host);
    assert.deepEqual(keysOf(host.egress.tables.get('a')), now);
  });

  test(`a key of an agent that is ${kind} and cannot be read leaves all the old ones in force`, async () => {
    const { host, engine } = await ready(kind);
    rotate(host, '/run/secrets/search', 'canary-new');
    rotate(host, '/run/secrets/model', 'two\nlines');
    const before = told([...host.files.nodes]);
    await assert.rejects(engine.reloadCredentials('a'), {
      code: 'plan.credentials-refused',
      message: /more than one line/,
    });
    assert.deepEqual(keysOf(host.egress.tables.get('a')), OLD);
    assert.deepEqual(keysOf(engine.registry.get('a').record.egressTable), OLD);
    assert.equal(told([...host.files.nodes]), before);
  });

  test(`the n-th call that fails while keys of an agent that is ${kind} are exchanged leaves no mixture, for every n`, async () => {
    for (let n = 1; n < CALLS_MAX; n += 1) {
      const { host, engine } = await ready(kind);
      rotate(host, '/run/secrets/model', 'canary-new');
      rotate(host, '/run/secrets/search', 'canary-newer');
      host.failAt(n);
      const error = await engine.reloadCredentials('a').then(
        () => null,
        (cause: unknown) => cause,
      );
      host.failAt(0);
      const now = keysOf(host.egress.tables.get('a'));
      const fresh = { ...OLD, '/anthropic': 'canary-new', '/custom/search.example': 'canary-newer' };
      assert.ok([told(OLD), told(fresh)].includes(told(now)), told(now));
      if (error === null) return assert.ok(n > 1);
      await engine.reloadCredentials('a');
      assert.deepEqual(keysOf(host.egress.tables.get('a')), fresh);
    }
    assert.fail('it never succeeded');
  });
}

test('a key is not handed to another server that a changed card names, before the next run', async () => {
  const { host, engine } = await ready('declared');
  const elsewhere = { provider: 'custom', base_url: 'https://search.example/v2', api_key_file: '/run/secrets/other' };
  host.files.seedFile('/run/secrets/other', 'canary-other\n', 0, 0o600);
  declare(host, { ...CARD, credentials: [elsewhere] });
  await engine.compileDeclared();
  const reloaded = await engine.reloadCredentials('a');
  assert.deepEqual(
    reloaded.map(({ target, inForce }) => `${target} ${inForce}`),
    ['/anthropic now', '/custom/search.example next-start', 'proxy now'],
  );
  assert.deepEqual(keysOf(host.egress.tables.get('a')), OLD);
  await engine.stop('a');
  assert.equal(keysOf(host.egress.tables.get('a'))?.['/custom/search.example'], 'canary-other');
});

test('a key that the agent holds is another one from its next start on', async () => {
  const held = { api_provider: 'openai', api_key_file: '/run/secrets/model', api_key_delivery: 'env' };
  for (const isRunning of [true, false]) {
    const host = hostWithKeys();
    declare(host, held);
    const engine = await openEngine(host);
    if (isRunning) await engine.startDeclared('a');
    assert.equal(host.files.text(HELD_FILE), '--setenv\0OPENAI_API_KEY\0canary-model\0');
    rotate(host, '/run/secrets/model', 'canary-new');
    const inForce = isRunning ? 'next-start' : 'now';
    const expected = { pointer: '/api_key_file', target: 'OPENAI_API_KEY', inForce };
    assert.deepEqual(await engine.reloadCredentials('a'), [{ ...expected, isChanged: true }]);
    assert.deepEqual(await engine.reloadCredentials('a'), [{ ...expected, isChanged: false }]);
    assert.equal(host.files.text(HELD_FILE), '--setenv\0OPENAI_API_KEY\0canary-new\0');
    assert.deepEqual(holders(host), [`${HELD_FILE} 600`]);
  }
});

test('agents without keys, or that have ended, or that are not there, have nothing to read again', async () => {
  const host = hostWithKeys();
  const engine = await openEngine(host);
  await engine.launch(launchOf('a'));
  await engine.launch(launchOf('c', { network: { mode: 'none' } }));
  for (const id of ['a', 'c']) await assert.rejects(engine.reloadCredentials(id), { code: 'sandbox.no-credentials' });
  await engine.stop('a');
  await assert.rejects(engine.reloadCredentials('a'), { code: 'sandbox.not-running' });
  await assert.rejects(engine.reloadCredentials('nobody'), { code: 'sandbox.not-found' });
});
