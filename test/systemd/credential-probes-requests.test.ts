import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { CredentialStage, call, fieldOf, KEYS, MOUNTS } from '../helpers/credential-stage.ts';
import { head } from '../helpers/egress-stage.ts';
import { type Puppet, type TalkStep, verdictOf } from '../helpers/puppet.ts';

// Requests that a gateway reads in one way and an API in another, and those that are nobody's to make.

const MESSAGES = '/anthropic/v1/messages';

let stage: CredentialStage;
let puppet: Puppet;
before(async () => {
  stage = await CredentialStage.open();
  [puppet] = await stage.agent();
});
beforeEach(() => stage.egress.internet.clear());
after(() => stage?.close());

/** Paths of the API that the key opens, and that no agent needs. */
const FORBIDDEN = [
  ...[
    '/v1/organizations',
    '/v1/organizations/api_keys',
    '/v1/files',
    '/v1/files/x/content',
    '/v1/skills',
    '/v2/messages',
  ],
  ...[
    '/v1/messages/batches',
    '/v1/messages/b%61tches/x/results',
    '/v1/messagesx',
    '/v1/message',
    '/v1',
    '/v1/',
    '/',
    '',
    '/v1/complet',
    '/V1/MESSAGES',
    '/v1/Messages',
    '/%76%31/organizations',
  ],
];

/** Ways of writing a path that some servers would resolve to one of those. */
const TRICKS = [
  ...[
    '/v1/messages/../../../v1/organizations',
    '/v1/messages/../organizations',
    '/v1/messages/..',
    '/v1/messages/.%2e/files',
  ],
  ...['/v1/messages/%2e%2e/organizations', '/v1/messages/%2E%2E/organizations', '/v1/messages%2f..%2forganizations'],
  ...[
    '/v1/messages/%252e%252e/organizations',
    '/v1/messages/%25252e%25252e/organizations',
    '/v1/messages/..%252forganizations',
  ],
  ...['/v1/messages/..;/organizations', '/v1/messages/..;a=b/organizations', '/v1/messages/..%3b/organizations'],
  ...[
    '/v1/messages/..\\organizations',
    '/v1/messages\\..\\organizations',
    '/v1/messages/..%5corganizations',
    '/v1/messages%5c..%5cfiles',
  ],
  ...[
    '//v1/organizations',
    '/v1//organizations',
    '/./v1/organizations',
    '/v1/./organizations',
    '/v1/messages/./../organizations',
  ],
  ...[
    '/v1/messages/..%00/organizations',
    '/v1/messages%00/../files',
    '/v1/messages/%c0%ae%c0%ae/organizations',
    '/v1/messages/%%32%65./files',
  ],
  ...[
    '/v1/organizations?/v1/messages',
    '/v1/organizations#/v1/messages',
    '/v1/organizations;/v1/messages',
    '/v1;/organizations',
  ],
  ...[
    '/v1/messages/../batches/../../files',

    '/..//v1/organizations',
    '/..%2fopenai/v1/models',
    '/v1/messages/%uff0e%uff0e/x',
  ],
];

test('paths that a provider has and no agent needs are refused at the gateway', async () => {
  for (const path of FORBIDDEN) {
    const verdict = verdictOf(await puppet.ask(call('POST', `/anthropic${path}`)));
    assert.match(verdict, /^403 egress\.gateway-path$|^404 egress\.no-gateway$/, path);
  }
  const mounts = [
    '/anthropicx/v1/messages',
    '/ANTHROPIC/v1/messages',
    '/anthropic%2fv1/messages',
    '/%61nthropi/v1/messages',
  ];
  const others = [
    '/openai/v2/models',
    '/openai/v1/files',
    '/openai/v1/fine_tuning/jobs',
    '/openai/v1x/models',
    '/openai/models',
  ];
  const absent = [
    '/google/v1/models',
    '/custom/api.example.com/x',
    '/custom/echo.example.com.evil.example.net/x',
    '/git/x/info/refs',
  ];
  for (const path of [
    ...mounts,
    ...others,
    ...absent,
    '/custom/echo.example.comx',
    '/custom/echo.example.com:8443/x',
  ]) {
    assert.match(verdictOf(await puppet.ask(call('POST', path))), /^40[034] egress\./, path);
  }
  assert.deepEqual(await stage.egress.internet.arrivals(), []);
  // The same path in other letters (RFC 3986 section 6.2.2) is the same path.
  assert.equal(verdictOf(await puppet.ask(call('POST', '/%61nthropic/v1/%6Dessages'))), '200');
});

