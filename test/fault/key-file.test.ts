import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, unexpected } from './engine.ts';

const KEY = '/etc/keys/openai';
const FILE = '/run/agent-spawn/agents/a/keys/options';
const KEYS = { api_provider: 'openai', api_key_file: KEY, api_key_delivery: 'env' };

/** A host with a key. */
function hostWithKey(content = 'sk-canary\n'): FakeHost {
  const host = new FakeHost();
  host.files.seedFile(KEY, content, 0, 0o600);
  host.markClean();
  return host;
}

/** The same with a card. */
async function declare(host: FakeHost, keys: object = KEYS): Promise<Awaited<ReturnType<typeof openEngine>>> {
  const card = { agent_id: 'a', workspace: '/srv/agents/a', agent: 'shell', ...keys };
  host.files.seedFile('/etc/agents/a.json', JSON.stringify(card));
  return openEngine(host);
}

test('the key of an agent lies in a file of root alone while it runs, and nowhere else', async () => {
  const host = hostWithKey();
  const engine = await openEngine(host);
  await engine.launch(launchOf('a', KEYS));
  assert.equal(host.files.text(FILE), '--setenv\0OPENAI_API_KEY\0sk-canary\0');
  assert.deepEqual(
    [...host.files.nodes]
      .filter(([, node]) => node.kind === 'file' && Buffer.from(node.content).includes('sk-canary'))
      .map(([path, node]) => [path, node.kind === 'file' ? node.mode : null]),
    [
      [KEY, 0o600],
      [FILE, 0o600],
    ],
  );
  const directory = host.files.nodes.get('/run/agent-spawn/agents/a/keys');
  assert.equal(directory?.kind === 'directory' ? directory.mode : null, 0o700);
  await engine.stop('a');
  assert.equal(host.files.text(FILE), null);
});

test('a launch with a key whose n-th call fails leaves nothing, for every n', async () => {
  let failures = 0;
  for (let n = 1; n < 100; n += 1) {
    const host = hostWithKey();
    const engine = await openEngine(host);
    host.markClean();
    host.failAt(n);
    const isStarted = await engine.launch(launchOf('a', KEYS)).then(
      () => true,
      () => false,
    );
    if (isStarted) break;
    failures += 1;
    host.failAt(0);
    assert.deepEqual(unexpected(host.leftovers()), [], `call ${n}: ${host.log.at(-1)}`);
  }
  assert.ok(failures > 10);
});

test('a key that cannot be used refuses the start before anything is done, and is not told', async () => {
  for (const content of ['', 'sk-canary\nsk-second', 'sk\0canary']) {
    const host = hostWithKey(content);
    const engine = await openEngine(host);
    host.markClean();
    await assert.rejects(engine.launch(launchOf('a', KEYS)), (error: Error & { code?: string }) => {
      assert.doesNotMatch(JSON.stringify([error.message, error]), /canary/);
      return error.code === 'plan.credentials-refused';
    });
    assert.deepEqual(unexpected(host.leftovers()), []);
  }
});

test('the key of a declared agent waits for PID 1, changes with its source, and goes with the card', async () => {
  const host = hostWithKey();
  const engine = await declare(host);
  assert.equal(host.files.text(FILE), '--setenv\0OPENAI_API_KEY\0sk-canary\0');
  assert.match(
    host.files.text('/run/systemd/system/sandboxed-agent@a.service') ?? '',
    /^LoadCredential=keys:\/run\/agent-spawn\/agents\/a\/keys\/options$/m,
  );
  host.files.seedFile(KEY, 'sk-rotated', 0, 0o600);
  await engine.compileDeclared();
  assert.equal(host.files.text(FILE), '--setenv\0OPENAI_API_KEY\0sk-rotated\0');
  await host.files.remove('/etc/agents/a.json');
  await engine.compileDeclared();
  assert.equal(host.files.text(FILE), null);
});

test('a declared agent whose key is gone is refused, and its key does not stay', async () => {
  const host = hostWithKey();
  const engine = await declare(host);
  await host.files.remove(KEY);
  await engine.compileDeclared();
  assert.equal(engine.registry.get('a').state, 'invalid');
  assert.equal(host.files.text(FILE), null);
  assert.match(
    host.files.text('/run/systemd/system/sandboxed-agent@a.service') ?? '',
    /^ExecStart=:\/usr\/lib\/agent-spawn\/refuse .*plan\.credentials-refused/m,
  );
});

test('a card that no longer hands a key out takes it away', async () => {
  const host = hostWithKey();
  const engine = await declare(host);
  host.files.seedFile(
    '/etc/agents/a.json',
    JSON.stringify({ agent_id: 'a', workspace: '/srv/agents/a', agent: 'shell' }),
  );
  await engine.compileDeclared();
  assert.equal(host.files.text(FILE), null);
});
