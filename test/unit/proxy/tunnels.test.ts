import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import test from 'node:test';
import { connect as connectTls } from 'node:tls';
import { answer, type Client, type Host, ProxyStage, settles } from '../../helpers/proxy-stage.ts';

const CONNECT = 'CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n';
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

async function stage(): Promise<ProxyStage> {
  const opened = await ProxyStage.open();
  opened.name('api.test', '11.0.0.1');
  return opened;
}

/** What a real client sends first when it means a server of this name; null for an address. */
async function clientHello(name: string | null): Promise<Buffer> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  const heard = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes) => {
        socket.destroy();
        resolve(bytes);
      });
    });
  });
  const client = connectTls({ host: '127.0.0.1', port, ...(name === null ? {} : { servername: name }) });
  client.on('error', () => undefined);
  try {
    return await heard;
  } finally {
    client.destroy();
    server.close();
  }
}

/** A host that says what it has heard, and ends when it is asked to. */
function echo(proxy: ProxyStage, place = '11.0.0.1:443'): Promise<Host> {
  return proxy.host(place, (_, socket) => void socket.write('heard'));
}

async function open(proxy: ProxyStage, bytes: string = CONNECT): Promise<Client> {
  const client = proxy.client('a');
  client.send(bytes);
  await client.until(ESTABLISHED);
  return client;
}

test('TLS that names the host of the tunnel passes unchanged, both ways', async () => {
  await using proxy = await stage();
  const host = await echo(proxy);
  await proxy.agent('a', { allow: ['api.test'] });
  const client = await open(proxy);
  const hello = await clientHello('api.test');
  client.send(hello);
  await client.until('heard');
  assert.equal(host.heard[0], hello.toString('latin1'));
  client.send('more');
  await client.until('heard');
  host.sockets[0]?.end('bye');
  assert.equal(await client.end(), 'bye');
  await settles(() => proxy.audit('a').some(({ kind }) => kind === 'tunnel-closed'), 'the end in the audit');
  const [, allowed, closed] = proxy.audit('a');
  assert.deepEqual([allowed?.['reason'], allowed?.['form'], allowed?.['path']], ['egress.allowed', 'tunnel', null]);
  assert.deepEqual(
    [closed?.['host'], closed?.['port'], closed?.['address'], closed?.['bytesSent'], closed?.['bytesReceived']],
    ['api.test', 443, '11.0.0.1', hello.length + 4, 13],
  );
});

test('a handshake in pieces of one byte, and one that comes with the CONNECT, are judged like any other', async () => {
  await using proxy = await stage();
  const host = await echo(proxy);
  await proxy.agent('a', { allow: ['api.test'] });
  const hello = await clientHello('api.test');
  const split = await open(proxy);
  for (const byte of hello) {
    split.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await split.until('heard');
  assert.equal(host.heard[0], hello.toString('latin1'));
  const early = proxy.client('a');
  early.send(Buffer.concat([Buffer.from(CONNECT), hello]));
  await early.until(`${ESTABLISHED}heard`);
  assert.equal(host.heard[1], hello.toString('latin1'));
});

const CUT: readonly (readonly [what: string, first: () => Promise<Buffer | string>, reason: string])[] = [
  ['TLS for another host', () => clientHello('evil.test'), 'egress.server-name-mismatch'],
  ['TLS that names no host', () => clientHello(null), 'egress.server-name-missing'],
  ['SSH', async () => 'SSH-2.0-OpenSSH_9.9\r\n', 'egress.not-tls'],
  ['noise', async () => '\x00\x01\x02', 'egress.not-tls'],
  ['a broken handshake', async () => Buffer.from('160301000402000000', 'hex'), 'egress.not-tls'],
  ['HTTP/2 without TLS', async () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'egress.bad-request'],
];

for (const [what, first, reason] of CUT) {
  test(`a tunnel that carries ${what} is cut before the host has a byte of it`, async () => {
    await using proxy = await stage();
    const host = await echo(proxy);
    await proxy.agent('a', { allow: ['api.test'] });
    const client = await open(proxy);
    client.send(await first());
    await client.end();
    await settles(() => proxy.decisions('a').length === 2, 'the second decision');
    assert.match(proxy.decisions('a')[1] ?? '', new RegExp(`^deny ${reason} `));
    assert.equal(host.heard.join(''), '');
  });

  test(`a rule with protocol tcp lets ${what} through`, async () => {
    await using proxy = await stage();
    const host = await echo(proxy);
    await proxy.agent('a', { allow: [{ host: 'api.test', protocol: 'tcp' }] });
    const client = await open(proxy);
    const bytes = await first();
    client.send(bytes);
    await client.until('heard');
    assert.equal(host.heard[0], Buffer.from(bytes as string, 'latin1').toString('latin1'));
  });
}

test('a client that waits for the host to speak is cut, unless the rule has protocol tcp', async () => {
  await using proxy = await stage();
  const host = await echo(proxy);
  await proxy.agent('a', { allow: ['api.test'] });
  const client = await open(proxy);
  host.sockets[0]?.write('220 ready\r\n');
  await settles(() => host.sockets[0]?.bytesWritten === 11, 'the greeting');
  proxy.clock.advance(10_000);
  assert.equal(await client.end(), '');
  await settles(() => proxy.decisions('a').length === 2, 'the second decision');
  assert.match(proxy.decisions('a')[1] ?? '', /^deny egress\.tunnel-timeout /);
  await proxy.agent('a', { allow: [{ host: 'api.test', protocol: 'tcp' }] });
  const other = await open(proxy);
  await settles(() => host.sockets[1] !== undefined, 'the second connection');
  host.sockets[1]?.write('220 ready\r\n');
  await other.until('220 ready\r\n');
});

test('HTTP in a tunnel is judged request by request', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', (heard, socket) =>
    socket.write(answer(String(heard.split(' HTTP/1.1').length - 1))),
  );
  await proxy.agent('a', { allow: ['api.test', 'evil.test'] });
  const client = await open(proxy, CONNECT.replaceAll('443', '80'));
  client.send('GET /1 HTTP/1.1\r\nHost: api.test\r\n\r\n');
  await client.until('\r\n\r\n1');
  client.send('GET /2 HTTP/1.1\r\nHost: evil.test\r\n\r\n');
  await client.until('421 Misdirected Request');
  client.send('CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n');
  await client.until('405 Method Not Allowed');
  client.send('GET /3 HTTP/1.1\r\nHost: api.test\r\n\r\n');
  await client.until('\r\n\r\n2');
  assert.equal(host.sockets.length, 1);
  assert.deepEqual(proxy.lookups, ['api.test']);
  assert.deepEqual(proxy.dials, ['11.0.0.1:80']);
});

