import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { agentctl } from '../helpers/agents.ts';
import { agentProgram, inTime, RunningCommand, runCommand } from '../helpers/commands.ts';
import { awaitDaemon, daemonPid, killDaemon, startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { bothForms, connectTo, EgressStage, getUrl, head } from '../helpers/egress-stage.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';
import { showProperty } from '../helpers/units.ts';

// What agents reach while the daemon or the proxy goes away and comes back: never more than before.

const PROXY = 'agent-egressd.service';
const PROXY_SOCKET = 'agent-egressd.socket';
const ALLOWED = '11.0.0.7';

let stage: EgressStage;
let puppet: Puppet;
before(async () => {
  stage = await EgressStage.open({ ignoreLeaks: /agent-(spawn|egress)d\.(cjs|service|socket)/ });
  puppet = await stage.agent({ allowed_hosts: ['api.example.com', '127.0.0.1:8999'] });
});
beforeEach(() => stage.internet.clear());
after(() => stage?.close());

function proxyPid(): Promise<string> {
  return showProperty(PROXY, 'MainPID');
}

async function killProxy(): Promise<void> {
  await runCommand(['systemctl', 'kill', '--signal=KILL', '--kill-who=main', PROXY]);
}

async function gone(daemon: number): Promise<void> {
  while ((await daemonPid()) === daemon);
}

/** Asks until it is answered as it should be; the answers until then must all be refusals. */
async function awaitAllowed(who: Puppet): Promise<void> {
  const answered = async (): Promise<void> => {
    for (;;) {
      const verdict = verdictOf(await who.ask(getUrl('api.example.com')));
      if (verdict === '200') return;
      assert.match(verdict, /^(|error: \w+|5\d\d .*)$/);
    }
  };
  await inTime(answered(), 'the proxy to come back');
}

/** Opens a stream through a tunnel and reads its first event. */
async function openStream(name: string): Promise<void> {
  const page = head(`GET /stream/${name} HTTP/1.1`, 'Host: api.example.com');
  const steps = [
    { send: connectTo('api.example.com:80') },
    { read: 'head' as const },
    { send: page },
    { read: 'head' as const },
  ];
  const heads = await puppet.open(name, steps);
  assert.deepEqual(heads.map(verdictOf), ['200', '200']);
  await assertFlows(name, 'first');
}

async function assertFlows(name: string, text: string): Promise<void> {
  await stage.internet.push(name, text);
  const [said] = await puppet.on(name, [{ read: `${text.length.toString(16)}\r\n${text}\r\n`.length }]);
  assert.ok(said?.includes(text), said);
}

test('a restart of the daemon and its sudden death cut no connection and change no rule', async () => {
  await openStream('one');
  const proxy = await proxyPid();
  for (const disturb of [killDaemon, stopDaemon]) {
    const daemon = await daemonPid();
    await disturb();
    await inTime(gone(daemon), 'PID 1 to notice');
    await assertFlows('one', 'while it is gone');
    for (const verdict of await stage.verdicts(puppet, bothForms('api.example.com'))) assert.equal(verdict, '200');
    for (const verdict of await stage.verdicts(puppet, bothForms('evil.example.net')))
      assert.equal(verdict, '403 egress.no-rule');
    await (disturb === stopDaemon ? startDaemon() : awaitDaemon());
    assert.notEqual(await daemonPid(), daemon);
    await agentctl('list');
    await assertFlows('one', 'after it');
    for (const verdict of await stage.verdicts(puppet, bothForms('api.example.com'))) assert.equal(verdict, '200');
    for (const verdict of await stage.verdicts(puppet, bothForms('evil.example.net')))
      assert.equal(verdict, '403 egress.no-rule');
  }
  assert.equal(await proxyPid(), proxy, 'the proxy is the same process');
  await puppet.on('one', [{ close: 'quietly' }]);
  assert.deepEqual(
    (await stage.connections()).filter((text) => !text.startsWith(`${ALLOWED} `)),
    [],
  );
});

test('a proxy that dies takes its connections with it; it comes back with the same rules and the agent has nothing to do', async () => {
  await openStream('two');
  const proxy = await proxyPid();
  await killProxy();
  const [cut] = await puppet.on('two', [{ read: 1 }]);
  assert.ok(cut === '' || cut?.startsWith('error: '), cut);
  await awaitAllowed(puppet);
  assert.notEqual(await proxyPid(), proxy);
  for (const verdict of await stage.verdicts(puppet, bothForms('evil.example.net')))
    assert.equal(verdict, '403 egress.no-rule');
  assert.deepEqual(
    (await stage.connections()).filter((text) => !text.startsWith(`${ALLOWED} `)),
    [],
  );
});

test('without a proxy nothing gets out, and nothing takes its place', async () => {
  await runCommand(['systemctl', 'stop', PROXY_SOCKET, PROXY]);
  try {
    for (const request of [...bothForms('api.example.com'), ...bothForms('evil.example.net')]) {
      assert.match(verdictOf(await puppet.ask(request)), /^(|error: \w+)$/);
    }
    assert.equal(await puppet.attempt('connect(("11.0.0.7", 80))'), 'ENETUNREACH');
    assert.deepEqual(await stage.internet.arrivals(), []);
  } finally {
    await runCommand(['systemctl', 'start', PROXY_SOCKET, PROXY]);
  }
  await awaitAllowed(puppet);
});

test('a proxy that starts while no daemon runs lets nothing through until the daemon has told it the rules', async () => {
  await stopDaemon();
  await runCommand(['systemctl', 'mask', '--runtime', 'agent-spawnd.service', 'agent-spawnd.socket']);
  try {
    await runCommand(['systemctl', 'restart', PROXY]);
    for (const request of [...bothForms('api.example.com'), ...bothForms('evil.example.net')]) {
      assert.match(verdictOf(await puppet.ask(request)), /^(|error: \w+)$/);
    }
    assert.deepEqual(await stage.internet.arrivals(), []);
  } finally {
    await runCommand(['systemctl', 'unmask', '--runtime', 'agent-spawnd.service', 'agent-spawnd.socket']);
    await startDaemon();
  }
  await awaitAllowed(puppet);
  for (const verdict of await stage.verdicts(puppet, bothForms('evil.example.net')))
    assert.equal(verdict, '403 egress.no-rule');
});

test('under load, with the daemon and the proxy killed again and again, no forbidden request gets through', async () => {
  const card = stage.bench.card({
    allowed_hosts: ['api.example.com'],
    command: agentProgram('load.py', 'api.example.com', 'evil.example.net', '8'),
  });
  const path = join(stage.bench.directory, 'load.json');
  writeFileSync(path, JSON.stringify(card));
  const load = new RunningCommand(['agent-spawn', path]);
  await load.line();
  for (let round = 0; round < 4; round += 1) {
    for (const disturb of [
      killDaemon,
      killProxy,
      async () => void (await runCommand(['systemctl', 'restart', PROXY])),
      stopDaemon,
    ]) {
      await disturb();
      if (disturb === stopDaemon) await startDaemon();
      for (let hundreds = 0; hundreds < 2; hundreds += 1) await load.line();
    }
  }
  load.end();
  const { stdout } = await load.ended();
  const counts = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Readonly<
    Record<'allowed' | 'forbidden', Readonly<Record<string, number>>>
  >;
  assert.ok((counts.allowed['200'] ?? 0) > 500, JSON.stringify(counts));
  assert.ok((counts.forbidden['403'] ?? 0) > 500, JSON.stringify(counts));
  assert.deepEqual(
    Object.keys(counts.forbidden).filter((answer) => !['403', 'broken'].includes(answer)),
    [],
    JSON.stringify(counts),
  );
  const elsewhere = (await stage.connections()).filter((text) => !text.startsWith(`${ALLOWED} `));
  const asked = (await stage.internet.arrivals('dns')).filter(({ name }) => name !== 'api.example.com');
  assert.deepEqual([elsewhere, asked], [[], []], `${JSON.stringify(counts)}`);
});
