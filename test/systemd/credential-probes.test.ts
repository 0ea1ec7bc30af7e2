import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  CANARY,
  CredentialStage,
  call,
  fieldOf,
  KEYS,
  MOUNTS,
  type Placeholders,
} from '../helpers/credential-stage.ts';
import { connectTo, getUrl, head } from '../helpers/egress-stage.ts';
import type { HttpArrival } from '../helpers/internet-arrival.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';

// Where keys and placeholders go and where they do not. What the pretend internet got is the verdict.

let stage: CredentialStage;
let puppet: Puppet;
let held: Placeholders;
before(async () => {
  stage = await CredentialStage.open();
  const ports = ['api.example.com', 'api.example.com:8080', 'other.example.com', 'other.example.com:8000'];
  [puppet, held] = await stage.agent({ allowed_hosts: ports });
});
beforeEach(() => stage.egress.internet.clear());
after(() => stage?.close());

/** The one request that has arrived at a web server. */
async function onlyArrival(): Promise<HttpArrival> {
  const arrivals = await stage.arrivals();
  assert.equal(arrivals.length, 1, JSON.stringify(arrivals));
  return arrivals[0] as HttpArrival;
}

/** Everything that has arrived anywhere, as one text. */
async function everything(): Promise<string> {
  return JSON.stringify(await stage.egress.internet.arrivals());
}

test('each gateway adds its own key, whatever the client sent, and nothing else of the client is changed', async () => {
  const fields = [
    ...[
      'X-Api-Key: mine',
      `Authorization: Bearer ${held.other}`,
      'X-Goog-Api-Key: mine',
      'Api-Key: mine',
      'Cookie: a=b',
    ],
    ...['Proxy-Authorization: Basic bWU6bWU=', 'X-Other: stays', 'Anthropic-Version: 2023-06-01'],
  ];
  const own = fields.filter((field) => !field.includes(held.other));
  for (const [name, path, at, key] of [
    ['api', '/v1/messages?beta=true', 'api.example.com', { 'x-api-key': KEYS.api }],
    ['echo', '/any/where?a=1', 'echo.example.com', { 'x-api-key': KEYS.echo }],
    ['other', '/chat/completions', 'other.example.com', { authorization: `Bearer ${KEYS.other}` }],
  ] as const) {
    await stage.egress.internet.clear();
    const answer = await puppet.ask(call('POST', `${MOUNTS[name]}${path}`, name === 'other' ? fields : own, '{"a":1}'));
    assert.equal(verdictOf(answer), '200', answer);
    assert.doesNotMatch(answer, CANARY);
    const arrival = await onlyArrival();
    const target = name === 'other' ? `/v1${path}` : path;
    assert.deepEqual([arrival.host, arrival.serverName, arrival.port, arrival.target], [at, at, 443, target]);
    assert.equal(arrival.body, '{"a":1}');
    const credentials = /^(x-api-key|authorization|x-goog-api-key|api-key|cookie|proxy-authorization)$/;
    assert.deepEqual(Object.fromEntries(arrival.headers.filter(([field]) => credentials.test(field))), key);
    assert.deepEqual([fieldOf(arrival, 'x-other'), fieldOf(arrival, 'anthropic-version')], ['stays', '2023-06-01']);
  }
});

test('a placeholder in the head of a request to another host is refused, audited, and nothing is sent', async () => {
  const { api } = held;
  const carriers = [
    ...[`Authorization: Bearer ${api}`, `X-Api-Key: ${api}`, `X-Any: before ${api} after`, `Cookie: a=b; key=${api}`],
    ...[`Authorization: Basic ${btoa(`user:${api}`)}`, `Authorization: Basic ${btoa(`${api}:x`)}`],
    ...[`authorization: basic   ${btoa(`x:${api}`)}`, `Referer: http://other.example.com/?k=${api}`],
    `Proxy-Authorization: Basic ${btoa(`x:${api}`)}`,
  ];
  for (const carrier of carriers) {
    assert.equal(
      verdictOf(await puppet.ask(getUrl('other.example.com', '/', carrier))),
      '403 egress.placeholder',
      carrier,
    );
  }
  assert.deepEqual(await stage.egress.internet.arrivals(), []);
  const found = (await stage.audit(puppet.id)).filter(
    (event) => event.kind === 'decision' && event.reason === 'egress.placeholder' && event.host === 'other.example.com',
  );
  assert.ok(found.length > 0);
  // All but one character of it is no placeholder.
  const like = `${api.slice(0, -1)}_`;
  for (const carrier of [`Authorization: Bearer ${like}`, `Authorization: Basic ${btoa(`user:${like}`)}`]) {
    assert.equal(verdictOf(await puppet.ask(getUrl('other.example.com', '/', carrier))), '200');
  }
  assert.match(await everything(), new RegExp(like));
});

