import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { agentctl } from '../helpers/agents.ts';
import { bothForms, connectTo, EgressStage, getUrl } from '../helpers/egress-stage.ts';
import { type Puppet, type TalkStep, verdictOf } from '../helpers/puppet.ts';
import { showProperty } from '../helpers/units.ts';

// Agents beside each other at one proxy: what one does is nothing to the other, and everything is written down.

const PROXY = 'agent-egressd.service';
const MEMORY_MAX_KIB = 400 * 1024;

let stage: EgressStage;
let one: Puppet;
let other: Puppet;
before(async () => {
  stage = await EgressStage.open();
  one = await stage.agent({ allowed_hosts: ['api.example.com'] });
  other = await stage.agent({ allowed_hosts: ['other.example.com'] });
});
beforeEach(() => stage.internet.clear());
after(() => stage?.close());

async function proxyFile(name: string): Promise<string> {
  return readFileSync(`/proc/${await showProperty(PROXY, 'MainPID')}/${name}`, 'utf8');
}

async function proxyDescriptors(): Promise<number> {
  return readdirSync(`/proc/${await showProperty(PROXY, 'MainPID')}/fd`).length;
}

test('what one agent may reach is refused to the other, also on connections that are kept', async () => {
  const steps = (hosts: readonly string[]): readonly TalkStep[] =>
    hosts.flatMap((host): readonly TalkStep[] => [{ send: getUrl(host) }, { read: 'answer' }]);
  await one.open('kept', steps(['api.example.com']));
  await other.open('kept', steps(['other.example.com']));
  for (let round = 0; round < 5; round += 1) {
    assert.deepEqual((await one.on('kept', steps(['api.example.com']))).map(verdictOf), ['200']);
    assert.deepEqual((await other.talk(steps(['api.example.com']))).map(verdictOf), ['403 egress.no-rule']);
    assert.deepEqual((await other.on('kept', steps(['other.example.com']))).map(verdictOf), ['200']);
    assert.deepEqual((await one.talk(steps(['other.example.com']))).map(verdictOf), ['403 egress.no-rule']);
  }
  assert.deepEqual(new Set(await stage.connections()), new Set(['11.0.0.7 80', '11.0.0.8 80']));
});

test('an agent is who its socket says, whatever it says itself', async () => {
  const claims = [
    `Proxy-Authorization: Basic ${Buffer.from(`${one.id}:`).toString('base64')}`,
    `Proxy-Authorization: Bearer ${one.id}`,
    `X-Agent-Id: ${one.id}`,
    `Forwarded: for=${one.id}`,
  ];
  for (const claim of claims) {
    const verdicts = await stage.verdicts(other, [
      getUrl('api.example.com', '/', claim),
      connectTo('api.example.com:443', claim),
    ]);
    assert.deepEqual(verdicts, ['403 egress.no-rule', '403 egress.no-rule']);
  }
  assert.deepEqual(await stage.internet.arrivals(), []);
  for (const path of [
    `/run/agent-egress/${one.id}/proxy.sock`,
    '/run/agent-egress',
    '/run/agent-egress-control.sock',
  ]) {
    assert.equal(await other.attempt(`os.stat("${path}")`), 'ENOENT');
  }
});

test('no ordinary user of the host speaks for an agent, or to the control of the proxy', async () => {
  const [socket, control] = [`/run/agent-egress/${one.id}/proxy.sock`, '/run/agent-egress-control.sock'];
  const user = await stage.outside('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--');
  const root = await stage.outside();
  for (const path of [socket, control]) {
    const connect = `socket.socket(socket.AF_UNIX).connect("${path}")`;
    assert.deepEqual([await root.attempt(connect), await user.attempt(connect)], ['ok: None', 'EACCES'], path);
  }
});

test('one that holds all the connections it can get keeps no other waiting', async () => {
  const hoard =
    'globals().setdefault("hoard", [socket.create_connection(("127.0.0.1", 3128)) for _ in range(400)]) and len(hoard)';
  const slow = '[one.send(b"GET http://api.example.com/ HTTP/1.1\\r\\nX: ") for one in hoard[:200]] and 1';
  assert.match(await one.attempt(hoard), /^ok: 400$|^E/);
  await one.attempt(slow);
  for (const verdict of await stage.verdicts(other, bothForms('other.example.com'))) assert.equal(verdict, '200');
  assert.match(
    verdictOf((await one.talk([{ send: getUrl('api.example.com') }, { read: 'head' }]))[0]),
    /^(429 egress\.connections|error: \w+|)$/,
  );
  assert.match(await one.attempt('[each.close() for each in globals().pop("hoard")] and 1'), /^ok/);
  await untilAllowed(one);
  const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(await proxyFile('status'))?.[1]);
  assert.ok(peak < MEMORY_MAX_KIB, `the proxy used ${peak} KiB`);
});

