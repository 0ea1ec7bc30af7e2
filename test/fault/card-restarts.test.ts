import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeHost } from '../helpers/fake-host.ts';
import { declare, open, run, running, settle, textOf, unit } from './declared-host.ts';
import { launchOf } from './engine.ts';

/** More calls than a reload makes. */
const CALLS_MAX = 200;

test('of agents that run, the one whose card changed is restarted and the others go on', async () => {
  const { host, engine, events } = await running('a', 'b', 'c', 'd');
  const before = ['a', 'b', 'c', 'd'].map((id) => run(host, id));
  declare(host, 'b', { command: ['make'] });
  assert.deepEqual(await engine.reload(), {
    cards: [{ id: 'b', did: 'restarted', message: null }],
    unchanged: 3,
  });
  const after = ['a', 'b', 'c', 'd'].map((id) => run(host, id));
  assert.deepEqual(
    after.map((number, index) => number !== before[index]),
    [false, true, false, false],
  );
  assert.deepEqual(events.at(-1), { kind: 'card-followed', id: 'b', did: 'restarted' });
  assert.deepEqual(await engine.reload(), { cards: [], unchanged: 4 });
  assert.equal(run(host, 'b'), after[1]);
});

test('without the setting a changed card waits for the next start, and a reload says so', async () => {
  const { host, engine: first } = await running('a');
  await first[Symbol.asyncDispose]();
  const engine = await open(host, [], false);
  const before = run(host, 'a');
  declare(host, 'a', { command: ['make'] });
  assert.deepEqual(await engine.reload(), {
    cards: [{ id: 'a', did: 'installed', message: 'Its run goes on by the card before.' }],
    unchanged: 0,
  });
  await host.files.remove('/etc/agents/a.json');
  assert.deepEqual(await engine.reload(), {
    cards: [{ id: 'a', did: 'removed', message: 'It goes on until it ends.' }],
    unchanged: 0,
  });
  assert.equal(run(host, 'a'), before);
});

/** Other ways to write the card of `a`. */
const SAME: readonly (readonly [title: string, ending: string, text: string])[] = [
  ['other white space', 'json', JSON.stringify(JSON.parse(textOf('a', {})), null, 4)],
  ['another order', 'json', '{"agent":"shell","workspace":"/srv/agents/a","agent_id":"a"}'],
  ['a default that is written out', 'json', textOf('a', { restart: 'on-failure' })],
  ['TOML with a comment', 'toml', '# Nightly.\nagent_id = "a"\nworkspace = "/srv/agents/a"\nagent = "shell"\n'],
];

for (const [title, ending, text] of SAME) {
  test(`a card that means the same restarts nobody: ${title}`, async () => {
    const { host, engine } = await running('a');
    const before = run(host, 'a');
    host.files.nodes.delete('/etc/agents/a.json');
    host.files.seedFile(`/etc/agents/a.${ending}`, text);
    assert.deepEqual(await engine.reload(), { cards: [], unchanged: 1 });
    assert.equal(run(host, 'a'), before);
  });
}

test('a card that changes and changes back while no daemon looks restarts nobody', async () => {
  const { host, engine: first } = await running('a');
  const before = run(host, 'a');
  await first[Symbol.asyncDispose]();
  declare(host, 'a', { command: ['make'] });
  declare(host, 'a');
  const engine = await open(host);
  await settle();
  assert.deepEqual(await engine.reload(), { cards: [], unchanged: 1 });
  assert.equal(run(host, 'a'), before);
});

test('another unit text from the same card restarts nobody, neither at once nor when the daemon starts', async () => {
  const { host, engine: first } = await running('a');
  const before = run(host, 'a');
  await first[Symbol.asyncDispose]();
  host.system = { ...host.system, bwrapPath: '/opt/bubblewrap/bin/bwrap' };
  const engine = await open(host);
  await settle();
  assert.match(host.files.text(`/run/systemd/system/${unit('a')}`) ?? '', /\/opt\/bubblewrap\/bin\/bwrap/);
  assert.deepEqual(await engine.reload(), { cards: [], unchanged: 1 });
  assert.equal(run(host, 'a'), before);
});

