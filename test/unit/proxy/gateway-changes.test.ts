import assert from 'node:assert/strict';
import test from 'node:test';
import { API_PLACE, GATEWAY, openGatewayStage, tlsHost, toGateway } from '../../helpers/gateway-stage.ts';
import { answer, settles } from '../../helpers/proxy-stage.ts';

const MODELS = toGateway('GET', '/anthropic/v1/models');
const CALL = `${toGateway('POST', '/anthropic/v1/messages', 'Content-Length: 2')}{}`;
const NEW_KEY = 'sk-ant-new-1234567890';
const STREAM =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n';

test('a new key is that of the next request, on the connections there are; what runs goes on', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (heard, socket) =>
    socket.write(heard.includes('POST') ? STREAM : answer('ok')),
  );
  await proxy.agent('a', { gateways: [GATEWAY] });
  const [running, idle] = [proxy.client('a'), proxy.client('a')];
  running.send(CALL);
  idle.send(MODELS);
  await running.until('data: 1');
  await idle.until('\r\n\r\nok');
  await proxy.agent('a', { gateways: [{ ...GATEWAY, key: NEW_KEY }] });
  idle.send(MODELS);
  await idle.until('\r\n\r\nok');
  api.sockets.find((_, index) => api.heard[index]?.includes('POST'))?.write('9\r\ndata: 2\n\n\r\n0\r\n\r\n');
  await running.until('data: 2\n\n\r\n0\r\n\r\n');
  assert.equal(api.sockets.length, 2);
  const idleHeard = api.heard.find((heard) => heard.includes('GET')) ?? '';
  assert.deepEqual(idleHeard.match(/(?<=x-api-key: ).*(?=\r)/g), [GATEWAY.key, NEW_KEY]);
});

test('a gateway that is taken away takes what runs with it, and the next request finds nothing', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(STREAM));
  await proxy.agent('a', { gateways: [GATEWAY] });
  const running = proxy.client('a');
  running.send(CALL);
  await running.until('data: 1');
  await proxy.agent('a', { gateways: [] });
  await running.end();
  await settles(() => api.sockets[0]?.destroyed === true, 'the end of the connection to the API');
  assert.match(
    await proxy.ask('a', toGateway('GET', '/anthropic/v1/models', 'Connection: close')),
    /egress\.no-gateway/,
  );
  assert.deepEqual(
    proxy.decisions('a').map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['allow egress.allowed', 'deny egress.no-gateway', 'deny egress.no-gateway'],
  );
});

test('a gateway that leads elsewhere now is another one', async () => {
  await using proxy = await openGatewayStage();
  proxy.name('new.example.com', '11.0.0.2');
  const before = await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(answer('before')));
  const after = await tlsHost(proxy, '11.0.0.2:443', (_, socket) => socket.write(answer('after')));
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(MODELS);
  await client.until('\r\n\r\nbefore');
  const base = { ...GATEWAY.base, host: 'new.example.com' };
  await proxy.agent('a', { gateways: [{ ...GATEWAY, base, key: NEW_KEY }] });
  client.send(MODELS);
  await client.until('\r\n\r\nafter');
  assert.ok(!before.heard.join('').includes(NEW_KEY));
  assert.ok(!after.heard.join('').includes(GATEWAY.key ?? ''));
});

test('a host that is denied is denied to its gateway: by name, by address and while a request runs', async () => {
  for (const host of ['api.example.com', '*.example.com', '*', '11.0.0.0/24']) {
    await using proxy = await openGatewayStage();
    const api = await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(STREAM));
    await proxy.agent('a', { gateways: [GATEWAY], deny: [host] });
    const told = await proxy.ask('a', toGateway('GET', '/anthropic/v1/models', 'Connection: close'));
    assert.match(told, /"code":"egress\.denied-host"/, host);
    assert.equal(api.sockets.length, 0);
  }
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(STREAM));
  await proxy.agent('a', { gateways: [GATEWAY] });
  const running = proxy.client('a');
  running.send(CALL);
  await running.until('data: 1');
  await proxy.agent('a', { gateways: [GATEWAY], deny: ['api.example.com'] });
  await running.end();
  await settles(() => api.sockets[0]?.destroyed === true, 'the end of the connection to the API');
});

test('a rule that denies a method or a path of the host denies them to its gateway, and no more', async () => {
  await using proxy = await openGatewayStage();
  await tlsHost(proxy, API_PLACE, (_, socket) => socket.write(answer('ok')));
  await proxy.agent('a', { gateways: [GATEWAY], deny: [{ host: 'api.example.com', paths: ['/v1/models'] }] });
  const client = proxy.client('a');
  client.send(MODELS);
  await client.until('}}');
  client.send(CALL);
  await client.until('\r\n\r\nok');
});

test('a gateway needs no rule that allows its host, and is none for the host itself', async () => {
  await using proxy = await openGatewayStage();
  proxy.name('api.example.com', '10.0.0.1');
  await tlsHost(proxy, '10.0.0.1:443', (_, socket) => socket.write(answer('ok')));
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(MODELS);
  await client.until('\r\n\r\nok');
  const direct = 'CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\nConnection: close\r\n\r\n';
  assert.match(await proxy.ask('a', direct), /egress\.no-rule/);
});
