import assert from 'node:assert/strict';
import test from 'node:test';
import { API_PLACE, GATEWAY, KEY, openGatewayStage, tlsHost } from '../../helpers/gateway-stage.ts';
import { answer } from '../../helpers/proxy-stage.ts';

test('a request goes to the API with the real key in place of what the client sent', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, API_PLACE, (heard, socket) => {
    if (heard.endsWith('{}')) socket.write(answer('hello', 'set-cookie: a=b', 'x-kept: yes'));
  });
  await proxy.agent('a', { gateways: [GATEWAY] });
  const client = proxy.client('a');
  client.send(
    'POST /anthropic/v1/messages?beta=true&key=x HTTP/1.1\r\nHost: 127.0.0.1:3128\r\nX-Api-Key: placeholder\r\n' +
      'Authorization: Bearer placeholder\r\nCookie: a=b\r\nAccept-Encoding: gzip\r\nanthropic-version: 2023-06-01\r\n' +
      'Content-Length: 2\r\n\r\n{}',
  );
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
