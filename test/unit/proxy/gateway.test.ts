import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { API_PLACE, GATEWAY, KEY, openGatewayStage, tlsHost, toGateway } from '../../helpers/gateway-stage.ts';
import { answer, settles } from '../../helpers/proxy-stage.ts';

const MODELS = toGateway('GET', '/anthropic/v1/models');

test('a request goes to the API with the real key in place of what the client sent', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (heard, socket) => {
    if (heard.endsWith('{}')) socket.write(answer('hello', 'set-cookie: a=b', 'x-kept: yes'));
  });
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  const fields = [
    'X-Api-Key: placeholder',
    'Authorization: Bearer placeholder',
    'Cookie: a=b',
    'Accept-Encoding: gzip',
  ];
  const sent = toGateway('POST', '/anthropic/v1/messages?beta=true&key=x', ...fields, 'anthropic-version: 2023-06-01');
  client.send(sent.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\n{}'));
  const head = await client.until('\r\n\r\nhello');
  assert.equal(head, 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-kept: yes\r\nconnection: keep-alive\r\n\r\nhello');
  assert.deepEqual(api.heard, [
    'POST /v1/messages?beta=true HTTP/1.1\r\nhost: api.example.com\r\nanthropic-version: 2023-06-01\r\n' +
      `content-length: 2\r\naccept-encoding: identity\r\nx-api-key: ${KEY}\r\nConnection: keep-alive\r\n\r\n{}`,
  ]);
  const [decision] = proxy.audit('a').filter(({ kind }) => kind === 'decision');
  const { verdict, form, rule, host, port, path, method } = decision ?? {};
  assert.deepEqual(
    [verdict, form, rule, host, port, path, method],
    ['allow', 'gateway', '/api_key_file', 'api.example.com', 443, '/v1/messages', 'POST'],
  );
});

test('further requests use the connection that is there, those to another gateway do not', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (heard, socket) =>
    socket.write(answer(String(heard.split('GET ').length - 1))),
  );
  const other = await proxy.host('127.0.0.1:11434', (_, socket) => socket.write(answer('ollama')));
  const base = { scheme: 'http', host: '127.0.0.1', port: 11434, path: '/v1' } as const;
  const ollama = { ...GATEWAY, provider: 'ollama', mount: '/ollama/v1', base, key: null } as const;
  await proxy.agent('a', { gateways: [GATEWAY, ollama] });
  const client = proxy.client('a');
  client.send(MODELS + MODELS);
  await client.until('\r\n\r\n1');
  await client.until('\r\n\r\n2');
  client.send(toGateway('GET', '/ollama/v1/models'));
  await client.until('\r\n\r\nollama');
  client.send(MODELS);
  await client.until('\r\n\r\n1');
  assert.deepEqual([api.sockets.length, other.sockets.length, proxy.lookups.length], [2, 1, 2]);
  const [heard = ''] = other.heard;
  assert.match(heard, /^GET \/v1\/models HTTP\/1\.1\r\nhost: 127\.0\.0\.1:11434\r\n/);
  assert.ok(!heard.includes(KEY), 'the one key is not for the other API');
});

test('a kept connection that the API has closed is made anew where that changes nothing', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (heard, socket) => {
    // The second request on a connection is one too many.
    if (heard.split(' HTTP/1.1').length > 2) socket.destroy();
    else socket.write(answer('ok'));
  });
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(MODELS);
  await client.until('\r\n\r\nok');
  client.send(MODELS);
  await client.until('\r\n\r\nok');
  assert.equal(api.sockets.length, 2);
  const post = toGateway('POST', '/anthropic/v1/messages', 'Content-Length: 2');
  client.send(`${post}{}`);
  assert.match(await client.end(), /^HTTP\/1\.1 502 Bad Gateway\r\n[\s\S]*egress\.unreachable/);
  assert.equal(api.sockets.length, 2, 'what may cost something is not sent twice');
});

