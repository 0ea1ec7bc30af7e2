import assert from 'node:assert/strict';
import test from 'node:test';
import { answer, ProxyStage, settles } from '../../helpers/proxy-stage.ts';

const GET = 'GET http://api.test/x?q=1 HTTP/1.1\r\nHost: api.test\r\n\r\n';

async function stage(): Promise<ProxyStage> {
  const opened = await ProxyStage.open();
  opened.name('api.test', '11.0.0.1');
  return opened;
}

test('a request is rebuilt for the host, and its answer for the client', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', (_, socket) =>
    socket.write(answer('hello', 'connection: x-secret', 'x-secret: 1', 'keep-alive: timeout=5', 'x-kept: yes')),
  );
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(
    'GET http://API.test/x?q=1 HTTP/1.1\r\nHost: api.TEST\r\nProxy-Authorization: Basic c2VjcmV0\r\nTE: trailers\r\n' +
      'Connection: X-Hop\r\nX-Hop: 1\r\nX-Kept: yes\r\n\r\n',
  );
  const head = await client.until('\r\n\r\nhello');
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(head, /x-kept: yes\r\n/);
  assert.match(head, /content-length: 5\r\n/);
  assert.doesNotMatch(head, /secret|keep-alive: timeout/);
  assert.equal(host.heard[0], 'GET /x?q=1 HTTP/1.1\r\nhost: api.test\r\nx-kept: yes\r\nConnection: keep-alive\r\n\r\n');
  assert.deepEqual(proxy.decisions('a'), ['allow egress.allowed api.test:80 11.0.0.1']);
  assert.deepEqual([proxy.lookups, proxy.dials], [['api.test'], ['11.0.0.1:80']]);
});

test('further requests use the connection that is there, and are judged all the same', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', (heard, socket) =>
    socket.write(answer(String(heard.split('GET ').length - 1))),
  );
  await proxy.agent('a', { allow: [{ host: 'api.test', ports: [80], paths: ['/x'] }] });
  const client = proxy.client('a');
  client.send(GET + GET);
  await client.until('\r\n\r\n1');
  await client.until('\r\n\r\n2');
  client.send(GET.replace('/x', '/y'));
  await client.until('HTTP/1.1 403 Forbidden');
  client.send('GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n');
  await client.until('refused evil.test:80 (egress.no-rule)');
  client.send(GET);
  await client.until('\r\n\r\n3');
  assert.equal(host.sockets.length, 1);
  assert.deepEqual(proxy.lookups, ['api.test']);
  assert.deepEqual(
    proxy.decisions('a').map((line) => line.split(' ')[1]),
    ['egress.allowed', 'egress.allowed', 'egress.path', 'egress.no-rule', 'egress.allowed'],
  );
});

test('a refusal says who, why and what to do, and nothing is looked up or dialled for it', async () => {
  await using proxy = await stage();
  await proxy.agent('a');
  const text = await proxy.ask('a', GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  const [head = '', body = ''] = text.split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.match(head, /\r\nx-agent-spawn-reason: egress\.no-rule\r\n/);
  assert.match(head, /\r\nproxy-status: agent-spawn; error=http_request_denied; details="egress\.no-rule"\r\n/);
  assert.match(head, /\r\nconnection: close$/);
  assert.match(body, /^agent-spawn refused api\.test:80 \(egress\.no-rule\): .+ Add "api\.test" to allowed_hosts\.\n$/);
  await proxy.ask(
    'a',
    'CONNECT secret.data.evil.test:443 HTTP/1.1\r\nHost: secret.data.evil.test\r\nConnection: close\r\n\r\n',
  );
  assert.deepEqual([proxy.lookups, proxy.dials], [[], []]);
});

test('only judged addresses are dialled, after one lookup', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.2:80', (_, socket) => socket.write(answer('ok')));
  await proxy.agent('a', { allow: ['*'] });
  proxy.name('mixed.test', '127.0.0.1', '169.254.169.254', '11.9.9.9', '11.0.0.2');
  proxy.name('private.test', '10.0.0.1', '::ffff:192.168.0.1');
  proxy.name('own.test', '11.9.9.9');
  const client = proxy.client('a');
  client.send('GET http://mixed.test/ HTTP/1.1\r\nHost: mixed.test\r\n\r\n');
  await client.until('\r\n\r\nok');
  client.send('GET http://private.test/ HTTP/1.1\r\nHost: private.test\r\n\r\n');
  await client.until('(egress.private-address)');
  client.send('GET http://own.test/ HTTP/1.1\r\nHost: own.test\r\n\r\n');
  await client.until('(egress.own-address)');
  client.send('GET http://gone.test/ HTTP/1.1\r\nHost: gone.test\r\n\r\n');
  await client.until('(egress.name-unknown)');
  assert.deepEqual(proxy.lookups, ['mixed.test', 'private.test', 'own.test', 'gone.test']);
  assert.deepEqual(proxy.dials, ['11.0.0.2:80']);
  assert.equal(host.sockets.length, 1);
});