test('a placeholder in the target of a request to another host is refused, escaped as it may be', async () => {
  const { api } = held;
  const escaped = [...api].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
  const half = escaped.slice(0, 60) + api.slice(20);
  for (const text of [api, escaped, half]) {
    for (const path of [`/?key=${text}`, `/${text}/x`, `/a?b=c&d=${text}`, `/x;k=${text}`]) {
      const verdict = verdictOf(await puppet.ask(getUrl('other.example.com', path)));
      assert.match(verdict, /^40[03] egress\.(placeholder|bad-request)$/, path);
    }
  }
  assert.deepEqual(await stage.egress.internet.arrivals(), []);
});

test('a placeholder in the body of a request to another host never leaves whole', async () => {
  const { api } = held;
  const fields = (...more: readonly string[]): string =>
    head('POST http://other.example.com/x HTTP/1.1', 'Host: other.example.com', ...more);
  const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
  const parts = `--b\r\nContent-Disposition: form-data; name="k"\r\n\r\n${api}\r\n--b--\r\n`;
  const [left, right] = [api.slice(0, 25), api.slice(25)];
  const long = `${'x'.repeat(300_000)}${api}${'y'.repeat(300_000)}`;
  const chunked = fields('Transfer-Encoding: chunked');
  const requests: Readonly<Record<string, readonly string[]>> = {
    plain: [fields(`Content-Length: ${api.length}`) + api],
    json: [fields(`Content-Length: ${api.length + 10}`, 'Content-Type: application/json'), `{"key":"${api}"}`],
    multipart: [fields(`Content-Length: ${parts.length}`, 'Content-Type: multipart/form-data; boundary=b') + parts],
    'in two segments': [`${fields(`Content-Length: ${api.length}`)}${left}`, right],
    'in two chunks': [`${chunked}${chunk(left)}`, `${chunk(right)}0\r\n\r\n`],
    'in chunks of one byte': [chunked, ...[...api].map(chunk), '0\r\n\r\n'],
    'in the middle of much': [`${fields(`Content-Length: ${long.length}`)}${long}`],
  };
  for (const [what, pieces] of Object.entries(requests)) {
    await stage.egress.internet.clear();
    const said = await puppet.talk([...pieces.map((send) => ({ send })), { read: 'answer' }]);
    assert.match(said.join(''), /egress\.placeholder|^error: (EPIPE|ECONNRESET)/, what);
    assert.doesNotMatch(await everything(), new RegExp(`${api}|${right}`), what);
  }
  await stage.egress.internet.clear();
  const like = `${api.slice(0, -1)}_`;
  const [answer] = await puppet.talk([
    { send: `${chunked}${chunk(left)}${chunk(like.slice(25))}0\r\n\r\n` },
    { read: 'answer' },
  ]);
  assert.equal(verdictOf(answer), '200');
  assert.equal((await onlyArrival()).body, like);
});

test('a placeholder that is compressed passes as the bytes that it is, and no key comes in its place', async () => {
  const bytes = gzipSync(held.api).toString('latin1');
  const request = head(
    ...['POST http://other.example.com/x HTTP/1.1', 'Host: other.example.com'],
    ...['Content-Encoding: gzip', `Content-Length: ${bytes.length}`],
  );
  assert.equal(verdictOf(await puppet.ask(request + bytes)), '200');
  const arrival = await onlyArrival();
  assert.equal(arrival.body, bytes);
  assert.doesNotMatch(JSON.stringify(arrival), CANARY);
});

test('a placeholder is not carried by HTTP/2 without TLS, nor behind an upgrade to it', async () => {
  const upgrade = getUrl(
    ...(['other.example.com', '/', 'Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings'] as const),
    ...['HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA', `X-Api-Key: ${held.api}`],
  );
  assert.match(verdictOf(await puppet.ask(upgrade)), /^403 egress\.(upgrade|placeholder)$/);
  const [opened, said = ''] = await puppet.talk([
    { send: connectTo('other.example.com:80') },
    { read: 'head' },
    { send: `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${held.api}` },
    { read: 'end' },
  ]);
  assert.equal(verdictOf(opened), '200');
  assert.doesNotMatch(said, /^HTTP\/1\.1 200/);
  assert.doesNotMatch(await everything(), new RegExp(held.api));
});

test('towards its own gateway a placeholder in path, query or body stays what it is: no key comes in its place', async () => {
  const { echo } = held;
  for (const request of [
    call('POST', `${MOUNTS.echo}/x`, [], `{"key":"${echo}"}`),
    call('POST', `${MOUNTS.echo}/x/${echo}`, [], echo),
    call('GET', `${MOUNTS.echo}/x?other=${echo}`, [`X-Other: ${echo}`]),
  ]) {
    await stage.egress.internet.clear();
    const answer = await puppet.ask(request);
    assert.equal(verdictOf(answer), '200', answer);
    const arrival = await onlyArrival();
    assert.equal(fieldOf(arrival, 'x-api-key'), KEYS.echo);
    const rest = JSON.stringify({ ...arrival, headers: arrival.headers.filter(([name]) => name !== 'x-api-key') });
    assert.doesNotMatch(rest, CANARY);
    assert.equal(arrival.body, request.split('\r\n\r\n')[1] ?? '');
  }
});