test('a connection that the API ends between two requests is noticed, so that no call is lost', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (heard, socket) => {
    if (heard.startsWith('GET')) socket.end(answer('ok'));
    else if (heard.endsWith('{}')) socket.write(answer('called', 'connection: close'));
  });
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  const post = `${toGateway('POST', '/anthropic/v1/messages', 'Content-Length: 2')}{}`;
  client.send(MODELS);
  await client.until('\r\n\r\nok');
  await settles(() => api.sockets[0]?.destroyed === true, 'the end of the first connection');
  for (const count of [2, 3]) {
    client.send(post);
    assert.match(await client.until('\r\n\r\ncalled'), /\r\nconnection: keep-alive\r\n/);
    assert.equal(api.sockets.length, count);
  }
});

test('what a gateway does not pass on is refused in the words of the API, and nothing is looked up or dialled', async () => {
  await using proxy = await openGatewayStage();
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  const refusals: readonly (readonly [request: string, head: string, type: string, code: string])[] = [
    [toGateway('GET', '/anthropic/v1/files'), '403 Forbidden', 'permission_error', 'egress.gateway-path'],
    [toGateway('DELETE', '/anthropic/v1/models'), '403 Forbidden', 'permission_error', 'egress.gateway-path'],
    [toGateway('GET', '/anthropic'), '403 Forbidden', 'permission_error', 'egress.gateway-path'],
  ];
  for (const [request, status, type, code] of refusals) {
    client.send(request);
    const head = await client.until('\r\n\r\n');
    assert.ok(head.startsWith(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n`), head);
    const body = JSON.parse(await client.until('}}'));
    assert.deepEqual([body.type, body.error.type, body.error.code], ['error', type, code]);
    assert.match(body.error.message, /^agent-spawn refused api\.example\.com:443 \(egress\./);
  }
  client.send(toGateway('GET', '/openai/v1/models'));
  await client.until('(egress.no-gateway): The proxy itself has nothing to offer under this path. There is something');
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  assert.match(await proxy.ask('a', toGateway('GET', '/anthropic/v1/models', ...upgrade)), /"egress\.upgrade"/);
  for (const request of [toGateway('TRACE', '/anthropic/v1/models'), toGateway('get', '/anthropic/v1/models')]) {
    client.send(request);
    await client.until('(egress.method-refused)');
  }
  assert.deepEqual([proxy.lookups, proxy.dials], [[], []]);
});

test('caps count requests to gateways too', async () => {
  await using proxy = await openGatewayStage();
  await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(answer('ok')));
  await proxy.agent('a', { gateways: [GATEWAY], caps: { requestsPerMinute: 1 } });
  const client = proxy.client('a');
  client.send(MODELS);
  await client.until('\r\n\r\nok');
  client.send(MODELS);
  assert.match(
    await client.until('}}'),
    /^HTTP\/1\.1 429 Too Many Requests[\s\S]*"rate_limit_error","code":"egress.rate"/,
  );
  await proxy.agent('a', { gateways: [GATEWAY], caps: { maxBytes: 1 } });
  client.send(MODELS);
  assert.match(await client.until('}}'), /\r\nx-should-retry: false\r\n[\s\S]*"code":"egress.bytes"/);
});

test('nothing is sent when the audit cannot say so', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(answer('ok')));
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(MODELS);
  await client.until('\r\n\r\nok');
  rmSync(`${proxy.directory}/audit/a`, { recursive: true });
  writeFileSync(`${proxy.directory}/audit/a`, '');
  const before = api.heard[0];
  client.send(MODELS);
  await client.until('"code":"egress.audit-unwritable"');
  assert.deepEqual([api.sockets.length, api.heard[0]], [1, before]);
});

test('each event of a stream is handed on when it is there', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (_, socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'),
  );
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(`${toGateway('POST', '/anthropic/v1/messages', 'Content-Length: 2')}{}`);
  await client.until('\r\n\r\n');
  for (const name of ['one', 'two', 'three']) {
    const event = `data: ${name}\n\n`;
    api.sockets[0]?.write(`${event.length.toString(16)}\r\n${event}\r\n`);
    assert.equal(await client.until(`${event}\r\n`), `${event.length.toString(16)}\r\n${event}\r\n`);
  }
  api.sockets[0]?.write('0\r\n\r\n');
  await client.until('0\r\n\r\n');
  client.send(MODELS);
  await settles(() => api.heard[0]?.includes('GET /v1/models') === true, 'the next request on the same connection');
});

test('large bodies pass both ways, and what the API does not read stays with the client', async () => {
  await using proxy = await openGatewayStage();
  const length = 32 * 1024 * 1024;
  const body = Buffer.alloc(length, 'x');
  let heard = 0;
  const api = await tlsHost(proxy, API_PLACE, (text, socket) => {
    if (heard === 0) socket.pause();
    heard = text.length;
    if (heard > length) socket.write(answer(body.toString('latin1')));
  });
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(toGateway('POST', '/anthropic/v1/messages', `Content-Length: ${length}`));
  client.send(body.subarray(0, 1));
  await settles(() => heard > 0, 'the head');
  client.send(body.subarray(1));
  let got = 0;
  client.socket.removeAllListeners('data').on('data', (bytes: Buffer) => {
    got += bytes.length;
  });
  assert.ok(client.socket.writableLength > length / 2);
  api.sockets[0]?.resume();
  await settles(() => got > length, 'the whole answer');
  assert.ok(heard > length);
});

test('HEAD, answers without a body and answers before the answer are as they should be', async () => {
  await using proxy = await openGatewayStage();
  const answers = [
    'HTTP/1.1 200 OK\r\ncontent-length: 700\r\ncontent-encoding: gzip\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    'HTTP/1.1 304 Not Modified\r\ncontent-encoding: gzip\r\n\r\n',
  ];
  await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(answers.shift() ?? ''));
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(toGateway('HEAD', '/anthropic/v1/models'));
  assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\ncontent-length: 700\r\n/);
  client.send(MODELS);
  assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 204 No Content\r\n/);
  client.send(MODELS);
  assert.match(await client.until('\r\n\r\nok'), /^HTTP\/1\.1 200 OK\r\n/);
  client.send(MODELS);
  assert.match(await client.until('\r\n\r\n'), /^HTTP\/1\.1 304 Not Modified\r\n/);
  assert.equal(client.heard, '');
});

test('a client that waits for it is told to go on with the body', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (heard, socket) => {
    if (heard.endsWith('{}')) socket.write(answer('ok'));
  });
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(toGateway('POST', '/anthropic/v1/messages', 'Content-Length: 2', 'Expect: 100-continue'));
  await client.until('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('{}');
  await client.until('\r\n\r\nok');
  assert.doesNotMatch(api.heard[0] ?? '', /expect/i);
});

test('a client that goes takes its request with it', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, () => undefined);
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(MODELS);
  await settles(() => api.heard[0] !== undefined && api.heard[0] !== '', 'the request');
  client.socket.destroy();
  await settles(() => api.sockets[0]?.destroyed === true, 'the end of the connection to the API');
});

test('an answer that is no HTTP, breaks off or changes the protocol is not taken for one', async () => {
  await using proxy = await openGatewayStage();
  const answers = [
    'hello\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ];
  await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(answers.shift() ?? ''));
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  for (const _ of [...answers]) {
    client.send(MODELS);
    await client.until('"code":"egress.bad-answer"');
    await client.until('}}');
  }
  const broken = await openGatewayStage();
  await using _broken = broken;
  await tlsHost(broken, API_PLACE, (_, socket) => {
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf\n');
  });
  await broken.agent('a', { gateways: [GATEWAY] });
  const told = await broken.ask('a', MODELS);
  assert.match(told, /content-length: 50\r\n[\s\S]*\r\n\r\nhalf\n$/);
});