test('the next address is tried when one does not take the connection, and stands in the audit', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.3:80', (_, socket) => socket.write(answer('third')));
  proxy.name('many.test', '11.0.0.7', '11.0.0.8', '11.0.0.3');
  await proxy.agent('a', { allow: ['many.test'] });
  const client = proxy.client('a');
  client.send('GET http://many.test/ HTTP/1.1\r\nHost: many.test\r\n\r\n');
  await client.until('\r\n\r\nthird');
  assert.deepEqual(proxy.dials, ['11.0.0.7:80', '11.0.0.8:80', '11.0.0.3:80']);
  assert.deepEqual(
    proxy.decisions('a').map((line) => line.split(' ')[3]),
    ['11.0.0.7', '11.0.0.8', '11.0.0.3'],
  );
});

const SMUGGLING: readonly (readonly [what: string, bytes: string, status: number])[] = [
  [
    'two framings',
    'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'two lengths',
    'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
    400,
  ],
  [
    'another coding',
    'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['a folded line', 'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n X: 1\r\n\r\n', 400],
  ['a bare line feed', 'GET http://api.test/ HTTP/1.1\nHost: api.test\n\n', 400],
  ['a GET with a body', 'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\n\r\nabcd', 400],
  [
    'a chunk extension',
    'POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\n\r\n',
    400,
  ],
  ['another Host', 'GET http://api.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n', 421],
  ['TRACE', 'TRACE http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n', 405],
  ['a lower-case method', 'get http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n', 405],
  [
    'an unknown upgrade',
    'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    403,
  ],
];

for (const [what, bytes, status] of SMUGGLING) {
  test(`${what} is refused, and what follows is nobody's request`, async () => {
    await using proxy = await stage();
    const host = await proxy.host('11.0.0.1:80', (_, socket) => socket.write(answer('ok')));
    await proxy.agent('a', { allow: ['api.test'] });
    const client = proxy.client('a');
    client.send(`${bytes}GET http://api.test/smuggled HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n`);
    const text = await client.end();
    assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
    const isFramed = /TRACE|method|upgrade|Host/.test(what);
    // After a head that is understood another request may follow; after others nothing does.
    if (!isFramed) assert.doesNotMatch(host.heard.join(), /smuggled/);
    assert.doesNotMatch(host.heard.join(), /abcd|h2c|TRACE|get \//);
  });
}

test('the proxy itself offers nothing', async () => {
  await using proxy = await stage();
  await proxy.agent('a', { allow: ['*'] });
  for (const path of ['/', '/admin', '/proxy.pac', '/agents/a']) {
    const text = await proxy.ask('a', `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:3128\r\nConnection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1\.1 404 Not Found\r\n/);
  }
  assert.deepEqual(proxy.dials, []);
});

test('a redirect goes to the client, which is judged when it follows', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.1:80', (_, socket) =>
    socket.write('HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n'),
  );
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  await client.until('location: http://169.254.169.254/latest');
  client.send('GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n');
  await client.until('(egress.metadata-address)');
  assert.deepEqual(proxy.dials, ['11.0.0.1:80']);
});

test('bodies by length and in chunks arrive whole, framed anew, and the next request after them', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', (heard, socket) => {
    if (heard.endsWith('12345') || heard.endsWith('0\r\n\r\n')) socket.write(answer('got'));
  });
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send('POST http://api.test/1 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  await client.until('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('123');
  client.send('45');
  await client.until('\r\n\r\ngot');
  client.send(
    'POST http://api.test/2 HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: 1\r\n\r\n' +
      'POST http://api.test/3 HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\n\r\n12345',
  );
  await client.until('\r\n\r\ngot');
  await client.until('\r\n\r\ngot');
  const [all = ''] = host.heard;
  assert.match(
    all,
    /^POST \/1 HTTP\/1\.1\r\nhost: api\.test\r\ncontent-length: 5\r\nConnection: keep-alive\r\n\r\n12345/,
  );
  assert.match(all, /POST \/2 [\s\S]*transfer-encoding: chunked[\s\S]*abc[\s\S]*de[\s\S]*\r\n0\r\n\r\nPOST \/3 /);
  assert.doesNotMatch(all, /expect|X: 1/i);
});

test('answers without a body, of known and of unknown length are framed for the client', async () => {
  await using proxy = await stage();
  const answers = [
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\netag: "1"\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ];
  await proxy.host('11.0.0.1:80', (_, socket) => void socket.write(answers.shift() ?? ''));
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  assert.doesNotMatch(await client.until('\r\n\r\n'), /transfer-encoding|content-length/);
  client.send(GET);
  assert.match(await client.until('\r\n\r\n'), /etag/);
  client.send(GET.replace('GET', 'HEAD'));
  assert.match(await client.until('\r\n\r\n'), /content-length: 99/);
  client.send(GET);
  assert.match(await client.until('\r\n\r\n3\r\nabc\r\n0\r\n\r\n'), /transfer-encoding: chunked/);
  assert.equal(client.heard, '');
});

test('HTTP/1.0 gets no chunks: the end of the connection is the end of the answer', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.1:80', (_, socket) =>
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
  );
  await proxy.agent('a', { allow: ['api.test'] });
  const text = await proxy.ask('a', 'GET http://api.test/ HTTP/1.0\r\nHost: api.test\r\n\r\n');
  assert.match(text, /connection: close\r\n\r\nabc$/);
});

test('events of a stream arrive one by one, and a client that leaves takes the host along', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', (_, socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n'),
  );
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  await client.until('\r\n\r\n');
  for (const event of ['one', 'two', 'three']) {
    host.sockets[0]?.write(`data: ${event}\n\n`);
    await client.until(`data: ${event}\n\n`);
  }
  const closed = new Promise((resolve) => host.sockets[0]?.once('close', resolve));
  host.sockets[0]?.on('end', () => host.sockets[0]?.end());
  client.socket.destroy();
  await closed;
});

test('an answer before the end of the body reaches the client, and the connection ends', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.1:80', (_, socket) => {
    if (socket.bytesWritten === 0) socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
  });
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send('POST http://api.test/ HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1000000\r\n\r\nabc');
  assert.match(await client.end(), /^HTTP\/1\.1 413 Too Large\r\n[\s\S]*connection: close\r\n\r\nno$/);
});

test('an answer that breaks off breaks off for the client, too', async () => {
  await using proxy = await stage();
  await proxy.host('11.0.0.1:80', (_, socket) =>
    socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'),
  );
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  assert.doesNotMatch(await client.end(), /\r\n0\r\n\r\n/);
});

test('hosts that do not answer, or not in HTTP, are bad gateways', async () => {
  await using proxy = await stage();
  proxy.name('noise.test', '11.0.0.5');
  proxy.name('dead.test', '11.0.0.6');
  await proxy.host('11.0.0.1:80', (_, socket) => socket.destroy());
  await proxy.host('11.0.0.5:80', (_, socket) => socket.write('SSH-2.0-x\r\n\r\n'));
  await proxy.agent('a', { allow: ['*'] });
  const client = proxy.client('a');
  client.send(GET);
  await client.until('502 Bad Gateway');
  await client.until('(egress.unreachable)');
  client.send('GET http://noise.test/ HTTP/1.1\r\nHost: noise.test\r\n\r\n');
  await client.until('(egress.bad-answer)');
  client.send('GET http://dead.test/ HTTP/1.1\r\nHost: dead.test\r\n\r\n');
  await client.until('(egress.unreachable)');
});

test('a host that never answers is a gateway timeout', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', () => undefined);
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  await settles(() => host.heard[0]?.endsWith('\r\n\r\n') === true, 'the request');
  proxy.clock.advance(15 * 60_000);
  await client.until('504 Gateway Timeout');
});

test('a request is sent again when the kept connection was closed meanwhile, unless it changes something', async () => {
  await using proxy = await stage();
  const host = await proxy.host('11.0.0.1:80', (heard, socket) => {
    if (heard.includes('/bye')) socket.destroy();
    else socket.write(answer('ok'));
  });
  await proxy.agent('a', { allow: ['api.test'] });
  const client = proxy.client('a');
  client.send(GET);
  await client.until('\r\n\r\nok');
  client.send(GET.replace('/x', '/bye'));
  await client.until('(egress.unreachable)');
  assert.equal(host.sockets.length, 2);
  client.send(GET);
  await client.until('\r\n\r\nok');
  client.send('POST http://api.test/bye HTTP/1.1\r\nHost: api.test\r\n\r\n');
  await client.until('(egress.unreachable)');
  assert.equal(host.sockets.length, 3);
});
