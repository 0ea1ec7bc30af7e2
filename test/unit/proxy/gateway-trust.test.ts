import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import test from 'node:test';
import { connect, createServer as createTlsServer } from 'node:tls';
import type { Gateway } from '../../../src/policy/table.ts';
import { hostTrust } from '../../../src/proxy/trust.ts';
import { exampleIdentity, GATEWAY, KEY, openGatewayStage, tlsHost, toGateway } from '../../helpers/gateway-stage.ts';
import { answer, type ProxyStage } from '../../helpers/proxy-stage.ts';
import { makeScratch } from '../../helpers/scratch.ts';

const MODELS = toGateway('GET', '/anthropic/v1/models', 'Connection: close');

function at(host: string): Gateway {
  return { ...GATEWAY, base: { ...GATEWAY.base, host } };
}

function ok(_: string, socket: Socket): void {
  socket.write(answer('ok'));
}

/** What an agent is told when its gateway leads to a host with this identity. */
async function visit(proxy: ProxyStage, host: string): Promise<string> {
  await proxy.agent('a', { gateways: [at(host)] });
  return await proxy.ask('a', MODELS);
}

test('an API that does not prove its name gets nothing, whatever is wrong with its certificate', async () => {
  const { bad } = await exampleIdentity();
  const codes = ['CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'];
  const seen: string[] = [];
  for (const [host, { key, certificate }] of Object.entries(bad)) {
    await using proxy = await openGatewayStage();
    proxy.name(host, '11.0.0.3');
    const api = await tlsHost(proxy, '11.0.0.3:443', ok, { key, cert: certificate });
    const told = await visit(proxy, host);
    assert.match(told, /^HTTP\/1\.1 502 Bad Gateway\r\n/, host);
    assert.match(told, /"code":"egress\.certificate"/, host);
    assert.match(told, /\r\nx-should-retry: false\r\n/, host);
    seen.push(/on this machine \(([A-Z_]+)\)/.exec(told)?.[1] ?? '');
    assert.deepEqual(api.heard.join(''), '', host);
    assert.deepEqual(
      proxy.decisions('a').map((line) => line.split(' ')[1]),
      ['egress.allowed', 'egress.certificate'],
    );
  }
  for (const code of codes) assert.ok(seen.includes(code), `${code} of ${seen.join()}`);
});

test('the same API with a good certificate gets the request, by name and by address', async () => {
  for (const [host, place] of [
    ['api.example.com', '11.0.0.1:443'],
    ['11.0.0.7', '11.0.0.7:443'],
  ] as const) {
    await using proxy = await openGatewayStage();
    const api = await tlsHost(proxy, place, ok);
    assert.match(await visit(proxy, host), /\r\n\r\nok$/);
    assert.match(api.heard[0] ?? '', new RegExp(`x-api-key: ${KEY.replace('+', '\\+')}\r\n`));
  }
});

test('an address that its certificate does not name, TLS of yesterday and no TLS at all are refused', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, '11.0.0.8:443', ok);
  assert.match(await visit(proxy, '11.0.0.8'), /\(ERR_TLS_CERT_ALTNAME_INVALID\)/);
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  const yesterday = await tlsHost(proxy, '11.0.0.1:443', ok, old);
  assert.match(await visit(proxy, 'api.example.com'), /The TLS handshake with api\.example\.com:443 failed/);
  await using other = await openGatewayStage();
  const plain = await other.host('11.0.0.1:443', ok);
  assert.match(await visit(other, 'api.example.com'), /"code":"egress\.certificate"/);
  assert.deepEqual([api.heard.join(''), yesterday.heard.join('')], ['', '']);
  assert.ok(!plain.heard.join('').includes('HTTP/1.1'), 'a server without TLS is not asked in the clear');
});

test('whom this machine does not trust any more is not trusted by a proxy that runs', async () => {
  const { authority, key, cert } = await exampleIdentity();
  await using scratch = await makeScratch();
  const [file, next] = [`${scratch.path}/bundle.pem`, `${scratch.path}/next.pem`];
  const trust = hostTrust(file);
  assert.throws(
    () => trust.context(),
    { code: 'ENOENT' },
    'a file that is named and missing is no reason to trust others',
  );
  writeFileSync(file, authority);
  const first = trust.context();
  assert.equal(trust.context(), first);
  writeFileSync(next, '');
  renameSync(next, file);
  const second = trust.context();
  assert.notEqual(second, first);
  const verdicts: boolean[] = [];
  for (const secureContext of [first, second]) verdicts.push(await isTaken(secureContext, { key, cert }));
  assert.deepEqual(verdicts, [true, false], 'an empty file trusts nobody, not those that come with Node');
});

test('an upstream proxy makes a tunnel, and the API proves itself at its other end', async () => {
  await using proxy = await openGatewayStage();
  const api = await tlsHost(proxy, '11.0.0.1:443', ok);
  const asked: string[] = [];
  const upstream = createServer();
  upstream.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    socket.on('error', () => undefined);
    // Every name leads to the one API there is.
    const far = proxy.dial('11.0.0.1:443');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    far.pipe(socket).pipe(far);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  proxy.place('11.0.0.9:3128', upstream);
  const way = { scheme: 'http', host: '11.0.0.9', port: 3128, credentials: 'me:pw' } as const;
  await proxy.agent('a', { upstream: way, gateways: [GATEWAY] });
  assert.match(await proxy.ask('a', MODELS), /\r\n\r\nok$/);
  assert.doesNotMatch(api.heard[0] ?? '', /proxy-authorization/i);
  proxy.name('elsewhere.test', '11.0.0.1');
  await proxy.agent('a', { upstream: way, gateways: [at('elsewhere.test')] });
  assert.match(await proxy.ask('a', MODELS), /"code":"egress\.certificate"/);
  const authorization = `Basic ${Buffer.from('me:pw').toString('base64')}`;
  assert.deepEqual(asked, [`api.example.com:443 ${authorization}`, `elsewhere.test:443 ${authorization}`]);
  assert.deepEqual([proxy.lookups, api.heard.length], [[], 1]);
});

test('a server in the own network without TLS is reached itself, never by way of an upstream proxy', async () => {
  await using proxy = await openGatewayStage();
  const api = await proxy.host('127.0.0.1:11434', ok);
  const base = { scheme: 'http', host: '127.0.0.1', port: 11434, path: '' } as const;
  const way = { scheme: 'http', host: '11.0.0.9', port: 3128, credentials: null } as const;
  await proxy.agent('a', { upstream: way, gateways: [{ ...GATEWAY, base }] });
  assert.match(await proxy.ask('a', MODELS), /\r\n\r\nok$/);
  assert.deepEqual([proxy.dials, api.sockets.length], [['127.0.0.1:11434'], 1]);
});

/** Whether a client with these settings takes the certificate of a server. */
async function isTaken(
  secureContext: ReturnType<ReturnType<typeof hostTrust>['context']>,
  identity: { readonly key: string; readonly cert: string },
): Promise<boolean> {
  const server = createTlsServer(identity);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');

  const client = connect({ port: address.port, host: '127.0.0.1', servername: 'api.example.com', secureContext });
  try {
    return await new Promise((resolve) => {
      client.once('secureConnect', () => resolve(client.authorized));
      client.once('error', () => resolve(false));
    });
  } finally {
    client.destroy();
    server.close();
  }
}
