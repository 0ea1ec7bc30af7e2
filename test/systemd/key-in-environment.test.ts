import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { agentctl, detachAgent, runAgent, succeed } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import { type Canary, findIn, huntDuring, huntInside, huntOnHost, makeCanary } from '../helpers/key-hunt.ts';
import { findInTellings, KeyHuntGround } from '../helpers/key-hunt-ground.ts';
import { unitOf } from '../helpers/units.ts';

// Keys that agents get themselves: where the hunt finds them is the whole list of places that this delivery has.

const SHELL = ['bash', '-c', 'printf %s "$OPENAI_API_KEY"'];
const CROWD = 20;

let ground: KeyHuntGround;
before(async () => {
  // The mount is another one after it was a private one.
  ground = await KeyHuntGround.open(/mount (left behind|gone): \d+ \d+ \S+ \/run \/run /);
});
after(() => ground?.close());

/** Keys of a card whose agent gets a canary. */
function delivery(canary: Canary): Readonly<Record<string, unknown>> {
  return { api_provider: 'openai', api_key_file: ground.keyFile(canary), api_key_delivery: 'env' };
}

function keysOf(id: string): string {
  return `/run/agent-spawn/agents/${id}/keys`;
}

test('the key is in the environment of the agent, in its memory and in files of root and of the agent, and nowhere else', async () => {
  const canary = makeCanary('held');
  const puppet = await ground.agent(delivery(canary));
  // What the agent prints goes to the journal, so it does not print its key.
  const digest = createHash('sha256').update(canary.value).digest('hex');
  const expression = '__import__("hashlib").sha256(os.environb[b"OPENAI_API_KEY"]).hexdigest()';
  assert.equal(await puppet.attempt(expression), `ok: ${digest}`);
  assert.equal(await puppet.attempt('os.path.exists("/run")'), 'ok: False');
  const inside = await huntInside(puppet, [canary]);
  assert.deepEqual(inside.found, [
    'held in /proc/<bwrap>/mem',
    'held in /proc/<python3>/environ',
    'held in /proc/<python3>/mem',
  ]);
  assert.deepEqual((await huntOnHost([canary], { user: ground.user, skip: [] })).found, []);
  assert.deepEqual(await findInTellings(ground, puppet.id, [canary]), ['held in ps axeww (root)']);
  const { found } = await huntOnHost([canary], { user: null, skip: [ground.internetPid] });
  // What the daemon has read may still be in its memory, until that is used for something else.
  assert.deepEqual(
    found.filter((place) => !place.endsWith('/proc/<agent-spawnd.cj>/mem')),
    [
      'held in /proc/<bwrap>/mem',
      'held in /proc/<python3>/environ',
      'held in /proc/<python3>/mem',
      `held in ${keysOf(puppet.id)}/options`,
      `held in /run/credentials/${unitOf(puppet.id)}/keys`,
      `held in ${ground.stage.bench.directory}/held.key`,
    ].sort(),
  );
  await puppet.end();
  assert.equal(existsSync(keysOf(puppet.id)), false);
  assert.equal(existsSync(`/run/credentials/${unitOf(puppet.id)}`), false);
  assert.deepEqual(await findInTellings(ground, puppet.id, [canary]), []);
});

test('everybody who looks at the agent is told that it holds its key', async () => {
  const canary = makeCanary('told');
  const card = ground.stage.bench.card({ ...delivery(canary), command: ['sleep', 'infinity'] });
  const notice = /The agent holds its key, in its environment \(OPENAI_API_KEY\)/;
  const planned = await succeed(runCommand(['agent-spawn', '--dry-run', '-'], { stdin: JSON.stringify(card) }));
  assert.match(planned.stdout, notice);
  assert.deepEqual(findIn(planned.stdout, [canary]), []);
  await detachAgent(card);
  for (const words of [['inspect'], ['--json', 'inspect']]) {
    assert.match((await agentctl(...words, card.agent_id)).stdout, notice, words.join(' '));
  }
  await agentctl('stop', card.agent_id);
});

test('no argument of any process holds the key while twenty agents start, and only their own environments do', async () => {
  const canary = makeCanary('crowd');
  const keys = delivery(canary);
  const { found, rounds, seen } = await huntDuring([canary], async () => {
    const cards = Array.from({ length: CROWD }, () => ground.stage.bench.card({ ...keys, command: ['sleep', '0.5'] }));
    await Promise.all(cards.map(detachAgent));
    await Promise.all(cards.map(({ agent_id: id }) => runCommand(['agentctl', 'wait', id])));
    await Promise.all(cards.map(({ agent_id: id }) => agentctl('rm', id)));
  });
  assert.deepEqual(found, ['crowd in /proc/<sleep>/environ']);
  assert.ok(rounds > 20 && seen > 3 * CROWD, `${rounds} rounds, ${seen} processes`);
});

test('a key that changed is used from the next start on', async () => {
  const [first, second] = [makeCanary('rotated'), makeCanary('rotated')];
  const card = ground.stage.bench.card({ ...delivery(first), command: SHELL });
  assert.equal((await runAgent(card)).stdout, first.value);
  ground.keyFile(second);
  assert.equal((await runAgent(card)).stdout, second.value);
});

test('PID 1 starts a declared agent with its key by itself, also anew and after it has read its units again', async () => {
  const canary = makeCanary('declared');
  const command = ['bash', '-c', 'printf %s "$OPENAI_API_KEY" > key; exec sleep infinity'];
  const card = ground.stage.bench.card({ ...delivery(canary), command, restart: 'on-failure' });
  const unit = unitOf(card.agent_id);
  await declareCard(card);
  await stopDaemon();
  await succeed(runCommand(['systemctl', 'start', unit]));
  await succeed(runCommand(['systemctl', 'daemon-reload']));
  await succeed(runCommand(['systemctl', 'restart', unit]));
  await startDaemon();
  await succeed(runCommand(['bash', '-c', `until [ -s ${card.workspace}/key ]; do :; done`]));
  assert.equal((await runCommand(['cat', `${card.workspace}/key`])).stdout, canary.value);
  assert.deepEqual(await findInTellings(ground, card.agent_id, [canary]), ['declared in ps axeww (root)']);
  await withdrawCard(card.agent_id);
  assert.equal(existsSync(keysOf(card.agent_id)), false);
});

test('a host whose PID 1 cannot hand keys over refuses the card, and takes it when that is mended', async () => {
  const canary = makeCanary('refused');
  const card = ground.stage.bench.card({ ...delivery(canary), command: SHELL });
  await succeed(runCommand(['mount', '--make-private', '/run']));
  await runCommand(['systemctl', 'restart', 'agent-spawnd.service']);
  const refused = await runAgent(card);
  await succeed(runCommand(['mount', '--make-shared', '/run']));
  assert.match(refused.stderr, /PID 1 cannot hand keys to a unit on this host/);
  assert.equal(refused.status, 125);
  assert.equal((await runAgent(card)).stdout, canary.value);
});
