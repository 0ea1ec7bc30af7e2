import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { CANARY, CredentialStage, call, KEYS, MOUNTS } from '../helpers/credential-stage.ts';
import { head } from '../helpers/egress-stage.ts';
import { BAD_CERTIFICATES } from '../helpers/internet-certificates.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';

// What servers do with a key: tell it back, send it elsewhere, or ask for it in another's name.

const KEY = KEYS.echo;

let stage: CredentialStage;
let puppet: Puppet;
let outside: Puppet;
before(async () => {
  stage = await CredentialStage.open();
  [puppet] = await stage.agent();
  outside = await stage.egress.outside();
  for (const name of Object.keys(BAD_CERTIFICATES)) await stage.egress.internet.answer(name, ['11.0.0.7']);
});
beforeEach(() => stage.egress.internet.clear());
after(() => stage?.close());

/** What a server tells of the key, to an agent and to somebody who has the key. */
async function told(path: string): Promise<{ readonly inside: string; readonly without: string }> {
  const request = head(`GET ${path} HTTP/1.1`, 'Host: echo.example.com', `X-Api-Key: ${KEY}`, 'Connection: close');
  const steps = (send: string) => [{ send }, { read: 'end' as const }];
  const [without = ''] = await outside.talk(steps(request), ['11.0.0.9', 80]);
  const [inside = ''] = await puppet.talk(steps(call('GET', `${MOUNTS.echo}${path}`, ['Connection: close'])));
  return { inside, without };
}

/** The ways in which a key is recognised. */
const DISGUISES: Readonly<Record<string, readonly string[]>> = {
  plain: [KEY],
  base64: [btoa(KEY)],
  'base64-1': [btoa(`a${KEY}bc`)],
  'base64-2': [btoa(`ab${KEY}c`)],
  base64url: [Buffer.from(`ab${KEY}`).toString('base64url')],
  percent: [encodeURIComponent(KEY)],
  'percent-lower': [encodeURIComponent(KEY).replace(/%../g, (octet) => octet.toLowerCase())],
  form: [new URLSearchParams({ KEY }).toString().slice('KEY='.length)],
  json: [JSON.stringify(KEY).slice(1, -1)],
};

for (const [how, [text = '']] of Object.entries(DISGUISES)) {
  test(`a key that a server tells back is not told to the agent: ${how}`, async () => {
    const { inside, without } = await told(`/reflect/body/${how}`);
    assert.ok(without.includes(text), `the server tells it\n${without}`);
    assert.match(inside, /^HTTP\/1\.1 200 [\s\S]*before[\s\S]*after/);
    // Half of it would be as bad.
    for (const part of [text.slice(0, 20), text.slice(-20), KEY.slice(0, 12), KEY.slice(-12)])
      assert.ok(!inside.includes(part), `${part} in\n${inside}`);
    assert.equal(lengthOf(inside), lengthOf(without), 'as long as before');
  });
}

/** Length of the body that an answer states, or null. */
function lengthOf(answer: string): string | null {
  return /\r\ncontent-length: (\d+)\r\n/i.exec(answer)?.[1] ?? null;
}

/** A body out of its chunks. */
function bodyOf(answer: string): string {
  const [, ...rest] = answer.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  if (!/\r\ntransfer-encoding: chunked\r\n/i.test(answer)) return body;
  let [whole, left] = ['', body];
  for (;;) {
    const size = Number.parseInt(left, 16);
    const start = left.indexOf('\r\n') + 2;
    if (!(size > 0)) return whole;
    whole += left.slice(start, start + size);
    left = left.slice(start + size + 2);
  }
}

test('a key that comes in pieces is not told to the agent either', async () => {
  for (const where of ['bytes', 'halves', 'late']) {
    const { inside, without } = await told(`/reflect/${where}/plain`);
    assert.ok(bodyOf(without).includes(KEY), where);
    const body = bodyOf(inside);
    assert.match(body, /before \*+ after/, where);
    assert.equal(body.length, bodyOf(without).length);
    assert.ok(!body.includes(KEY.slice(0, 8)) && !body.includes(KEY.slice(-8)), body);
  }
});

