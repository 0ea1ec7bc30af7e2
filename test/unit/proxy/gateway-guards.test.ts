import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import test from 'node:test';
import type { Gateway } from '../../../src/policy/table.ts';
import { API_PLACE, GATEWAY, KEY, openGatewayStage, tlsHost, toGateway } from '../../helpers/gateway-stage.ts';
import { answer, type ProxyStage } from '../../helpers/proxy-stage.ts';

const MODELS = toGateway('GET', '/anthropic/v1/models');
const OTHER: Gateway = {
  ...GATEWAY,
  provider: 'openai',
  mount: '/openai/v1',
  base: { ...GATEWAY.base, host: 'other.example.com', path: '/v1' },
  field: { name: 'authorization', word: 'Bearer' },
  key: 'sk-proj-real-Zk1',
  placeholder: 'sk-proj-agentspawn1234567890',
  pointer: '/credentials/1',
};
const { placeholder: OWN_PLACEHOLDER } = GATEWAY;
const { placeholder: OTHER_PLACEHOLDER } = OTHER;
const STARS = '*'.repeat(KEY.length);

/** A stage whose API answers with what the test says, to a request with nothing more to come. */
async function staged(say: (heard: string, socket: Socket) => void): Promise<ProxyStage> {
  const proxy = await openGatewayStage();
  await tlsHost(proxy, API_PLACE, say);
  await proxy.agent('a', { gateways: [GATEWAY, OTHER] });
  return proxy;
}

test('an answer that repeats a key has stars in its place, wherever it stands and however it is cut', async () => {
  const basic = Buffer.from(`x:${KEY}`).toString('base64');
  const body = `{"headers":{"x-api-key":"${KEY}"}} ${encodeURIComponent(KEY)} ${basic} ${OTHER.key}\n`;
  const head = `HTTP/1.1 401 no ${KEY}\r\nx-told: a ${KEY} b\r\n${KEY.replace('/', '')}: c\r\ntransfer-encoding: chunked\r\n\r\n`;
  await using proxy = await staged((_, socket) => {
    socket.write(head);
    for (const byte of body) socket.write(`1\r\n${byte}\r\n`);
    socket.write('0\r\n\r\n');
  });
  const client = proxy.client('a');
  client.send(MODELS);
  const told = await client.until('0\r\n\r\n');
  for (const secret of [
    KEY,
    encodeURIComponent(KEY),
    OTHER.key ?? '',
    Buffer.from(KEY).toString('base64').slice(2, 12),
  ])
    assert.ok(!told.includes(secret), secret);
  assert.ok(told.startsWith(`HTTP/1.1 401 no ${STARS}\r\nx-told: a ${STARS} b\r\n`), told.slice(0, 200));
  const contents = told
    .slice(told.indexOf('\r\n\r\n') + 4)
    .split('\r\n')
    .filter((_, index) => index % 2 === 1)
    .join('');
  assert.equal(contents.length, body.length);
  assert.ok(contents.startsWith(`{"headers":{"x-api-key":"${STARS}"}} *`), contents);
});

test('an answer that is encoded all the same is refused, and one that says it is not passes', async () => {
  const answers = ['gzip', 'br', 'identity'].map((coding) => answer('ok', `content-encoding: ${coding}`));
  await using proxy = await staged((_, socket) => socket.write(answers.shift() ?? ''));
  const client = proxy.client('a');
  for (const _ of ['gzip', 'br']) {
    client.send(MODELS);
    await client.until('"code":"egress.encoded-answer"');
    await client.until('}}');
  }
  client.send(MODELS);
  await client.until('\r\n\r\nok');
});