test("a placeholder under another gateway's path is refused, wherever it stands", async () => {
  const { api } = held;
  const requests = [
    call('GET', `${MOUNTS.echo}/x`, [`X-Any: ${api}`]),
    call('GET', `${MOUNTS.echo}/x`, [`X-Api-Key: ${api}`]),
    call('GET', `${MOUNTS.echo}/x?a=${api}`),
    call('GET', `${MOUNTS.echo}/${api}`),
    call('POST', `${MOUNTS.echo}/x`, [], `{"key":"${api}"}`),
  ];
  for (const request of requests) {
    await stage.egress.internet.clear();
    assert.equal(verdictOf(await puppet.ask(request)), '403 egress.placeholder', request);
    assert.deepEqual(await stage.arrivals(), [], request);
    assert.doesNotMatch(await everything(), new RegExp(api));
  }
});

test('a tunnel to the host of a gateway carries what the agent has, and that is no key', async () => {
  const inside = head(
    'POST /v1/messages HTTP/1.1',
    'Host: api.example.com',
    `X-Api-Key: ${held.api}`,
    'Content-Length: 2',
  );
  const said = await puppet.talk([
    { send: connectTo('api.example.com:443') },
    { read: 'head' },
    { tls: { name: 'api.example.com', alpn: ['http/1.1'] } },
    { send: `${inside}{}` },
    { read: 'answer' },
  ]);
  assert.equal(verdictOf(said[2]), '200', said.join('\n'));
  const arrival = await onlyArrival();
  assert.equal(fieldOf(arrival, 'x-api-key'), held.api);
  assert.doesNotMatch(JSON.stringify(arrival), CANARY);
});

test('no other form of a request to the host of a gateway, or to the gateway itself, gets a key', async () => {
  const path = '/anthropic/v1/messages';
  const tunnelled = async (...lines: readonly string[]): Promise<string> => {
    const steps = [{ send: connectTo('api.example.com:8080') }, { read: 'head' }] as const;
    const [, answer] = await puppet.talk([...steps, { send: head(...lines) }, { read: 'answer' }]);
    return verdictOf(answer);
  };
  assert.equal(verdictOf(await puppet.ask(getUrl('api.example.com', '/v1/messages'))), '200');
  assert.equal(verdictOf(await puppet.ask(getUrl('api.example.com', path))), '200');
  assert.equal(await tunnelled(`GET ${path} HTTP/1.1`, 'Host: api.example.com:8080'), '200');
  assert.equal((await stage.arrivals()).length, 3);
  for (const arrival of await stage.arrivals()) assert.doesNotMatch(JSON.stringify(arrival), CANARY);
  await stage.egress.internet.clear();
  for (const authority of ['127.0.0.1:3128', 'localhost:3128', '[::1]:3128', '127.1:3128', '0.0.0.0:3128']) {
    const verdict = verdictOf(await puppet.ask(getUrl(authority, path, 'X-Api-Key: mine')));
    assert.match(verdict, /^40[03] egress\./, authority);
    assert.match(verdictOf(await puppet.ask(connectTo(authority))), /^40[03] egress\./, authority);
  }
  const tls = head(`GET https://api.example.com/v1/messages HTTP/1.1`, 'Host: api.example.com');
  assert.equal(verdictOf(await puppet.ask(tls)), '400 egress.bad-request');
  assert.deepEqual(await stage.egress.internet.arrivals(), []);
});

test('whatever host a request to a gateway names, the key goes to the one of the card', async () => {
  const hosts = [
    'evil.example.net',
    'other.example.com',
    'api.example.com',
    'localhost:3128',
    '',
    'a b',
    'evil.example.net@x',
  ];
  const verdicts: string[] = [];
  for (const host of hosts) {
    const fields = ['X-Forwarded-Host: evil.example.net', 'X-Original-Url: /v1/organizations', 'Content-Length: 0'];
    const request = head('POST /anthropic/v1/messages HTTP/1.1', `Host: ${host}`, ...fields);
    verdicts.push(verdictOf(await puppet.ask(request)));
  }
  assert.ok(verdicts.includes('200'), verdicts.join());
  const two = head('GET /anthropic/v1/models HTTP/1.1', 'Host: 127.0.0.1:3128', 'Host: evil.example.net');
  assert.equal(verdictOf(await puppet.ask(two)), '400 egress.bad-request');
  const seen = (await stage.arrivals()).map(({ host, serverName, address }) => `${host} ${serverName} ${address}`);
  assert.deepEqual(new Set(seen), new Set(['api.example.com api.example.com 11.0.0.7']));
  assert.doesNotMatch((await stage.egress.connections()).join(), /11\.0\.0\.66/);
});