test('no way of writing a path leads an API to another one than was judged', async () => {
  for (const path of TRICKS) {
    await stage.egress.internet.clear();
    const verdict = verdictOf(await puppet.ask(call('POST', `/anthropic${path}`)));
    const targets = (await stage.arrivals()).map(({ target }) => target);
    if (verdict === '200') {
      // What passes is one of the known paths, with nothing in it that anybody could resolve differently.
      for (const target of targets) assert.match(target, /^\/v1\/messages(\/count_tokens)?(\?.*)?$/, path);
    } else {
      assert.match(verdict, /^40[034] egress\./, path);
      assert.deepEqual(targets, [], path);
    }
  }
});

test('dot segments are resolved before the gateway is chosen, so that the key is that of the path that is sent', async () => {
  for (const path of ['/anthropic/../openai/v1/models', '/anthropic/v1/messages/../../../openai/v1/models']) {
    await stage.egress.internet.clear();
    assert.equal(verdictOf(await puppet.ask(call('GET', path))), '200');
    const seen = (await stage.arrivals()).map((arrival) => [
      arrival.host,
      arrival.target,
      fieldOf(arrival, 'authorization'),
    ]);
    assert.deepEqual(seen, [['other.example.com', '/v1/models', `Bearer ${KEYS.other}`]]);
  }
});

test('what a provider knows passes as it was written', async () => {
  const calls = [
    ...['POST /v1/messages', 'POST /v1/messages?beta=true&a=b%20c', 'POST /v1/messages/count_tokens?beta=true'],
    ...['GET /v1/models', 'GET /v1/models/claude-x', 'HEAD /v1/models?limit=1'],
  ];
  for (const text of calls) {
    const [method = '', path = ''] = text.split(' ');
    await puppet.talk([{ send: call(method, `/anthropic${path}`, ['Connection: close']) }, { read: 'end' }]);
  }
  assert.deepEqual(
    (await stage.arrivals()).map(({ method, target }) => `${method} ${target}`),
    calls,
  );
});

const HIDDEN = call('POST', '/anthropic/v1/organizations', ['X-Hidden: hidden']);

/** A POST to the gateway with these fields and this body. */
function post(fields: readonly string[], body: string): string {
  return head(`POST ${MESSAGES} HTTP/1.1`, 'Host: 127.0.0.1:3128', ...fields) + body;
}

