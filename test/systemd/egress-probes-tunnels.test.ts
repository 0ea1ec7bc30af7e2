import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { connectTo, EgressStage, getUrl, head } from '../helpers/egress-stage.ts';
import { type Puppet, type TalkStep, verdictOf } from '../helpers/puppet.ts';
import { rawHello } from '../helpers/raw-hello.ts';

// What a tunnel may carry. Port 8000 takes anything and keeps its bytes: what it got is the verdict.

let stage: EgressStage;
let puppet: Puppet;
before(async () => {
  stage = await EgressStage.open();
  puppet = await stage.agent({
    allowed_hosts: [
      ...[
        'api.example.com',
        'api.example.com:8000',
        'api.example.com:8080',
        'other.example.com:8000',
        '11.0.0.50:8000',
      ],
      { host: 'tcp.example.com', ports: [8000], protocol: 'tcp' },
    ],
  });
  await stage.internet.answer('tcp.example.com', ['11.0.0.9']);
});
beforeEach(() => stage.internet.clear());
after(() => stage?.close());

/** Opens a tunnel, takes the steps in it, and returns what was said in it and what arrived at its other end. */
async function throughTunnel(
  authority: string,
  steps: readonly TalkStep[],
): Promise<{ said: readonly string[]; arrived: string }> {
  await stage.internet.clear();
  const [opened, ...said] = await puppet.talk([{ send: connectTo(authority) }, { read: 'head' }, ...steps]);
  assert.equal(verdictOf(opened), '200', authority);
  const arrived = (await stage.internet.arrivals('tcp')).map(({ bytes }) => bytes).join('');
  return { said, arrived };
}

/** Sends this into a tunnel and reads what comes back. */
function say(authority: string, bytes: string): Promise<{ said: readonly string[]; arrived: string }> {
  return throughTunnel(authority, [{ send: bytes }, { read: 6 }]);
}

const API = 'api.example.com:8000';

test('a handshake that names the host of its tunnel passes, in one piece, byte by byte and in tiny records', async () => {
  for (const hello of [
    rawHello({ serverName: 'api.example.com' }),
    rawHello({ serverName: 'API.Example.com' }),
    rawHello({ serverName: 'api.example.com', minor: 3 }),
    rawHello({ serverName: 'api.example.com', recordBytes: 1 }),
    rawHello({ serverName: 'api.example.com', padding: 8000 }),
  ]) {
    const { said, arrived } = await say(API, hello);
    assert.deepEqual([said, arrived.length >= Math.min(hello.length, 8192)], [['heard\n'], true]);
    assert.equal(arrived.slice(0, 8192), hello.slice(0, 8192));
  }
  const hello = rawHello({ serverName: 'api.example.com', recordBytes: 7 });
  const { said, arrived } = await throughTunnel(API, [{ drip: hello }, { read: 6 }]);
  assert.deepEqual([said, arrived], [['heard\n'], hello]);
});

test('a handshake that names another host is refused and none of it arrives, however it is cut', async () => {
  const hellos = [
    'other.example.com',
    'evil.example.net',
    'api.example.com.evil.example.net',
    'com',
    'localhost',
  ].flatMap((serverName) => [
    rawHello({ serverName }),
    rawHello({ serverName, recordBytes: 1 }),
    rawHello({ serverName, recordBytes: 40, minor: 3 }),
  ]);
  for (const hello of hellos) {
    const { said, arrived } = await say(API, hello);
    assert.deepEqual([arrived, said[0]?.includes('heard')], ['', false]);
  }
  const { arrived } = await throughTunnel(API, [
    { drip: rawHello({ serverName: 'evil.example.net' }) },
    { read: 'end' },
  ]);
  assert.equal(arrived, '');
});

test('a handshake without a name, with an encrypted one, or with one that is no name is refused', async () => {
  for (const hello of [
    rawHello({}),
    rawHello({ serverName: '' }),
    rawHello({ serverName: 'api.example.com', encrypted: true }),
    rawHello({ serverName: 'api.example.com\0.evil.example.net' }),
    rawHello({ serverName: '11.0.0.7' }),
    rawHello({ serverName: 'api.example.com', padding: 17_000 }),
    rawHello({ serverName: 'api.example.com', minor: 0 }).replace(/^./s, '\x80'),
  ]) {
    const { said, arrived } = await say(API, hello);
    assert.deepEqual([arrived, said[0]?.includes('heard')], ['', false], JSON.stringify(hello.slice(0, 200)));
  }
});

test('a tunnel to an address that the card writes out needs no name in the handshake, and takes no other', async () => {
  const hello = rawHello({});
  const { said, arrived } = await say('11.0.0.50:8000', hello);
  assert.deepEqual([said, arrived], [['heard\n'], hello]);
  const named = await say('11.0.0.50:8000', rawHello({ serverName: 'evil.example.net' }));
  assert.equal(named.arrived, '');
});

