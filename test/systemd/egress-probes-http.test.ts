import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { connectTo, EgressStage, getUrl, head } from '../helpers/egress-stage.ts';
import { type Puppet, type TalkStep, verdictOf } from '../helpers/puppet.ts';

// Requests whose parts contradict each other, and ones for more than a page. Port 8000 keeps the bytes as they came.

const API = 'api.example.com:8000';
/** Hidden in the body of another request: whoever reads lengths differently from the proxy would pass it on. */
const HIDDEN = getUrl('evil.example.net', '/hidden');
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

let stage: EgressStage;
let puppet: Puppet;
before(async () => {
  stage = await EgressStage.open();
  puppet = await stage.agent({ allowed_hosts: ['api.example.com', API, 'other.example.com'] });
  await stage.internet.say(8000, ANSWER);
});
beforeEach(() => stage.internet.clear());
after(() => stage?.close());

/** A POST to port 8000 with these fields and this body. */
function post(fields: readonly string[], body: string): string {
  return head(`POST http://${API}/p HTTP/1.1`, `Host: ${API}`, ...fields) + body;
}

test('each request on a connection is judged by itself', async () => {
  const pipelined =
    getUrl('api.example.com', '/1') + getUrl('evil.example.net', '/2') + getUrl('other.example.com', '/3');
  const said = await puppet.talk([{ send: pipelined }, { read: 'answer' }, { read: 'answer' }, { read: 'answer' }]);
  assert.deepEqual(said.slice(0, 2).map(verdictOf), ['200', '403 egress.no-rule']);
  const steps = ['api.example.com', 'evil.example.net', 'other.example.com', 'evil.example.net', 'api.example.com'];
  const kept: TalkStep[] = steps.flatMap((host) => [{ send: getUrl(host, '/kept') }, { read: 'answer' as const }]);
  const verdicts = (await puppet.talk(kept)).map(verdictOf).filter((verdict) => verdict !== '');
  assert.deepEqual(verdicts.slice(0, 2), ['200', '403 egress.no-rule']);
  const hosts = (await stage.internet.arrivals('http')).map(({ host, address }) => `${host} ${address}`);
  for (const host of hosts) assert.match(host, /^(api\.example\.com 11\.0\.0\.7|other\.example\.com 11\.0\.0\.8)$/);
  assert.deepEqual(
    (await stage.connections()).filter((text) => text.startsWith('11.0.0.66')),
    [],
  );
});

