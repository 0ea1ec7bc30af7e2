import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { answer, descriptors, ProxyStage, settles, table } from '../../helpers/proxy-stage.ts';

const GET = 'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n';
const TUNNEL = 'CONNECT api.test:80 HTTP/1.1\r\nHost: api.test:80\r\n\r\n';
const TCP = { host: 'api.test', protocol: 'tcp' } as const;

async function stage(): Promise<ProxyStage> {
  const opened = await ProxyStage.open();
  opened.name('api.test', '11.0.0.1');
  await opened.host('11.0.0.1:80', (_, socket) => void socket.write(answer('ok')));
  return opened;
}

test('two agents at one host see nothing of each other', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: ['api.test'] });
  await proxy.agent('b', { allow: ['other.test'] });
  const a = proxy.client('a');
  const b = proxy.client('b');
  for (let round = 0; round < 3; round += 1) {
    a.send(GET);
    b.send(GET);
    await a.until('\r\n\r\nok');
    await b.until('(egress.no-rule)');
  }
  assert.deepEqual(proxy.dials, ['11.0.0.1:80']);
  const [allowed, refused] = [proxy.agents.summary('a'), proxy.agents.summary('b')];
  assert.deepEqual([allowed?.allowed, allowed?.refused, refused?.allowed, refused?.refused], [3, 0, 0, 3]);
  assert.deepEqual(refused?.topRefusals, [{ host: 'api.test', port: 80, reason: 'egress.no-rule', count: 3 }]);
});

test("the socket of an agent is its group's and goes with the agent", async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: [TCP] });
  const path = `${proxy.directory}/a/proxy.sock`;
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.equal(statSync(`${proxy.directory}/a`).mode & 0o777, 0o750);
  const client = proxy.client('a');
  client.send(TUNNEL);
  await client.until('established\r\n\r\n');
  const summary = await proxy.agents.remove('a');
  assert.deepEqual([summary?.allowed, summary?.openConnections], [1, 0]);
  assert.equal(summary?.auditHead.sequence, proxy.audit('a').length);
  assert.equal(proxy.audit('a').at(-1)?.['kind'], 'closed');
  await client.end();
  assert.equal(existsSync(path), false);
  assert.equal(await proxy.agents.remove('a'), null);
});

test('other rules apply to the next request, and cut only what they deny', async () => {
  await using proxy = await stage();
  proxy.name('more.test', '11.0.0.1');
  await proxy.agent('a', { allow: [TCP, { host: 'more.test', protocol: 'tcp' }] });
  const denied = proxy.client('a');
  denied.send(TUNNEL);
  await denied.until('established\r\n\r\n');
  const kept = proxy.client('a');
  kept.send(TUNNEL.replaceAll('api', 'more'));
  await kept.until('established\r\n\r\n');
  const waiting = proxy.client('a');
  waiting.send(GET);
  await waiting.until('\r\n\r\nok');
  await proxy.agent('a', { allow: [TCP, { host: 'more.test', protocol: 'tcp' }], deny: ['api.test'] });
  await denied.end();
  waiting.send(GET);
  await waiting.until('(egress.denied-host)');
  kept.send('ping');
  await kept.until('ok');
  await proxy.agent('a', { allow: [TCP, { host: 'more.test', protocol: 'tcp' }] });
  waiting.send(GET);
  await waiting.until('\r\n\r\nok');
  const changes = proxy.audit('a').filter(({ kind }) => kind === 'rules-changed');
  assert.deepEqual(
    changes.map(({ change, action, host }) => `${change} ${action} ${host}`),
    ['added deny api.test', 'removed deny api.test'],
  );
});

test('exactly the given tables count, and rules that cannot be read change nothing', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: ['api.test'] });
  await proxy.agent('b', { allow: ['api.test'] });
  const client = proxy.client('b');
  client.send(GET);
  await client.until('\r\n\r\nok');
  const bad = await proxy.agents.putAll([table('a', { allow: ['*.*.test'] })]);
  assert.equal(bad.ok, false);
  assert.equal(proxy.agents.size, 2);
  const fine = await proxy.agents.putAll([table('b', { allow: ['api.test'] }), table('c', {})]);
  assert.equal(fine.ok, true);
  assert.deepEqual([proxy.agents.summary('a'), proxy.agents.size], [null, 2]);
  client.send(GET);
  await client.until('\r\n\r\nok');
});