test('refused tunnels are told why, and the connection may be used again', async () => {
  await using proxy = await stage();
  await echo(proxy);
  await proxy.agent('a', { allow: ['api.test', { host: 'paths.test', paths: ['/x'] }] });
  const client = proxy.client('a');
  const cases = [
    ['api.test:22', 'egress.port'],
    ['evil.test:443', 'egress.no-rule'],
    ['paths.test:443', 'egress.method-hidden'],
    ['1.2.3.4:443', 'egress.address-unlisted'],
    ['127.0.0.1:3128', 'egress.own-address'],
    ['[::1]:443', 'egress.own-address'],
  ];
  for (const [authority, reason] of cases) {
    client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    await client.until(`(${reason})`);
  }
  client.send(CONNECT);
  await client.until(ESTABLISHED);
});

test('each side may end for itself, and the other still speaks', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:443', () => undefined);
  await proxy.agent('a', { allow: [{ host: 'api.test', protocol: 'tcp' }] });
  const client = await open(proxy);
  await settles(() => host.sockets[0] !== undefined, 'the connection');
  const [socket] = host.sockets;
  const ended = new Promise((resolve) => socket?.once('end', resolve));
  client.send('question');
  client.socket.end();
  await ended;
  assert.equal(host.heard[0], 'question');
  socket?.write('answer');
  await client.until('answer');
  socket?.end();
  await client.end();
});

test('a tunnel that one side has ended and that is silent is cut after a while', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:443', () => undefined);
  await proxy.agent('a', { allow: [{ host: 'api.test', protocol: 'tcp' }] });
  const client = await open(proxy);
  await settles(() => host.sockets[0] !== undefined, 'the connection');
  const ended = new Promise((resolve) => host.sockets[0]?.once('end', resolve));
  client.socket.end();
  await ended;
  proxy.clock.advance(60_000);
  await client.end();
});

test('a host that resets and a client that goes away take the other side with them', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:443', () => undefined);
  await proxy.agent('a', { allow: [{ host: 'api.test', protocol: 'tcp' }] });
  const client = await open(proxy);
  await settles(() => host.sockets[0] !== undefined, 'the connection');
  host.sockets[0]?.resetAndDestroy();
  await client.end();
  const other = await open(proxy);
  await settles(() => host.sockets[1] !== undefined, 'the second connection');
  const closed = new Promise((resolve) => host.sockets[1]?.once('close', resolve));
  host.sockets[1]?.once('end', () => host.sockets[1]?.end());
  other.socket.destroy();
  await closed;
  await settles(() => proxy.agents.summary('a')?.openConnections === 0, 'no connection');
});