const SMUGGLED: Readonly<Record<string, string>> = {
  'both lengths': post(['Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`),
  'both lengths, the other way': post(['Transfer-Encoding: chunked', 'Content-Length: 4'], `0\r\n\r\n${HIDDEN}`),
  'two different lengths': post(['Content-Length: 0', `Content-Length: ${HIDDEN.length}`], HIDDEN),
  'a list of lengths': post([`Content-Length: 0, ${HIDDEN.length}`], HIDDEN),
  'a signed length': post([`Content-Length: +${HIDDEN.length}`], HIDDEN),
  'a length in hexadecimal': post([`Content-Length: 0x10`], HIDDEN),
  'an unknown coding': post(['Transfer-Encoding: xchunked'], `0\r\n\r\n${HIDDEN}`),
  'chunked twice': post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`),
  'chunked and not last': post(['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${HIDDEN}`),
  'a coding with a tab': post(['Transfer-Encoding:\x0bchunked'], `0\r\n\r\n${HIDDEN}`),
  'a blank before the colon': post(['Transfer-Encoding : chunked'], `0\r\n\r\n${HIDDEN}`),
  'a folded line': post(['Transfer-Encoding:', ' chunked'], `0\r\n\r\n${HIDDEN}`),
  'a bare line feed': `POST http://${API}/p HTTP/1.1\nHost: ${API}\nContent-Length: 0\n\n${HIDDEN}`,
  'a bare carriage return': post(['X: a\rTransfer-Encoding: chunked'], HIDDEN),
  'a control character': post(['X: a\0b'], HIDDEN),
  'two hosts': head(`GET http://${API}/ HTTP/1.1`, `Host: ${API}`, 'Host: evil.example.net'),
  'another host': head(`GET http://${API}/ HTTP/1.1`, 'Host: evil.example.net'),
  'no host': head(`GET http://${API}/ HTTP/1.1`),
  'a name and a password': head(`GET http://u:p@${API}/ HTTP/1.1`, `Host: ${API}`),
  'another scheme': head(`GET ftp://${API}/ HTTP/1.1`, `Host: ${API}`),
  'https without a tunnel': head('GET https://api.example.com/ HTTP/1.1', 'Host: api.example.com'),
  'HTTP/0.9': `GET http://${API}/\r\n\r\n`,
  'HTTP/2.0': head(`GET http://${API}/ HTTP/2.0`, `Host: ${API}`),
  'HTTP/2 from the start': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'an empty line first': `\r\n${getUrl(API)}`,
  'a blank more': head(`GET  http://${API}/ HTTP/1.1`, `Host: ${API}`),
  'a tab in the line': head(`GET\thttp://${API}/ HTTP/1.1`, `Host: ${API}`),
  'a fragment': head(`GET http://${API}/#a HTTP/1.1`, `Host: ${API}`),
  'a line feed in the target': head(`GET http://${API}/a%0d%0ab\nHost: evil.example.net HTTP/1.1`, `Host: ${API}`),
  'SOCKS 5': '\x05\x01\x00\r\n\r\n',
  'SOCKS 4': '\x04\x01\x00\x50\x0b\x00\x00\x07\x00\r\n\r\n',
  'TLS to the proxy': '\x16\x03\x01\x00\x05hello\r\n\r\n',
};

for (const [what, request] of Object.entries(SMUGGLED)) {
  test(`a request is refused and nothing of it passed on: ${what}`, async () => {
    const steps: readonly TalkStep[] = [{ send: request }, { read: 'answer' }, { shut: 'write' }, { read: 'end' }];
    const [answer, rest] = await puppet.talk(steps);
    assert.match(verdictOf(answer), /^4\d\d egress\./);
    assert.match(rest ?? '', /^(|error: E\w+)$/, 'one answer, and no second request');
    assert.deepEqual(await stage.internet.arrivals(), []);
  });
}

test('bodies that are framed well arrive whole and end where they end', async () => {
  const chunked = post(['Transfer-Encoding: chunked'], `5\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n`);
  const length = post(['Content-Length: 5'], 'hello');
  const said = await puppet.talk([
    { send: chunked },
    { read: 'answer' },
    { send: length + HIDDEN },
    { read: 'answer' },
    { read: 'answer' },
  ]);
  assert.deepEqual(said.map(verdictOf), ['200', '200', '403 egress.no-rule']);
  const bytes = (await stage.internet.arrivals('tcp')).map((arrival) => arrival.bytes).join('');
  assert.match(bytes, /hello[\s\S]* world/);
  assert.doesNotMatch(bytes, /Trailer|hidden/i);
});

const BAD_CHUNKS: Readonly<Record<string, string>> = {
  'an extension': '5;a="b"\r\nhello\r\n0\r\n\r\n',
  'no size': '\r\nhello\r\n0\r\n\r\n',
  'a signed size': '+5\r\nhello\r\n0\r\n\r\n',
  'a size in other letters': '0x5\r\nhello\r\n0\r\n\r\n',
  'a size beyond all bounds': 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
  'a chunk that is longer than it says': '4\r\nhello\r\n0\r\n\r\n',
  'a bare line feed': '5\nhello\n0\n\n',
};

for (const [what, body] of Object.entries(BAD_CHUNKS)) {
  test(`a body in bad chunks ends the connection: ${what}`, async () => {
    const said = (
      await puppet.talk([{ send: post(['Transfer-Encoding: chunked'], body + HIDDEN) }, { read: 'end' }])
    ).join('');
    assert.doesNotMatch(said, /HTTP\/1\.1 200[\s\S]*HTTP\/1\.1 200/);
    const bytes = (await stage.internet.arrivals('tcp')).map((arrival) => arrival.bytes).join('');
    assert.doesNotMatch(bytes, /hidden/);
    assert.deepEqual(
      (await stage.connections()).filter((text) => !text.startsWith('11.0.0.7 ')),
      [],
    );
  });
}

test('methods that echo or nest are refused, and only known spellings pass', async () => {
  const methods = ['TRACE', 'TRACK', 'get', 'Get', 'GET@', 'G(T', `${'X'.repeat(40)}`];
  const requests = methods.map((method) => head(`${method} http://api.example.com/ HTTP/1.1`, 'Host: api.example.com'));
  const verdicts = await stage.verdicts(puppet, requests);
  assert.deepEqual(verdicts.slice(0, 2), ['405 egress.method-refused', '405 egress.method-refused']);
  for (const verdict of verdicts) assert.match(verdict, /^4\d\d egress\./);
  assert.deepEqual(await stage.internet.arrivals(), []);
  const passed = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'M-SEARCH'];
  for (const method of passed) {
    const [answer] = await puppet.talk([
      { send: head(`${method} http://${API}/ HTTP/1.1`, `Host: ${API}`) },
      { read: 'head' },
    ]);
    assert.equal(verdictOf(answer), '200', method);
  }
});

test('fields of the connection, of the proxy and of its credentials are not passed on', async () => {
  const fields = [
    ...[
      'Proxy-Authorization: Basic c2VjcmV0',
      'Proxy-Connection: keep-alive',
      'Connection: close, X-Mine',
      'X-Mine: secret',
    ],
    ...['Keep-Alive: timeout=5', 'TE: trailers', 'X-Other: passed', 'Trailer: x'],
  ];
  await puppet.talk([{ send: getUrl('api.example.com', '/fields', ...fields) }, { read: 'answer' }]);
  const [arrival] = await stage.internet.arrivals('http');
  const names = (arrival?.headers ?? []).map(([name]) => name);
  assert.deepEqual(
    names.filter((name) => /^(proxy|keep-alive|te$|x-mine|trailer)/.test(name)),
    [],
  );
  assert.ok(names.includes('x-other'));
  assert.deepEqual(
    names.filter((name) => /^(x-forwarded|forwarded|via|x-real)/.test(name)),
    [],
  );
  assert.equal(names.filter((name) => name === 'host').length, 1);
});

