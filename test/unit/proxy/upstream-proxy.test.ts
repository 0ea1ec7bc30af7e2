import assert from 'node:assert/strict';
import test from 'node:test';
import type { UpstreamProxy } from '../../../src/policy/table.ts';
import { answer, ProxyStage } from '../../helpers/proxy-stage.ts';

const PROXY: UpstreamProxy = { scheme: 'http', host: 'proxy.test', port: 3128, credentials: 'user:pass word' };
const AUTHORIZATION = `proxy-authorization: Basic ${Buffer.from('user:pass word').toString('base64')}\r\n`;
const GET = 'GET http://api.test/x?q HTTP/1.1\r\nHost: api.test\r\n\r\n';
const CONNECT = 'CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n';

async function stage(): Promise<ProxyStage> {
  const opened = await ProxyStage.open();
  // A proxy of the network around this machine may have a private address.
  opened.name('proxy.test', '10.1.2.3');
  return opened;
}

test('requests go to the upstream proxy whole, with its credentials, and no name is looked up here', async () => {
  await using proxy = await stage();
  const upstream = await proxy.host('10.1.2.3:3128', (_, socket) => void socket.write(answer('ok')));
  await proxy.agent('a', { allow: ['api.test'], upstream: PROXY });
  const client = proxy.client('a');
  for (let round = 0; round < 2; round += 1) {
    client.send(GET);
    await client.until('\r\n\r\nok');
  }
  assert.equal(upstream.sockets.length, 1);
  assert.ok(upstream.heard[0]?.startsWith('GET http://api.test/x?q HTTP/1.1\r\nhost: api.test\r\n'));
  assert.ok(upstream.heard[0]?.includes(AUTHORIZATION));
  assert.deepEqual(proxy.lookups, ['proxy.test']);
  assert.deepEqual(proxy.decisions('a')[0], 'allow egress.allowed api.test:80 null');
  assert.doesNotMatch(JSON.stringify(proxy.audit('a')), /user|pass|Basic/);
});

test('the same is refused as without it, before anything reaches the upstream proxy', async () => {
  await using proxy = await stage();
  const upstream = await proxy.host('10.1.2.3:3128', (_, socket) => void socket.write(answer('ok')));
  await proxy.agent('a', { allow: ['api.test', '*'], deny: ['evil.test'], upstream: PROXY });
  const client = proxy.client('a');
  const cases = [
    ['GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n', 'egress.denied-host'],
    ['CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n', 'egress.metadata-address'],
    ['CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1:443\r\n\r\n', 'egress.own-address'],
  ];
  for (const [bytes = '', reason] of cases) {
    client.send(bytes);
    await client.until(`(${reason})`);
  }
  assert.equal(upstream.sockets.length, 0);
});

test('a tunnel goes through the upstream proxy, and what it carries is judged all the same', async () => {
  await using proxy = await stage();
  const upstream = await proxy.host('10.1.2.3:3128', (heard, socket) => {
    if (heard.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\n\r\nfirst');
    else socket.write('heard');
  });
  await proxy.agent('a', { allow: [{ host: 'api.test', protocol: 'tcp' }], upstream: PROXY });
  const client = proxy.client('a');
  client.send(CONNECT);
  await client.until('established\r\n\r\nfirst');
  client.send('hello');
  await client.until('heard');
  assert.equal(upstream.heard[0]?.split('\r\n')[0], 'CONNECT api.test:443 HTTP/1.1');
  assert.ok(upstream.heard[0]?.includes(AUTHORIZATION));
  await proxy.agent('a', { allow: ['api.test'], upstream: PROXY });
  const other = proxy.client('a');
  other.send(CONNECT);
  await other.until('established\r\n\r\n');
  other.send('SSH-2.0-x\r\n');
  assert.equal(await other.end(), '');
  assert.doesNotMatch(upstream.heard[1] ?? '', /SSH/);
});

const REFUSING: readonly (readonly [what: string, says: string | null, asks: string])[] = [
  ['refuses the tunnel', 'HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\n\r\nsecret', CONNECT],
  ['wants other credentials for a tunnel', 'HTTP/1.1 407 No\r\nproxy-authenticate: Basic\r\n\r\n', CONNECT],
  ['wants other credentials for a request', 'HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n', GET],
  ['does not speak HTTP', 'nonsense\r\n\r\n', CONNECT],
  ['closes', null, CONNECT],
  ['closes on a request', null, GET],
];

for (const [what, says, asks] of REFUSING) {
  test(`an upstream proxy that ${what} is a bad gateway`, async () => {
    await using proxy = await stage();
    await proxy.host('10.1.2.3:3128', (_, socket) => void (says === null ? socket.destroy() : socket.write(says)));
    await proxy.agent('a', { allow: ['api.test'], upstream: PROXY });
    const client = proxy.client('a');
    client.send(asks);
    await client.until('502 Bad Gateway');
    await client.until('(egress.upstream-proxy)');
    assert.doesNotMatch(client.heard, /secret|Basic/);
  });
}

test('an upstream proxy that cannot be found or reached, and one that takes no TLS, is a bad gateway', async () => {
  await using proxy = await stage();
  await proxy.host('10.1.2.3:3129', (_, socket) => void socket.end('no TLS here\r\n'));
  const cases: readonly UpstreamProxy[] = [
    { ...PROXY, host: 'gone.test' },
    { ...PROXY, host: '10.9.9.9' },
    { ...PROXY, scheme: 'https', port: 3129 },
  ];
  for (const upstream of cases) {
    await proxy.agent('a', { allow: ['api.test'], upstream });
    const client = proxy.client('a');
    client.send(CONNECT);
    await client.until('(egress.upstream-proxy)');
  }
});
