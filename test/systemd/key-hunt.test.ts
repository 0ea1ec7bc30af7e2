import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { agentctl, detachAgent } from '../helpers/agents.ts';
import { agentProgram, inTime, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, daemonPid, killDaemon } from '../helpers/daemon.ts';
import {
  type Canary,
  findIn,
  type Hunted,
  huntDuring,
  huntInside,
  huntOnHost,
  makeCanary,
} from '../helpers/key-hunt.ts';
import { findInTellings, KeyHuntGround, type Keys, mirrorRequest, useKeys } from '../helpers/key-hunt-ground.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';
import { showProperty, unitOf } from '../helpers/units.ts';

// Keys that the gateway adds: looked for in everything that an agent, another user and root can read, at every moment of
// an agent's life. What root finds is the whole list of places where keys are.

/** Names of the main threads of the two programs that use keys: the kernel cuts them off. */
const [DAEMON, PROXY] = ['agent-spawnd.cj', 'agent-egressd.c'];
const PROXY_UNIT = 'agent-egressd.service';
/** Agents that start at once while everybody's arguments are watched. */
const CROWD = 20;

let ground: KeyHuntGround;
let keys: Keys;
let canaries: readonly Canary[];
let puppet: Puppet;
before(async () => {
  ground = await KeyHuntGround.open();
  const made = await ground.gatewayKeys('gateway');
  keys = made.keys;
  canaries = Object.values(keys);
  puppet = await ground.agent(made.card);
});
after(() => ground?.close());

/** Where root finds keys: their files, and while an agent runs its record and the two programs that use them. */
function documented(hunted: readonly Canary[], running: string | null): readonly string[] {
  const places = [`/run/agent-spawn/records/${running}.json`, `/proc/<${DAEMON}>/mem`, `/proc/<${PROXY}>/mem`];
  return hunted
    .flatMap(({ name }) => [
      `${name} in ${ground.stage.bench.directory}/${name}.key`,
      ...(running === null ? [] : places.map((place) => `${name} in ${place}`)),
    ])
    .sort();
}

/** The pretend internet is told the keys, and gets them. */
function huntAsRoot(hunted: readonly Canary[]): Promise<Hunted> {
  return huntOnHost(hunted, { user: null, skip: [ground.internetPid] });
}

/** Nobody but root finds anything: not the agent, not a user, not in what is told to either. */
async function findNothing(who: Puppet, hunted: readonly Canary[]): Promise<void> {
  assert.deepEqual((await huntInside(who, hunted)).found, [], 'inside');
  await findNothingOutside(who.id, hunted);
}

async function findNothingOutside(id: string, hunted: readonly Canary[]): Promise<void> {
  assert.deepEqual((await huntOnHost(hunted, { user: ground.user, skip: [] })).found, [], 'as a user of this host');
  assert.deepEqual(await findInTellings(ground, id, hunted), [], 'in what is told');
}

test('requests arrive with keys that nobody but root finds anywhere', async () => {
  const [model, mirror, git] = await useKeys(puppet);
  assert.deepEqual([model, mirror, git].map(verdictOf), ['200', '200', '200']);
  const [call] = await ground.stage.internet.modelCalls();
  assert.equal(call?.key, keys.model.value);
  const arrivals = await ground.stage.internet.arrivals('http');
  const sent = arrivals.map(({ headers }) => JSON.stringify(headers));
  assert.deepEqual(
    sent.map((text) => findIn(text, canaries)),
    [['gateway-model'], ['gateway-mirror'], ['gateway-git']],
  );
  assert.deepEqual(findIn(model + mirror + git, canaries), [], 'answers that repeat a key');
  await findNothing(puppet, canaries);
});

test('root finds the keys in their files, in the record and in the two programs that use them, and nowhere else', async () => {
  const { found, looked } = await huntAsRoot(canaries);
  assert.deepEqual(found, documented(canaries, puppet.id));
  assert.ok(looked > 500, `${looked} files`);
});

test('an API that refuses the key and one that breaks tell nothing of it', async () => {
  await ground.acceptModelKey('another');
  const [model] = await useKeys(puppet);
  await ground.acceptModelKey(keys.model.value);
  const broken = await puppet.ask(mirrorRequest('/status/500'));
  const refused = await puppet.ask(mirrorRequest('/status/401'));
  assert.deepEqual([model, broken, refused].map(verdictOf), ['401', '500', '401']);
  await findNothing(puppet, canaries);
});

test('a killed daemon and a killed proxy leave nothing, and those that come back know no other places', async () => {
  const daemon = await daemonPid();
  await killDaemon();
  await inTime(changed(daemonPid, daemon), 'another daemon');
  await awaitDaemon();
  const proxy = await proxyPid();
  await runCommand(['systemctl', 'kill', '--signal=KILL', '--kill-who=main', PROXY_UNIT]);
  await inTime(changed(proxyPid, proxy), 'another proxy');
  await inTime(answered(), 'the gateway to answer');
  await findNothing(puppet, canaries);
  assert.deepEqual((await huntAsRoot(canaries)).found, documented(canaries, puppet.id));
});