const SMUGGLED: Readonly<Record<string, string>> = {
  'both lengths': post(['Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${HIDDEN}`),
  'both lengths, the other way': post(['Transfer-Encoding: chunked', 'Content-Length: 4'], `0\r\n\r\n${HIDDEN}`),
  'two lengths': post(['Content-Length: 0', `Content-Length: ${HIDDEN.length}`], HIDDEN),
  'a list of lengths': post([`Content-Length: 0, ${HIDDEN.length}`], HIDDEN),
  'a bare line feed': `POST ${MESSAGES} HTTP/1.1\nHost: 127.0.0.1:3128\nContent-Length: 0\n\n${HIDDEN}`,
  'a bare line feed in the middle': post(['X-A: b\nX-Api-Key: mine'], ''),
  'a folded line': post(['Transfer-Encoding:', ' chunked'], `0\r\n\r\n${HIDDEN}`),
  'a folded key': post(['X-Api-Key: mine', '\tand more'], ''),
  'a blank before the colon': post(['X-Api-Key : mine'], ''),
  'an unknown coding': post(['Transfer-Encoding: xchunked'], `0\r\n\r\n${HIDDEN}`),
  'chunks in HTTP/1.0': `POST ${MESSAGES} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  'a request in the target': `POST ${MESSAGES}?a HTTP/1.1\r\nX: /v1/x HTTP/1.1\nHost: a\r\n\r\n${HIDDEN}`,
  'a line end in the target': post([], '').replace(' HTTP/1.1', '?a=%0d%0aX-Api-Key:%20mine\r HTTP/1.1'),
  'HTTP/2 from the start': `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${HIDDEN}`,
};

for (const [what, request] of Object.entries(SMUGGLED)) {
  test(`a request to a gateway is refused and nothing of it passed on: ${what}`, async () => {
    const steps: readonly TalkStep[] = [{ send: request }, { read: 'answer' }, { shut: 'write' }, { read: 'end' }];
    const [answer, rest] = await puppet.talk(steps);
    assert.match(verdictOf(answer), /^4\d\d egress\./);
    assert.match(rest ?? '', /^(|error: E\w+)$/, 'one answer, and no second request');
    assert.deepEqual(await stage.egress.internet.arrivals(), []);
  });
}

test('a body that is framed badly ends the request and hides no other', async () => {
  const bodies = [
    '5;a="b"\r\nhello\r\n0\r\n\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    '4\r\nhello\r\n0\r\n\r\n',
    '5\nhello\n0\n\n',
  ];
  for (const body of bodies) {
    await stage.egress.internet.clear();
    await puppet.talk([{ send: post(['Transfer-Encoding: chunked'], body + HIDDEN) }, { read: 'end' }]);
    const seen = (await stage.arrivals()).map(({ target, body: sent }) => `${target} ${sent}`);
    assert.doesNotMatch(seen.join(), /organizations|hidden/, body);
  }
});

test('ten thousand bytes of fields pass, and without measure they do not', async () => {
  const fields = Array.from({ length: 100 }, (_, index) => `X-${index}: ${'a'.repeat(93)}`);
  assert.equal(verdictOf(await puppet.ask(call('GET', '/anthropic/v1/models', fields))), '200');
  const [arrival] = await stage.arrivals();
  assert.equal(arrival?.headers.filter(([name]) => /^x-\d+$/.test(name)).length, 100);
  await stage.egress.internet.clear();
  const huge = call('GET', '/anthropic/v1/models', [`X-A: ${'a'.repeat(200_000)}`]);
  const heard = (await puppet.talk([{ send: huge }, { read: 'head' }])).join('');
  assert.match(heard, /^HTTP\/1\.1 431 |^error: (EPIPE|ECONNRESET)/);
  assert.deepEqual(await stage.egress.internet.arrivals(), []);
});

test('a request that is sent while another one streams waits, and gets the key of its own gateway', async () => {
  const stream = call('GET', `${MOUNTS.echo}/stream/first`);
  const second = call('POST', `${MOUNTS.other}/responses`, [], '{}');
  const third = call('POST', MESSAGES, ['Connection: close'], '{}');
  const opened = puppet.open('pipe', [{ send: stream + second + third }, { read: 'head' }]);
  await stage.egress.internet.push('first', 'data: 1\n\n');
  assert.equal(verdictOf((await opened)[0]), '200');
  assert.deepEqual(
    (await stage.arrivals()).map(({ host }) => host),
    ['echo.example.com'],
  );
  await stage.egress.internet.finish('first');
  const [rest = ''] = await puppet.on('pipe', [{ read: 'end' }]);
  assert.equal(rest.match(/HTTP\/1\.1 200 /g)?.length, 2, rest);
  const seen = (await stage.arrivals()).map((arrival) => [
    arrival.host,
    fieldOf(arrival, 'x-api-key') ?? fieldOf(arrival, 'authorization'),
  ]);
  assert.deepEqual(seen, [
    ['echo.example.com', KEYS.echo],
    ['other.example.com', `Bearer ${KEYS.other}`],
    ['api.example.com', KEYS.api],
  ]);
});

test('a client that waits for leave to send its body gets it, and one of HTTP/1.0 its answer in one piece', async () => {
  const request = head(...[`POST ${MESSAGES} HTTP/1.1`, 'Host: a', 'Expect: 100-continue', 'Content-Length: 5']);
  const [leave, answer] = await puppet.talk([
    { send: request },
    { read: 'head' },
    { send: 'hello' },
    { read: 'answer' },
  ]);
  assert.equal(verdictOf(leave), '100');
  assert.equal(verdictOf(answer), '200');
  const old = `GET /anthropic/v1/models HTTP/1.0\r\n\r\n`;
  const [whole = ''] = await puppet.talk([{ send: old }, { read: 'end' }]);
  assert.match(whole, /^HTTP\/1\.1 200 [\s\S]*\r\nconnection: close\r\n/i);
  assert.doesNotMatch(whole, /transfer-encoding/i);
  const [arrival] = (await stage.arrivals()).filter(({ method }) => method === 'POST');
  assert.deepEqual([arrival?.body, fieldOf(arrival, 'expect')], ['hello', undefined]);
  const [bare = '', none] = await puppet.talk([
    { send: call('HEAD', '/anthropic/v1/models', ['Connection: close']) },
    { read: 'head' },
    { read: 'end' },
  ]);
  assert.deepEqual([verdictOf(bare), none], ['200', '']);
});

test('a body that comes a byte at a time arrives whole', async () => {
  const body = JSON.stringify({ text: 'x'.repeat(200) });
  const fields = ['Host: a', `Content-Length: ${body.length}`];
  const steps = [{ send: head(`POST ${MESSAGES} HTTP/1.1`, ...fields) }, { drip: body }, { read: 'answer' }] as const;
  assert.equal(verdictOf((await puppet.talk(steps))[0]), '200');
  assert.deepEqual(
    (await stage.arrivals()).map(({ body: sent }) => sent),
    [body],
  );
});

test('a gateway changes to no other protocol', async () => {
  for (const to of ['websocket', 'h2c', 'TLS/1.3', 'Upgrade']) {
    const fields = [
      `Upgrade: ${to}`,
      'Connection: Upgrade',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version: 13',
    ];
    const answer = await puppet.ask(call('GET', `${MOUNTS.other}/responses`, fields));
    assert.match(verdictOf(answer), /^4\d\d egress\./, to);
  }
  assert.deepEqual(await stage.egress.internet.arrivals(), []);
});