test('a server that repeats a guess does not show how much of it is the key', async () => {
  const heard: string[] = [];
  for (const [index, guess] of [KEY.slice(0, 14), 'qwertyuiopasdf'].entries()) {
    const name = `guess-${index}`;
    const asked = puppet.open(name, [
      { send: call('GET', `${MOUNTS.echo}/stream/${name}`, ['Connection: close']) },
      { read: 'head' },
    ]);
    for (const text of [`b${guess}`, '\n']) await stage.egress.internet.push(name, text);
    await asked;
    await stage.egress.internet.finish(name);
    const [pieces = ''] = await puppet.on(name, [{ read: 'end' }]);
    assert.ok(bodyOf(`\r\ntransfer-encoding: chunked\r\n\r\n${pieces}`).includes(`b${guess}`), pieces);
    heard.push(pieces.replaceAll(guess, 'GUESS'));
  }
  assert.equal(heard[0], heard[1]);
});

test('a key in the head of an answer is not told: neither in a field, nor in the phrase, nor in a trailer or a cookie', async () => {
  for (const where of ['field', 'phrase', 'trailer']) {
    const { inside, without } = await told(`/reflect/${where}/plain`);
    assert.match(without, CANARY, where);
    assert.match(inside, /^HTTP\/1\.1 (200|401|502) /, where);
    assert.doesNotMatch(inside, CANARY, where);
    assert.doesNotMatch(inside, /set-cookie/i);
  }
  const { inside, without } = await told('/reflect/location/plain');
  assert.match(without, CANARY);
  assert.doesNotMatch(inside, CANARY);
});

test('an answer in an encoding that nobody asked for is refused, and identity by its name is not', async () => {
  const { inside, without } = await told('/reflect/gzip/plain');
  assert.match(without, /content-encoding: gzip/i);
  assert.equal(verdictOf(inside), '502 egress.encoded-answer');
  const named = await told('/reflect/named-identity/plain');
  assert.equal(verdictOf(named.inside), '200');
  assert.match(named.inside, /before \*+ after/);
  const [arrival] = (await stage.arrivals()).filter(({ port }) => port === 443);
  assert.deepEqual(
    arrival?.headers.filter(([name]) => name === 'accept-encoding').map(([, value]) => value),
    ['identity'],
  );
});

test('methods that echo a request do not reach a gateway', async () => {
  for (const method of ['TRACE', 'TRACK', 'DEBUG', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'CONNECT', 'get', 'PROPFIND']) {
    const verdict = verdictOf(await puppet.ask(call(method, `${MOUNTS.echo}/x`)));
    assert.match(verdict, /^40[0135] egress\./, method);
  }
  assert.deepEqual(await stage.egress.internet.arrivals(), []);
});

const ECHO = 'https://echo.example.com';
/** Where a redirection leads that goes away from the API. */
const AWAY = [
  ...['https://evil.example.net/x', 'http://echo.example.com/x', `${ECHO}:8443/x`, '//evil.example.net/x', 'http:x'],
  ...[
    'https://echo.example.com@evil.example.net/',
    'https://echo.example.com:443@evil.example.net/',
    '/\\evil.example.net/',
  ],
  ...['\\\\evil.example.net/', 'https:\\\\evil.example.net'],
  ...[
    'https://echo.example.com.evil.example.net/',
    'https://evil.example.net/?https://echo.example.com/',
    '///evil.example.net',
  ],
  ...['https://evil.example.net#@echo.example.com/', 'javascript:alert(1)', 'data:text/plain,x', 'file:///etc/passwd'],
  ...['https://user:pass@echo.example.com/x', 'http://169.254.169.254/latest/', '\thttps://evil.example.net/'],
  ...['http://127.0.0.1:3128/openai/v1/models', 'ftp://echo.example.com/', 'https://other.example.com/v1/models'],
];