test('an agent whose card went is stopped, and nothing of it stays', async () => {
  const host = new FakeHost();
  const engine = await open(host);
  host.markClean();
  declare(host, 'a', { autostart: true });
  assert.deepEqual(await engine.reload(), { cards: [{ id: 'a', did: 'started', message: null }], unchanged: 0 });
  await host.files.remove('/etc/agents/a.json');
  assert.deepEqual(await engine.reload(), { cards: [{ id: 'a', did: 'stopped', message: null }], unchanged: 0 });
  await engine.remove('a');
  const left = host.leftovers().filter((line) => !/\/srv\/agents|uids\.json/.test(line));
  assert.deepEqual(left, []);
  declare(host, 'a', { autostart: true });
  assert.deepEqual((await engine.reload()).cards, [{ id: 'a', did: 'started', message: null }]);
});

test('an agent that rests is not started by a change of its card', async () => {
  const { host, engine } = await running('a');
  await engine.stop('a');
  declare(host, 'a', { command: ['make'], autostart: true });
  const { cards } = await engine.reload();
  assert.deepEqual(
    cards,
    [{ id: 'a', did: 'started', message: null }],
    'a card with a new wish to be started is heard',
  );
  await engine.stop('a');
  declare(host, 'a', { command: ['make', 'all'], autostart: true });
  assert.deepEqual((await engine.reload()).cards, [{ id: 'a', did: 'installed', message: null }]);
  assert.equal(engine.registry.get('a').isLive, false);
});

test('a spawned agent is not touched by a card of its id', async () => {
  const host = new FakeHost();
  const engine = await open(host);
  await engine.launch(launchOf('a'));
  const before = run(host, 'a');
  declare(host, 'a', { command: ['make'] });
  const { cards } = await engine.reload();
  assert.deepEqual(
    cards.map(({ id, did }) => [id, did]),
    [['a', 'waiting']],
  );
  await host.files.remove('/etc/agents/a.json');
  await engine.reload();
  await settle();
  assert.equal(run(host, 'a'), before);
  assert.equal(engine.registry.get('a').isLive, true);
});

test('a card that is refused while its agent runs takes nothing from the run, and is refused to the next', async () => {
  const { host, engine, events } = await running('a');
  const before = run(host, 'a');
  const text = host.files.text(`/run/systemd/system/${unit('a')}`);
  declare(host, 'a', { memroy: 1 });
  for (const _ of [1, 2]) {
    const { cards } = await engine.reload();
    assert.deepEqual(
      cards.map(({ id, did }) => [id, did]),
      [['a', 'refused']],
    );
    assert.match(cards[0]?.message ?? '', /goes on by the card before: \/memroy: .*card\.unknown-key/);
  }
  const agent = engine.registry.get('a');
  assert.deepEqual([agent.state, run(host, 'a')], ['running', before]);
  assert.match(agent.record.notices[0] ?? '', /^Its card is refused, and its run goes on by the one before: .*memroy/);
  assert.equal(host.files.text(`/run/systemd/system/${unit('a')}`), text);
  assert.equal(events.filter(({ kind }) => kind === 'card-refused').length, 1);
  await assert.rejects(engine.restart('a'), { code: 'sandbox.card-refused', message: /memroy/ });
  assert.equal(run(host, 'a'), before);
  await engine.stop('a');
  await settle();
  await engine.reload();
  assert.equal(engine.registry.get('a').state, 'invalid');
  assert.match(host.files.text(`/run/systemd/system/${unit('a')}`) ?? '', /lib\/agent-spawn\/refuse/);
});

test('a card that was refused and is as before restarts nobody, a better one restarts the run', async () => {
  const { host, engine: first } = await running('a');
  const before = run(host, 'a');
  declare(host, 'a', { memroy: 1 });
  await first.reload();
  await first[Symbol.asyncDispose]();
  const engine = await open(host);
  declare(host, 'a');
  assert.deepEqual((await engine.reload()).cards, [{ id: 'a', did: 'installed', message: null }]);
  assert.equal(run(host, 'a'), before);
  declare(host, 'a', { command: ['make'] });
  assert.deepEqual((await engine.reload()).cards, [{ id: 'a', did: 'restarted', message: null }]);
});