async function untilAllowed(who: Puppet): Promise<void> {
  for (let turn = 0; turn < 1000; turn += 1) {
    if (verdictOf(await who.ask(getUrl('api.example.com'))) === '200') return;
  }
  assert.fail('the connections that were closed still count');
}

test('bodies without end and answers that nobody reads stay outside of the memory of the proxy', async () => {
  const earlier = Number(/^VmRSS:\s+(\d+) kB$/m.exec(await proxyFile('status'))?.[1]);
  const unread =
    'globals().setdefault("unread", [socket.create_connection(("127.0.0.1", 3128)) for _ in range(20)]) and [each.send(b"GET http://api.example.com/bytes/1000000000 HTTP/1.1\\r\\nHost: api.example.com\\r\\n\\r\\n") for each in unread] and 1';
  assert.equal(await one.attempt(unread), 'ok: 1');
  const endless = ['curl', '-sS', '-T', '/dev/zero', '--max-time', '1', '-o', '/dev/null', 'http://api.example.com/up'];
  await one.run(endless);
  for (const verdict of await stage.verdicts(other, bothForms('other.example.com'))) assert.equal(verdict, '200');
  const growth = Number(/^VmHWM:\s+(\d+) kB$/m.exec(await proxyFile('status'))?.[1]) - earlier;
  assert.ok(growth < 100 * 1024, `the proxy grew by ${growth} KiB`);
  await one.attempt('[each.close() for each in globals().pop("unread")] and 1');
});

test('one that asks for names nobody answers for keeps no other waiting', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `n${index}.silent.example.com`);
  for (const name of names) await stage.internet.answer(name, ['silence']);
  const agent = await stage.agent({ allowed_hosts: ['*.silent.example.com'] });
  for (const name of names) await agent.open(name, [{ send: getUrl(name) }]);
  for (const verdict of await stage.verdicts(other, bothForms('other.example.com'))) assert.equal(verdict, '200');
  const asked = new Set((await stage.internet.arrivals('dns')).map(({ name }) => name));
  asked.delete('other.example.com');
  assert.ok(asked.size < names.length, 'it waits itself');
  for (const name of names) await stage.internet.answer(name, []);
  for (const name of names) {
    const [answer] = await agent.on(name, [{ read: 'answer' }, { close: 'quietly' }]);
    assert.equal(verdictOf(answer), '502 egress.name-unknown');
  }
});

test('connections that are reset, halved or left alone leave no descriptor behind', async () => {
  await untilAllowed(one);
  const earlier = await proxyDescriptors();
  for (let round = 0; round < 20; round += 1) {
    await one.talk([{ send: getUrl('api.example.com', '/bytes/5000000') }, { read: 10 }, { close: 'reset' }]);
    await one.talk([{ send: connectTo('api.example.com:443') }, { close: 'reset' }]);
    await one.talk([{ send: connectTo('api.example.com:443') }, { read: 'head' }, { shut: 'write' }]);
    await one.talk([{ send: 'GET http://api' }, { close: 'reset' }]);
    await one.talk([{ shut: 'write' }, { read: 'end' }]);
    await one.talk([]);
  }
  await untilAllowed(one);
  for (let turn = 0; (await proxyDescriptors()) > earlier + 4; turn += 1) {
    assert.ok(turn < 200, `${await proxyDescriptors()} descriptors, ${earlier} before`);
  }
  assert.equal(await showProperty(PROXY, 'NRestarts'), '0');
});