test('bytes are capped both ways together, and a live tunnel is cut', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: [TCP], caps: { maxBytes: 10_000 } });
  const client = proxy.client('a');
  client.send(TUNNEL);
  await client.until('established\r\n\r\n');
  client.send('x'.repeat(6_000));
  await client.until('ok');
  client.send('x'.repeat(6_000));
  await client.end();
  const after = proxy.client('a');
  after.send(GET);
  await after.until('429 Too Many Requests');
  await after.until('(egress.bytes)');
  await proxy.agent('a', { allow: [TCP], caps: { maxBytes: 100_000 } });
  after.send(GET);
  await after.until('\r\n\r\nok');
});

test('requests are capped by the minute, and refused ones cost none', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: ['api.test'], caps: { requestsPerMinute: 2 } });
  const client = proxy.client('a');
  client.send('GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n');
  await client.until('(egress.no-rule)');
  for (const expected of ['\r\n\r\nok', '\r\n\r\nok', '(egress.rate)']) {
    client.send(GET);
    await client.until(expected);
  }
  proxy.clock.advance(60_000);
  client.send(GET);
  await client.until('\r\n\r\nok');
});

test('connections are capped, and other agents are served meanwhile', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: ['api.test'] });
  await proxy.agent('b', { allow: ['api.test'] });
  const idle = Array.from({ length: 256 }, () => proxy.client('a'));
  await settles(() => proxy.agents.summary('a')?.openConnections === 256, '256 connections');
  assert.match(await proxy.ask('a', ''), /^HTTP\/1\.1 429 Too Many Requests[\s\S]*\(egress\.connections\)/);
  const crowd = Array.from({ length: 500 }, () => proxy.client('a'));
  await Promise.all(crowd.map((client) => client.end()));
  const b = proxy.client('b');
  b.send(GET);
  await b.until('\r\n\r\nok');
  idle[0]?.socket.destroy();
  await settles(() => (proxy.agents.summary('a')?.openConnections ?? 256) < 256, 'a free place');
  const a = proxy.client('a');
  a.send(GET);
  await a.until('\r\n\r\nok');
});

test('lookups of one agent that hang do not keep another agent waiting', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: ['*'] });
  await proxy.agent('b', { allow: ['api.test'] });
  proxy.hangs('slow.test');
  const waiting = Array.from({ length: 8 }, () => proxy.client('a'));
  for (const client of waiting) client.send('GET http://slow.test/ HTTP/1.1\r\nHost: slow.test\r\n\r\n');
  await settles(() => proxy.lookups.length === 4, 'four lookups');
  const b = proxy.client('b');
  b.send(GET);
  await b.until('\r\n\r\nok');
  assert.deepEqual(proxy.lookups.filter((name) => name === 'slow.test').length, 4);
  proxy.clock.advance(10_000);
  for (const client of waiting) await client.until('504 Gateway Timeout');
});

test('what cannot be written down is refused, and nothing is dialled', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  await client.until('\r\n\r\nok');
  rmSync(`${proxy.directory}/audit/a`, { recursive: true });
  writeFileSync(`${proxy.directory}/audit/a`, '');
  client.send(GET);
  await client.until('503 Service Unavailable');
  await client.until('(egress.audit-unwritable)');
  client.send(TUNNEL);
  await client.until('503 Service Unavailable');
  rmSync(`${proxy.directory}/audit/a`);
  client.send(GET);
  await client.until('\r\n\r\nok');
  assert.equal(proxy.audit('a')[0]?.['kind'], 'recovered');
});

test('a flood of refusals is answered to the last one, and leaves one line', async () => {
  await using proxy = await stage();
  await proxy.agent('a');
  const client = proxy.client('a');
  const count = 2_000;
  client.send(GET.repeat(count));
  for (let answered = 0; answered < count; answered += 1) await client.until('(egress.no-rule)');
  assert.equal(proxy.agents.summary('a')?.refused, count);
  assert.equal(proxy.decisions('a').length, 1);
});

test('a removed agent leaves no descriptor', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', () => undefined);
  const before = descriptors();
  for (const id of ['a', 'b', 'c']) {
    await proxy.agent(id, { allow: [TCP] });
    const client = proxy.client(id);
    client.send(TUNNEL);
    await client.until('established\r\n\r\n');
    await proxy.agents.remove(id);
    await client.end();
  }
  for (const socket of host.sockets) socket.destroy();
  await settles(() => descriptors() <= before, `${before} descriptors`);
});