for (const hasRun of [true, false]) {
  test(`an agent ${hasRun ? 'that was started in this boot' : 'of a new boot'} whose start was refused for its card is started when that is mended`, async () => {
    const host = new FakeHost();
    declare(host, 'a', { autostart: true, ...(hasRun ? {} : { memroy: 1 }) });
    const engine = await open(host);
    if (hasRun) {
      await engine.stop('a');
      declare(host, 'a', { autostart: true, memroy: 1 });
      await engine.reload();
    }
    host.units.script(unit('a'), { result: 'failed' });
    await host.units.start(unit('a'));
    host.units.script(unit('a'), {});
    declare(host, 'a', { autostart: true });
    assert.deepEqual((await engine.reload()).cards, [{ id: 'a', did: 'started', message: null }]);
    assert.equal(engine.registry.get('a').state, 'running');
  });
}

test('an agent that was stopped is not started when its card, refused meanwhile, is mended', async () => {
  const host = new FakeHost();
  declare(host, 'a', { autostart: true });
  const engine = await open(host);
  await engine.stop('a');
  declare(host, 'a', { autostart: true, memroy: 1 });
  await engine.reload();
  declare(host, 'a', { autostart: true });
  assert.deepEqual((await engine.reload()).cards, [{ id: 'a', did: 'installed', message: null }]);
});

test('a daemon that is killed before the n-th call of a reload leaves one restart to be done, for every n', async () => {
  let isWhole = false;
  for (let n = 1; n < CALLS_MAX && !isWhole; n += 1) {
    const { host, engine: first } = await running('a', 'b');
    const before = [run(host, 'a'), run(host, 'b')];
    declare(host, 'a', { command: ['make'], resource_limits: { memory_mb: 64 } });
    const calls = host.calls;
    host.dieAt(n);
    await first.reload().catch(() => null);
    isWhole = host.calls < calls + n;
    await first[Symbol.asyncDispose]();
    await settle();
    host.dieAt(0);
    for (const _ of [1, 2]) {
      const engine = await open(host);
      await engine.reload();
      await engine[Symbol.asyncDispose]();
    }
    assert.equal(run(host, 'b'), before[1], `the other, killed before call ${n}`);
    assert.equal(host.log.filter((call) => call === `TryRestartUnit ${unit('b')}`).length, 0);
    const [started = 0] = before;
    // The fake counts the runs of all units: the one of b came after that of a.
    assert.equal(run(host, 'a'), started + 2, `killed before call ${n}: ${host.log[calls + n - 1]}`);
    const mended = await open(host);
    assert.deepEqual(mended.registry.get('a').record.card.command, ['make']);
  }
  assert.ok(isWhole, 'the loop is too short');
});

test('a restart that fails for every n-th call is told, and the next reload makes it good', async () => {
  let isWhole = false;
  for (let n = 1; n < CALLS_MAX && !isWhole; n += 1) {
    const { host, engine } = await running('a');
    const before = run(host, 'a');
    declare(host, 'a', { command: ['make'] });
    const calls = host.calls;
    host.failAt(n);
    await engine.reload().catch(() => null);
    isWhole = host.calls < calls + n;
    host.failAt(0);
    await engine.reload();
    assert.equal(run(host, 'a'), before + 1, `call ${n}: ${host.log[calls + n - 1]}`);
  }
  assert.ok(isWhole, 'the loop is too short');
});

test('a restart that does not come up is told with its reason, and the others are done', async () => {
  const { host, engine } = await running('a', 'b');
  for (const id of ['a', 'b']) declare(host, id, { command: ['make'] });
  host.units.script(unit('a'), { result: 'failed' });
  const { cards } = await engine.reload();
  assert.deepEqual(
    cards.map(({ id, did }) => [id, did]),
    [
      ['a', 'failed'],
      ['b', 'restarted'],
    ],
  );
  assert.match(cards[0]?.message ?? '', /restart job of sandboxed-agent@a\.service ended with "failed"/);
});
