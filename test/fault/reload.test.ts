import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeHost } from '../helpers/fake-host.ts';
import { declare, open, run, running, settle, textOf, unit } from './declared-host.ts';

test('many changed cards are followed in order, and no more than four at once', async () => {
  const ids = Array.from({ length: 12 }, (_, index) => `a${String(index).padStart(2, '0')}`);
  const { host, engine } = await running(...ids);
  for (const id of ids) declare(host, id, { command: ['make'] });
  let atOnce = 0;
  let most = 0;
  const { tryRestart } = host.units;
  host.units.tryRestart = async (name) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await settle();
    atOnce -= 1;
    return tryRestart.call(host.units, name);
  };
  const { cards } = await engine.reload();
  assert.deepEqual(
    cards.map(({ did }) => did),
    ids.map(() => 'restarted'),
  );
  assert.equal(most, 4);
  const restarts = host.log.filter((call) => call.startsWith('TryRestartUnit'));
  assert.deepEqual(
    restarts,
    ids.map((id) => `TryRestartUnit ${unit(id)}`),
  );
});

test('a reload waits for slow restarts for a time, and tells of those that go on', async () => {
  const { host, engine } = await running('a');
  declare(host, 'a', { command: ['make'] });
  host.units.tryRestart = () => new Promise(() => undefined);
  const answer = engine.reload();
  while (host.clock.timers === 0) await settle();
  host.clock.advance(12_000);
  assert.deepEqual(await answer, {
    cards: [{ id: 'a', did: 'waiting', message: 'It is still being restarted or stopped.' }],
    unchanged: 0,
  });
});

test('a run that PID 1 began with the card before, while the daemon took in the next, is restarted as well', async () => {
  const { host, engine } = await running('a');
  const { reload } = host.units;
  declare(host, 'a', { command: ['make'] });
  let begun = 0;
  host.units.reload = async () => {
    host.units.reload = reload;
    await host.units.restart(unit('a'));
    begun = run(host, 'a');
    await host.units.reload();
  };
  await engine.reload();
  await settle();
  assert.equal(run(host, 'a'), begun + 1);
});

test('cards behind symlinks are read, those that lead nowhere are none, and a link that leads elsewhere is a change', async () => {
  const host = new FakeHost();
  for (const [generation, changes] of [
    ['one', {}],
    ['two', { command: ['make'] }],
  ] as const) {
    host.files.seedFile(`/nix/store/${generation}-a.json`, textOf('a', changes));
    host.files.seedSymlink(`/nix/store/${generation}-etc/agents/a.json`, `/nix/store/${generation}-a.json`);
  }
  host.files.seedSymlink('/etc/static', '/nix/store/one-etc');
  host.files.seedSymlink('/etc/agents/a.json', '/etc/static/agents/a.json');
  host.files.seedSymlink('/etc/agents/b.json', '/etc/static/agents/b.json');
  host.files.seedFile('/etc/agents/b.toml', 'agent_id = "b"\nworkspace = "/srv/agents/b"\nagent = "shell"\n');
  host.files.seedSymlink('/etc/agents/c.json', '/etc/static/agents/c.json');
  const engine = await open(host);
  assert.deepEqual(
    engine.registry.all().map(({ id, state }) => [id, state]),
    [
      ['a', 'not-started'],
      ['b', 'not-started'],
    ],
  );
  await engine.startDeclared('a');
  host.files.seedSymlink('/etc/static', '/nix/store/two-etc');
  assert.deepEqual(await engine.reload(), { cards: [{ id: 'a', did: 'restarted', message: null }], unchanged: 1 });
  host.files.nodes.delete('/etc/static');
  assert.deepEqual(await engine.reload(), { cards: [{ id: 'a', did: 'stopped', message: null }], unchanged: 1 });
});

test('an agent that has another name from now on gets the workspace of the one before, in one reload', async () => {
  const { host, engine } = await running('b');
  declare(host, 'a', { workspace: '/srv/agents/b', autostart: true });
  host.files.nodes.delete('/etc/agents/b.json');
  assert.deepEqual(await engine.reload(), {
    cards: [
      { id: 'a', did: 'started', message: null },
      { id: 'b', did: 'stopped', message: null },
    ],
    unchanged: 0,
  });
});

test('a port that one agent gives up and another asks for changes hands in one reload', async () => {
  const port = (listen: number): object => ({ network: { publish: [{ port: 8080, listen: `127.0.0.1:${listen}` }] } });
  const host = new FakeHost();
  declare(host, 'a', port(18_001));
  declare(host, 'b', port(18_002));
  const engine = await open(host);
  for (const id of ['a', 'b']) await engine.startDeclared(id);
  declare(host, 'a', port(18_002));
  declare(host, 'b', port(18_003));
  const restarted = { did: 'restarted', message: null };
  assert.deepEqual((await engine.reload()).cards, [
    { id: 'a', ...restarted },
    { id: 'b', ...restarted },
  ]);
});