test('a redirect stays with the API or goes nowhere', async () => {
  const places = [
    '/v1/models/new?a=b',
    'https://api.example.com/v1/messages',
    'https://evil.example.net/v1',
    '//evil.test',
  ];
  await using proxy = await staged((heard, socket) => {
    const at = places[heard.split('GET ').length - 2] ?? places.at(-1);
    socket.write(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${at}\r\ncontent-length: 0\r\n\r\n`);
  });
  const client = proxy.client('a');
  for (const expected of ['/anthropic/v1/models/new?a=b', '/anthropic/v1/messages']) {
    client.send(MODELS);
    const head = await client.until('\r\n\r\n');
    assert.ok(head.includes(`\r\nLocation: ${expected}\r\n`), head);
  }
  client.send(MODELS);
  const refused = await client.until('}}');
  assert.match(refused, /^HTTP\/1\.1 502 Bad Gateway[\s\S]*"code":"egress\.redirect"/);
  assert.doesNotMatch(refused, /evil/);
  assert.deepEqual(proxy.dials, [API_PLACE]);
});

test('the placeholder of another gateway is refused in every part of a request, the own one is not', async () => {
  const heard: string[] = [];
  await using proxy = await staged((text, socket) => {
    heard.push(text);
    socket.write(answer('ok'));
  });
  const basic = Buffer.from(`me:${OTHER_PLACEHOLDER}`).toString('base64');
  const heads = [
    toGateway('GET', '/anthropic/v1/models', `Authorization: Bearer ${OTHER_PLACEHOLDER}`),
    toGateway('GET', '/anthropic/v1/models', `Authorization: Basic ${basic}`),
    toGateway('GET', '/anthropic/v1/models', `Cookie: a=${OTHER_PLACEHOLDER}`),
    toGateway('GET', `/anthropic/v1/models?x=${OTHER_PLACEHOLDER}`),
    toGateway('GET', `/anthropic/v1/models/${OTHER_PLACEHOLDER?.replace('-', '%2d')}`),
  ];
  for (const request of heads) {
    const client = proxy.client('a');
    client.send(request);
    assert.match(await client.until('}}'), /"permission_error","code":"egress\.placeholder"/, request);
  }
  assert.deepEqual([heard, proxy.dials], [[], []]);
  const client = proxy.client('a');
  client.send(toGateway('GET', '/anthropic/v1/models', `X-Api-Key: ${OWN_PLACEHOLDER}`));
  await client.until('\r\n\r\nok');
  assert.doesNotMatch(heard.join(''), /agentspawn/);
});

test('a placeholder in a body is not sent, not even by halves, and what came before it ends there', async () => {
  const heard: string[] = [];
  await using proxy = await staged((text) => void heard.push(text));
  const [first, second] = [OTHER_PLACEHOLDER?.slice(0, 12) ?? '', OTHER_PLACEHOLDER?.slice(12) ?? ''];
  const client = proxy.client('a');
  client.send(toGateway('POST', '/anthropic/v1/messages', 'Transfer-Encoding: chunked'));
  client.send(`a\r\nharmless  \r\n${first.length.toString(16)}\r\n${first}\r\n`);
  client.send(`${second.length.toString(16)}\r\n${second}\r\n0\r\n\r\n`);
  assert.match(await client.end(), /"code":"egress\.placeholder"/);
  assert.doesNotMatch(heard.join(''), /sk-proj/);
  assert.deepEqual(
    proxy.decisions('a').map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['allow egress.allowed', 'deny egress.placeholder'],
  );
});

test('a budget that is spent stops calls of models, in words that clients do not try again for', async () => {
  const stated = '{"usage":{"input_tokens":3,"output_tokens":5}}';
  await using proxy = await staged((_, socket) => socket.write(answer(stated, 'content-type: application/json')));
  await proxy.agent('a', { gateways: [GATEWAY, OTHER], budget: { requests: 1 } });
  const client = proxy.client('a');
  const call = `${toGateway('POST', '/anthropic/v1/messages', 'Content-Length: 2')}{}`;
  client.send(MODELS);
  await client.until(stated);
  client.send(call);
  await client.until(stated);
  client.send(call);
  const refused = await client.end();
  assert.match(refused, /^HTTP\/1\.1 429 Too Many Requests\r\n[\s\S]*\r\nx-should-retry: false\r\n/);
  assert.match(refused, /\{"type":"error","error":\{"type":"budget_exhausted","code":"egress\.budget",/);
  const usage = proxy.agents.summary('a')?.gateways[0];
  assert.deepEqual(
    [usage?.mount, usage?.requests, usage?.modelCalls, usage?.inputTokens, usage?.outputTokens],
    ['/anthropic', 2, 1, 3, 5],
  );
  const calls = proxy.audit('a').filter(({ kind }) => kind === 'model-call');
  assert.deepEqual(
    calls.map(({ mount, status }) => [mount, status]),
    [
      ['/anthropic', 200],
      ['/anthropic', 200],
    ],
  );
});
