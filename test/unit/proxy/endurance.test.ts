import assert from 'node:assert/strict';
import test from 'node:test';
import { answer, descriptors, ProxyStage, settles } from '../../helpers/proxy-stage.ts';

const GET = 'GET http://api.test/x?q=1 HTTP/1.1\r\nHost: api.test\r\n\r\n';

async function stage(): Promise<ProxyStage> {
  const opened = await ProxyStage.open();
  opened.name('api.test', '11.0.0.1');
  return opened;
}

test('slow and large heads end, and others are served meanwhile', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.1:80', (_, socket) => socket.write(answer('ok')));
  await proxy.agent('a', { allow: ['api.test'] });
  const slow = proxy.client('a');
  slow.send('GET http://api.test/ HTTP/1.1\r\nX-Slow: ');
  const large = proxy.client('a');
  large.send(`GET http://api.test/ HTTP/1.1\r\nX-Large: ${'x'.repeat(40_000)}`);
  await large.until('431 Request Header Fields Too Large');
  const client = proxy.client('a');
  client.send(`GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\nX-Fine: ${'x'.repeat(10_000)}\r\n\r\n`);
  await client.until('\r\n\r\nok');
  for (let turn = 0; turn < 5; turn += 1) {
    slow.send('x');
    await new Promise((resolve) => setImmediate(resolve));
    proxy.clock.advance(2_000);
  }
  await slow.until('408 Request Timeout');
});

test('websocket passes both ways after the upgrade, and is counted as a tunnel', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', (heard, socket) => {
    if (heard.endsWith('\r\n\r\n')) {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\n\r\nfirst',
      );
    } else socket.write('pong');
  });
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(
    'GET http://api.test/ws HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n',
  );
  assert.match(await client.until('\r\n\r\nfirst'), /^HTTP\/1\.1 101 [\s\S]*sec-websocket-accept: k/i);
  client.send('ping');
  await client.until('pong');
  assert.match(host.heard[0] ?? '', /connection: Upgrade\r\nupgrade: websocket/i);
  client.socket.destroy();
  host.sockets[0]?.on('end', () => host.sockets[0]?.end());
  await settles(() => proxy.audit('a').some(({ kind }) => kind === 'tunnel-closed'), 'the end in the audit');
  const closed = proxy.audit('a').find(({ kind }) => kind === 'tunnel-closed');
  assert.deepEqual([closed?.['bytesSent'], closed?.['bytesReceived']], [4, 9]);
});

test('a large download arrives whole and costs no memory', async () => {
  await using proxy = await stage();
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const pieces = 512;
  await proxy.host('11.0.0.1:80', async (_, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${piece.length * pieces}\r\n\r\n`);
    for (let sent = 0; sent < pieces; sent += 1) {
      if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
    }
  });
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.socket.removeAllListeners('data');
  const before = process.memoryUsage().rss;
  let peak = 0;
  let received = 0;
  client.send(GET);
  for await (const bytes of client.socket) {
    received += (bytes as Buffer).length;
    peak = Math.max(peak, process.memoryUsage().rss);
    if (received > piece.length * pieces) break;
  }
  assert.ok(received > piece.length * pieces);
  assert.ok(peak - before < (piece.length * pieces) / 4, `${Math.round((peak - before) / 1024 / 1024)} MiB more`);
});

test('nothing is left open when everybody has gone', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.1:80', (_, socket) => {
    socket.write(answer('ok'));
    socket.on('end', () => socket.end());
  });
  await proxy.agent('a', { allow: ['api.test'] });
  await proxy.ask('a', GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  await settles(() => proxy.agents.summary('a')?.openConnections === 0, 'the first to end');
  const before = descriptors();
  for (let round = 0; round < 40; round += 1) {
    const client = proxy.client('a');
    client.send(GET);
    await client.until('\r\n\r\nok');
    if (round % 2 === 0) client.socket.destroy();
    else client.socket.end();
  }
  await settles(() => descriptors() <= before, `${before} descriptors`);
  assert.equal(proxy.agents.summary('a')?.openConnections, 0);
});

test('a protocol that nobody asked for is a bad answer, and a websocket to another host is refused', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.1:80', (_, socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nsecret'),
  );
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  assert.doesNotMatch(await client.until('(egress.bad-answer)'), /secret/);
  client.send(
    'GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n',
  );
  await client.until('(egress.no-rule)');
  assert.deepEqual(proxy.dials, ['11.0.0.1:80']);
});