test('a websocket opens where the host is allowed, and no other upgrade', async () => {
  const upgrade = (host: string, to: string): string =>
    getUrl(
      host,
      '/ws',
      `Upgrade: ${to}`,
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    );
  // A masked frame of text (RFC 6455, section 5.7), and the same from the server.
  const [frame, echo] = ['\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58', '\x81\x05Hello'];
  const [answer, text] = await puppet.talk([
    { send: upgrade('api.example.com', 'websocket') },
    { read: 'head' },
    { send: frame },
    { read: 7 },
  ]);
  assert.match(answer ?? '', /^HTTP\/1\.1 101 [\s\S]*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i);
  assert.equal(text, echo);
  await stage.internet.clear();
  const refused = ['h2c', 'TLS/1.0', 'websocket, h2c', 'h2c, websocket'].map((to) => upgrade('api.example.com', to));
  for (const verdict of await stage.verdicts(puppet, refused)) assert.match(verdict, /^40[03] egress\./);
  assert.equal((await stage.verdicts(puppet, [upgrade('evil.example.net', 'websocket')]))[0], '403 egress.no-rule');
  assert.deepEqual(await stage.internet.arrivals(), []);
});

test('frames of a client that did not wait for the answer to its handshake go nowhere else', async () => {
  const fields = [
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  ];
  // The server declines: it answers as if there were no upgrade, and what follows would be a second request.
  await puppet.talk([{ send: getUrl(API, '/ws', ...fields) + HIDDEN }, { read: 'head' }, { read: 'end' }]);
  assert.deepEqual(
    (await stage.connections()).filter((text) => !text.startsWith('11.0.0.7 ')),
    [],
  );
});

test('a redirection is told to the client, whose next request is judged', async () => {
  for (const to of [
    'http://evil.example.net/',
    'http://169.254.169.254/latest/',
    'http://127.0.0.1:3128/',
    'https://evil.example.net/',
  ]) {
    await stage.internet.clear();
    const url = `http://api.example.com/redirect?to=${encodeURIComponent(to)}`;
    const first = await puppet.run(['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', url]);
    assert.equal(first.stdout, '302');
    const followed = await puppet.run(['curl', '-sSL', '-w', '%{http_code} %{http_connect}', url]);
    assert.match(followed.stdout, /(403 000|000 403|400 000|404 000)$/, `${to} ${followed.stderr}`);
    const seen = (await stage.internet.arrivals('http')).map(({ host, target }) => `${host}${target}`);
    assert.deepEqual(new Set(seen), new Set([url.slice('http://'.length)]));
  }
});

test('the proxy has no pages of its own and is no way to itself', async () => {
  const own = ['/', '/admin', '/proxy.pac', '/wpad.dat', '/health', '/tables', '/agents/x'];
  const requests = own.map((path) => head(`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1:3128'));
  for (const verdict of await stage.verdicts(puppet, requests)) assert.match(verdict, /^40[04] egress\./);
  const orders = ['PUT /tables', 'PUT /agents/x', `DELETE /agents/${puppet.id}`, 'POST /agents/x'].map((line) =>
    head(`${line} HTTP/1.1`, 'Host: localhost', 'Content-Type: application/json', 'Content-Length: 2').concat('{}'),
  );
  for (const verdict of await stage.verdicts(puppet, orders)) assert.match(verdict, /^4\d\d egress\./);
  const loops = [
    connectTo('127.0.0.1:3128'),
    connectTo('localhost:3128'),
    connectTo('[::1]:3128'),
    getUrl('127.0.0.1:3128'),
  ];
  for (const verdict of await stage.verdicts(puppet, loops)) assert.match(verdict, /^403 egress\./);
  assert.deepEqual(
    await stage.verdicts(puppet, [getUrl('api.example.com')]),
    ['200'],
    'its rules are the same as before',
  );
});

test('heads that never end and heads without measure are refused', async () => {
  const huge = ['X: ', 'Proxy-Authorization: Basic ', 'Cookie: '].map((name) =>
    getUrl(API, '/', `${name}${'a'.repeat(200_000)}`),
  );
  const many = getUrl(API, '/', ...Array.from({ length: 5000 }, (_, index) => `X-${index}: a`));
  const long = getUrl(API, `/${'a'.repeat(100_000)}`);
  for (const request of [...huge, many, long]) {
    const said = await puppet.talk([{ send: request }, { read: 'head' }]);
    const heard = said.join('');
    assert.match(heard, /^(HTTP\/1\.1 4(00|14|31) |error: (EPIPE|ECONNRESET))/, heard.slice(0, 80));
  }
  assert.deepEqual(await stage.internet.arrivals(), []);
});