test('each refusal is in the audit with its agent, host, port and reason, and no secret of the request', async () => {
  const agent = await stage.agent({ allowed_hosts: ['api.example.com'] });
  const reasons = {
    'evil.example.net': 'egress.no-rule',
    'evil2.example.net': 'egress.no-rule',
    '11.0.0.9': 'egress.address-unlisted',
    '127.0.0.1': 'egress.own-address',
  };
  for (const host of Object.keys(reasons)) {
    await stage.verdicts(agent, [
      connectTo(`${host}:443`),
      getUrl(host, '/path?token=c2VjcmV0', 'Authorization: Bearer c2VjcmV0'),
    ]);
  }
  assert.deepEqual(await stage.verdicts(agent, [getUrl('api.example.com', '/path?token=c2VjcmV0')]), ['200']);
  const { stdout } = await agentctl('audit', agent.id, '--json');
  assert.doesNotMatch(stdout, /c2VjcmV0/);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const decisions = events
    .filter(({ kind }) => kind === 'decision')
    .map(({ verdict, reason, host, port }) => `${verdict} ${reason} ${host} ${port}`);
  for (const [host, reason] of Object.entries(reasons)) {
    assert.ok(decisions.includes(`deny ${reason} ${host} 443`), decisions.join('\n'));
    assert.ok(decisions.includes(`deny ${reason} ${host} 80`), decisions.join('\n'));
  }
  assert.deepEqual(
    decisions.filter((text) => text.startsWith('allow')),
    ['allow egress.allowed api.example.com 80'],
  );
});

test('what cannot be written down is refused', async () => {
  const card = stage.bench.card({});
  const directory = `/var/log/agent-egress/${card.agent_id}`;
  mkdirSync(`${directory}/audit.jsonl`, { recursive: true });
  const agent = await stage.agent({
    agent_id: card.agent_id,
    workspace: card.workspace,
    allowed_hosts: ['api.example.com'],
  });
  try {
    for (const verdict of await stage.verdicts(agent, bothForms('api.example.com')))
      assert.equal(verdict, '503 egress.audit-unwritable');
    assert.deepEqual(await stage.connections(), []);
  } finally {
    rmSync(`${directory}/audit.jsonl`, { recursive: true });
  }
  for (const verdict of await stage.verdicts(one, bothForms('api.example.com')))
    assert.equal(verdict, '200', 'another agent is not concerned');
});

test('a rule given to a running agent holds at once, also on a connection that is kept, and for it alone', async () => {
  const agent = await stage.agent({ allowed_hosts: ['api.example.com'] });
  const ask = async (host: string): Promise<string> =>
    verdictOf((await agent.on('kept', [{ send: getUrl(host) }, { read: 'answer' }]))[0]);
  await agent.open('kept', []);
  assert.deepEqual([await ask('api.example.com'), await ask('other.example.com')], ['200', '403 egress.no-rule']);
  await agentctl('allow', agent.id, 'other.example.com');
  assert.deepEqual([await ask('api.example.com'), await ask('other.example.com')], ['200', '200']);
  await agentctl('deny', agent.id, 'api.example.com');
  assert.deepEqual([await ask('api.example.com'), await ask('other.example.com')], ['403 egress.denied-host', '200']);
  assert.deepEqual(await stage.verdicts(one, [getUrl('api.example.com'), getUrl('other.example.com')]), [
    '200',
    '403 egress.no-rule',
  ]);
  const { stdout } = await agentctl('audit', agent.id, '--json');
  assert.match(stdout, /"rule":"\/live\/allow\/0"/);
  assert.match(stdout, /"rule":"\/live\/deny\/\d"/);
});

test('an agent over its caps is refused and no other is', async () => {
  const slow = await stage.agent({ allowed_hosts: ['api.example.com'], network: { requests_per_minute: 3 } });
  const verdicts = await stage.verdicts(
    slow,
    Array.from({ length: 5 }, () => getUrl('api.example.com')),
  );
  assert.deepEqual(verdicts, ['200', '200', '200', '429 egress.rate', '429 egress.rate']);
  assert.deepEqual(await stage.verdicts(one, [getUrl('api.example.com')]), ['200']);
  const small = await stage.agent({ allowed_hosts: ['api.example.com'], network: { max_bytes: 1_000_000 } });
  const download = await small.run([
    'curl',
    '-sS',
    '-o',
    '/dev/null',
    '-w',
    '%{size_download}',
    'http://api.example.com/bytes/50000000',
  ]);
  assert.notEqual(download.status, 0);
  assert.ok(Number(download.stdout) <= 1_000_000, download.stdout);
  assert.deepEqual(await stage.verdicts(small, bothForms('api.example.com')), ['429 egress.bytes', '429 egress.bytes']);
});