test('a redirection to anywhere else is refused, however it is written', async () => {
  for (const to of AWAY) {
    const path = `${MOUNTS.echo}/redirect?to=${encodeURIComponent(to)}`;
    const answer = await puppet.ask(call('GET', path));
    assert.equal(verdictOf(answer), '502 egress.redirect', `${to}\n${answer}`);
    assert.doesNotMatch(answer, /\r\nlocation:/i, to);
  }
  const seen = new Set((await stage.arrivals()).map(({ serverName, port }) => `${serverName} ${port}`));
  assert.deepEqual(seen, new Set(['echo.example.com 443']));
});

test('a redirection within the API leads back through the gateway', async () => {
  const to: Readonly<Record<string, string>> = {
    [`${ECHO}/next?a=b`]: '/next?a=b',
    'HTTPS://ECHO.example.com:443/next': '/next',
    '/next': '/next',
    next: '/next',
    './next?x': '/next?x',
    // A URL without an authority is relative to one of the same scheme (URL Standard, section 4.4).
    'https:/next': '/next',
    'https:next': '/next',
  };
  for (const [location, path] of Object.entries(to)) {
    const target = `${MOUNTS.echo}/redirect?to=${encodeURIComponent(location)}`;
    const answer = await puppet.ask(call('GET', target));
    const led = /\r\nlocation: ([^\r]*)\r\n/i.exec(answer)?.[1] ?? answer;
    assert.equal(new URL(led, `http://127.0.0.1:3128${target}`).href, `http://127.0.0.1:3128${MOUNTS.echo}${path}`);
    const followed = await puppet.ask(call('GET', led.replace('http://127.0.0.1:3128', '')));
    assert.equal(verdictOf(followed), '200', led);
  }
});

test('curl follows redirections without carrying the key anywhere', async () => {
  const follow = (to: string): Promise<{ readonly stdout: string }> =>
    puppet.run([
      ...['curl', '-sSL', '--noproxy', '*', '-o', '/dev/null', '-w', '%{http_code} %{url_effective}'],
      `http://127.0.0.1:3128${MOUNTS.echo}/redirect?to=${encodeURIComponent(to)}`,
    ]);
  assert.match((await follow('/next')).stdout, /^200 .*\/custom\/echo\.example\.com\/next$/);
  assert.match((await follow('https://evil.example.net/')).stdout, /^502 /);
  for (const { serverName } of await stage.arrivals()) assert.equal(serverName, 'echo.example.com');
});

test('a server that does not prove to be who is meant gets no request', async () => {
  const hosts = [
    ...Object.keys(BAD_CERTIFICATES),
    'api.example.com:9443',
    'api.example.com:8080',
    'api.example.com:8000',
  ];
  const credentials = hosts.map((host) => ({
    ...{ provider: 'custom', base_url: `https://${host}`, api_key_file: stage.keyFile('echo') },
  }));
  const [judge] = await stage.agent({ credentials, allowed_hosts: ['*'] });
  const verdicts = await stage.egress.verdicts(
    judge,
    hosts.map((host) => call('POST', `/custom/${host}/x`, [], '{}')),
  );
  assert.deepEqual(
    verdicts.slice(0, 4),
    hosts.slice(0, 4).map(() => '502 egress.certificate'),
  );
  for (const verdict of verdicts) assert.match(verdict, /^502 egress\.(certificate|bad-answer|unreachable)$/);
  assert.deepEqual(await stage.arrivals(), []);
  assert.doesNotMatch(JSON.stringify(await stage.egress.internet.arrivals()), CANARY);
});

test('a name that leads to this host or its neighbours gets nothing without a certificate for it', async () => {
  const heard: string[] = [];
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => heard.push(bytes.toString('latin1')));
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  server.listen(443, '127.0.0.1');
  await once(server, 'listening');
  try {
    await stage.egress.internet.answer('echo.example.com', ['127.0.0.1']);
    const answer = await puppet.ask(call('POST', `${MOUNTS.echo}/x`, [], '{"secret":1}'));
    assert.match(verdictOf(answer), /^502 egress\.(certificate|bad-answer|unreachable)$/);
    assert.ok(heard.length > 0, 'the address was tried');
    assert.doesNotMatch(heard.join(''), /canary|secret|POST/i);
  } finally {
    server.close();
    await stage.egress.internet.answer('echo.example.com', ['11.0.0.9']);
  }
});