test('what is neither TLS nor HTTP is refused, unless the rule says tcp', async () => {
  const speeches = [
    'SSH-2.0-OpenSSH_9.2\r\n',
    'hello\n',
    '\x05\x01\x00',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03',
    '\x80\x2e\x01\x03\x01',
  ];
  for (const speech of speeches) {
    const { said, arrived } = await throughTunnel(API, [{ send: speech }, { shut: 'write' }, { read: 'end' }]);
    assert.deepEqual([arrived, said.join('').includes('heard')], ['', false], JSON.stringify(speech));
    const free = await say('tcp.example.com:8000', speech);
    assert.deepEqual([free.arrived, free.said], [speech, ['heard\n']], JSON.stringify(speech));
  }
});

test('HTTP in a tunnel is judged like HTTP outside of one, each request anew', async () => {
  const inside = (host: string, path = '/'): string => head(`GET ${path} HTTP/1.1`, `Host: ${host}`);
  const opened: readonly TalkStep[] = [{ send: connectTo('api.example.com:80') }, { read: 'head' }];
  const both: readonly TalkStep[] = [
    { send: inside('api.example.com', '/one') },
    { read: 'answer' },
    { send: inside('evil.example.net', '/two') },
    { read: 'answer' },
  ];
  const said = (await puppet.talk([...opened, ...both])).map(verdictOf);
  assert.deepEqual(said, ['200', '200', '421 egress.host-mismatch']);
  for (const host of ['evil.example.net', 'api.example.com:8080', 'other.example.com']) {
    const told = await puppet.talk([...opened, { send: inside(host) }, { read: 'answer' }]);
    assert.equal(verdictOf(told[1]), '421 egress.host-mismatch', host);
  }
  const odd = [
    getUrl('evil.example.net'),
    connectTo('evil.example.net:443'),
    head('TRACE / HTTP/1.1', 'Host: api.example.com'),
  ];
  for (const request of odd) {
    const told = await puppet.talk([...opened, { send: request }, { read: 'answer' }]);
    assert.match(verdictOf(told[1]), /^(400|403|405|421) egress\./, request);
  }
  const requests = (await stage.internet.arrivals('http')).map(({ host, target }) => `${host}${target}`);
  assert.deepEqual(requests, ['api.example.com/one']);
});

test('a rule of methods and paths lets no tunnel hide them', async () => {
  const limited = await stage.agent({
    allowed_hosts: [{ host: 'api.example.com', methods: ['GET'], paths: ['/public'] }],
  });
  const [tunnel] = await stage.verdicts(limited, [connectTo('api.example.com:443')]);
  assert.equal(tunnel, '403 egress.method-hidden');
  const post = head('POST http://api.example.com/public HTTP/1.1', 'Host: api.example.com', 'Content-Length: 0');
  const paths = [
    '/public',
    '/public/a',
    '/publicity',
    '/',
    '/public/../private',
    '/public/%2e%2e/private',
    '/public%2f..%2fprivate',
    '//public',
    '/./public',
  ];
  const verdicts = await stage.verdicts(limited, [post, ...paths.map((path) => getUrl('api.example.com', path))]);
  assert.deepEqual(verdicts.slice(0, 3), ['403 egress.method', '200', '200']);
  for (const verdict of verdicts.slice(3, 8)) assert.match(verdict, /^40[03] egress\./);
  const reached = (await stage.internet.arrivals('http')).map(({ target }) => target);
  for (const target of reached) assert.match(target, /^\/public(\/a)?$/);
});

test('real TLS ends at the real server: nobody in between can read it', async () => {
  const steps: readonly TalkStep[] = [
    { send: connectTo('api.example.com:443') },
    { read: 'head' },
    { tls: { name: 'api.example.com', authority: stage.internet.authority, alpn: ['http/1.1'] } },
    { send: head('GET /inside HTTP/1.1', 'Host: api.example.com') },
    { read: 'answer' },
  ];
  const seer = await stage.agent({
    allowed_hosts: ['api.example.com'],
    filesystem: { read_only: [stage.internet.directory] },
  });
  const [, version, answer] = await seer.talk(steps);
  assert.equal(version, 'TLSv1.3 http/1.1');
  assert.match(answer ?? '', /^HTTP\/1\.1 200 OK\r\n[\s\S]*GET \/inside HTTP\/1\.1\nhost: api\.example\.com\n/);
  const [arrival] = await stage.internet.arrivals('http');
  assert.equal(arrival?.serverName, 'api.example.com');
});

test('a client that says too much before the tunnel is open loses nothing of it', async () => {
  const hello = rawHello({ serverName: 'api.example.com' });
  const [opened, said] = await puppet.talk([{ send: connectTo(API) + hello }, { read: 'head' }, { read: 6 }]);
  assert.deepEqual([verdictOf(opened), said], ['200', 'heard\n']);
  const evil = rawHello({ serverName: 'evil.example.net' });
  await stage.internet.clear();
  await puppet.talk([{ send: connectTo(API) + evil }, { read: 'end' }]);
  assert.deepEqual((await stage.internet.arrivals('tcp')).map(({ bytes }) => bytes).join(''), '');
});

test('half a tunnel goes on in the other direction', async () => {
  await stage.internet.say(8000, '');
  const speech = 'a'.repeat(1000);
  const { said, arrived } = await throughTunnel('tcp.example.com:8000', [
    { send: speech },
    { shut: 'write' },
    { read: 'end' },
  ]);
  await stage.internet.say(8000, 'heard\n');
  assert.deepEqual([said, arrived], [[''], speech]);
});