test('a program that crashes with a key in its memory leaves no core', async () => {
  for (const [unit, pid] of [
    [PROXY_UNIT, proxyPid],
    ['agent-spawnd.service', daemonPid],
  ] as const) {
    const before = await pid();
    await runCommand(['systemctl', 'kill', '--signal=SEGV', '--kill-who=main', unit]);
    await inTime(changed(pid, before), `another ${unit}`);
  }
  await awaitDaemon();
  await inTime(answered(), 'the gateway to answer');
  const { stdout } = await runCommand(['journalctl', '--unit=agent-egressd', '--unit=agent-spawnd', '--output=cat']);
  assert.match(stdout, /code=killed, status=11\/SEGV/);
  assert.doesNotMatch(stdout, /code=dumped/);
  assert.deepEqual((await huntAsRoot(canaries)).found, documented(canaries, puppet.id));
});

test('an agent that crashes leaves no core either, and one with the usual limit would', async () => {
  const crash = ['python3', '-c', 'import os; os.kill(os.getpid(), 11)'];
  const limits = [
    ['--property=LimitCORE=0', /Result=signal/],
    ['--property=LimitCORE=infinity', /Result=core-dump/],
  ] as const;
  for (const [limit, result] of limits) {
    const unit = `key-hunt-${process.pid}.service`;
    const place = `--property=WorkingDirectory=${ground.stage.bench.directory}`;
    await runCommand(['systemd-run', '--wait', `--unit=${unit}`, limit, place, ...crash]);
    assert.match((await runCommand(['systemctl', 'show', unit])).stdout, result);
    await runCommand(['systemctl', 'reset-failed', unit]);
  }
  assert.equal(await showProperty(unitOf(puppet.id), 'LimitCORE'), '0');
  const ended = await puppet.run(crash);
  assert.equal(ended.status, -11);
});

test('no argument and no environment of any process holds a key while twenty agents start and end', async () => {
  const { keys: others, card } = await ground.gatewayKeys('crowd');
  const hunted = Object.values(others);
  const { found, rounds, seen } = await huntDuring(hunted, async () => {
    const cards = Array.from({ length: CROWD }, () => ground.stage.bench.card({ ...card, command: ['true'] }));
    await Promise.all(cards.map(detachAgent));
    await Promise.all(cards.map(({ agent_id: id }) => runCommand(['agentctl', 'wait', id])));
    await Promise.all(cards.map(({ agent_id: id }) => agentctl('rm', id)));
  });
  assert.deepEqual(found, []);
  assert.ok(rounds > 20 && seen > 3 * CROWD, `${rounds} rounds, ${seen} processes`);
});

test('a card that is refused, in the file of the key or otherwise, tells nothing of it', async () => {
  const twoLines = makeCanary('refused');
  const path = ground.keyFile({ ...twoLines, value: `${twoLines.value}\nsecond` });
  const card = { api_provider: 'anthropic', api_key_file: path };
  for (const wrong of [{}, { limits: 'none' }, { command: ['no-such-program'] }]) {
    const text = JSON.stringify(ground.stage.bench.card({ ...card, ...wrong }));
    for (const words of [
      ['agent-spawn', '-'],
      ['agent-spawn', '--json', '-'],
      ['agentctl', 'check', '-'],
    ]) {
      const ended = await runCommand(words, { stdin: text });
      assert.deepEqual(findIn(ended.stdout + ended.stderr, [twoLines]), [], words.join(' '));
    }
  }
  await findNothingOutside(puppet.id, [twoLines]);
});

test('a plan tells nothing of a key', async () => {
  const { keys: others, card } = await ground.gatewayKeys('plan');
  const text = JSON.stringify(ground.stage.bench.card(card));
  for (const json of [[], ['--json']]) {
    const ended = await runCommand(['agent-spawn', '--dry-run', ...json, '-'], { stdin: text });
    assert.equal(ended.status, 0, ended.stderr);
    assert.deepEqual(findIn(ended.stdout + ended.stderr, Object.values(others)), []);
  }
});

test('what stands in the environment of the daemon, of the command or of PID 1 does not come inside', async () => {
  const stray = makeCanary('stray');
  await runCommand(['systemctl', 'set-environment', `STRAY=${stray.value}`]);
  const inherits = { env: { STRAY: stray.value } };
  const card = ground.stage.bench.card({ command: agentProgram('key-hunt.py') });
  await runCommand(['systemctl', 'restart', 'agent-spawnd.service']);
  const other = await ground.agent({});
  const { found } = await huntInside(other, [stray]);
  const shown = await runCommand(['agent-spawn', '-', '--', 'x'], {
    stdin: JSON.stringify({ ...card, command: ['env'] }),
    ...inherits,
  });
  await runCommand(['systemctl', 'unset-environment', 'STRAY']);
  await runCommand(['systemctl', 'restart', 'agent-spawnd.service', PROXY_UNIT]);
  assert.deepEqual([found, findIn(shown.stdout, [stray])], [[], []]);
});

test('after the end of the agent root finds its keys in their files, and the proxy forgets them', async () => {
  await puppet.end();
  await findNothingOutside(puppet.id, canaries);
  const { found } = await huntAsRoot(canaries);
  assert.deepEqual(
    found.filter((place) => !place.includes('/mem')),
    documented(canaries, null),
  );
  await runCommand(['systemctl', 'restart', 'agent-spawnd.service', PROXY_UNIT]);
  assert.deepEqual((await huntAsRoot(canaries)).found, documented(canaries, null));
});

function proxyPid(): Promise<number> {
  return showProperty(PROXY_UNIT, 'MainPID').then(Number);
}

/** Waits for another process than this one. */
async function changed(pid: () => Promise<number>, before: number): Promise<void> {
  for (let now = await pid(); now === before || now === 0; now = await pid());
}

async function answered(): Promise<void> {
  while (verdictOf((await useKeys(puppet))[0]) !== '200');
}
