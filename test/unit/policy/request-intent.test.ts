import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../../src/policy/address.ts';
import type { Destination } from '../../../src/policy/intent.ts';
import { readRequestHead } from '../../../src/policy/request-head.ts';
import { type Endpoint, type IntentReading, readIntent } from '../../../src/policy/request-intent.ts';
import { readCorpus } from './corpus.ts';

const INSIDE: Endpoint = { destination: named('a.example'), port: 80 };
const INSIDE_8080: Endpoint = { destination: named('a.example'), port: 8080 };

function named(name: string): Destination {
  return { kind: 'name', name };
}

function addressed(text: string): Destination {
  const address = parseAddress(text);
  assert.ok(address !== null);
  return { kind: 'address', address };
}

/** The reading of a request line with further lines. */
function read(lines: readonly string[], within: Endpoint | null = null): IntentReading {
  const reading = readRequestHead(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  assert.ok(reading.kind === 'head', JSON.stringify([lines, reading]));
  return readIntent(reading.head, within);
}

function connect(target: string, host = target): readonly string[] {
  return [`CONNECT ${target} HTTP/1.1`, `Host: ${host}`];
}

function get(target: string, host: string): readonly string[] {
  return [`GET ${target} HTTP/1.1`, `Host: ${host}`];
}

/** Requests with the reason each is refused for. */
function expectRefused(cases: readonly (readonly [readonly string[], string])[], within: Endpoint | null = null): void {
  assert.deepEqual(
    cases.map(([lines]) => {
      const reading = read(lines, within);
      return [lines[0], reading.kind === 'refused' ? reading.reason : reading.kind];
    }),
    cases.map(([lines, reason]) => [lines[0], reason]),
  );
}

function endpointOf(lines: readonly string[]): Endpoint | string {
  const reading = read(lines);
  if (reading.kind !== 'intent') return reading.kind;
  const { destination, port } = reading.intent;
  return { destination, port };
}

test('a tunnel names a host and a port', () => {
  assert.deepEqual(read(connect('a.example:443')), {
    kind: 'intent',
    intent: { form: 'tunnel', destination: named('a.example'), port: 443, method: 'CONNECT', path: null },
    target: '',
    host: 'a.example:443',
    upgrade: null,
  });
  assert.deepEqual(endpointOf(['CONNECT a.example:443 HTTP/1.0']), { destination: named('a.example'), port: 443 });
  assert.deepEqual(endpointOf(connect('a.example:443', 'a.example')), { destination: named('a.example'), port: 443 });
});

test('a request in absolute form names a host, a path and a query', () => {
  assert.deepEqual(read(get('http://A.example:8080/%61/../b?c=/../d', 'a.EXAMPLE.:8080')), {
    kind: 'intent',
    intent: { form: 'http', destination: named('a.example'), port: 8080, method: 'GET', path: '/b' },
    target: '/b?c=/../d',
    host: 'a.example:8080',
    upgrade: null,
  });
  const targetOf = (url: string): string => {
    const reading = read(get(url, 'a.example'));
    return reading.kind === 'intent' ? `${reading.intent.path} ${reading.target} ${reading.host}` : reading.kind;
  };
  assert.deepEqual(
    ['http://a.example', 'HTTP://a.example:80?x', 'http://a.example/%7e?%7e', 'http://a.example./?http://b@c/'].map(
      targetOf,
    ),
    ['/ / a.example', '/ /?x a.example', '/~ /%7e?%7e a.example', '/ /?http://b@c/ a.example'],
  );
});

test('all ways to write a host lead to the same destination (W17, W23)', () => {
  const loopback = { destination: addressed('127.0.0.1'), port: 443 };
  for (const host of ['127.0.0.1', '127.1', '2130706433', '0x7f.1', '0177.0.0.1', '127.0.0.1.', '0x7f000001'])
    assert.deepEqual(endpointOf(connect(`${host}:443`)), loopback, host);
  const name = { destination: named('api.example.com'), port: 443 };
  for (const host of ['API.Example.COM', 'api.example.com.', 'api.example.com'])
    assert.deepEqual(endpointOf(connect(`${host}:443`)), name, host);
  for (const host of ['[::1]', '[0:0::1]', '[0:0:0:0:0:0:0:1]'])
    assert.deepEqual(endpointOf(connect(`${host}:443`)), { destination: addressed('::1'), port: 443 }, host);
  const reading = read(get('http://[2001:DB8::0:1]:81/', '[2001:db8::1]:81'));
  assert.equal(reading.kind === 'intent' ? reading.host : reading, '[2001:db8::1]:81');
});

test('what is no plain host name is refused (W17, W18, W20)', () => {
  const hosts = [
    ...[
      'a.example..',
      '.a.example',
      'a..example',
      '.',
      '-a.example',
      'a-.example',
      'a_b.example',
      'a.example,b.example',
    ],
    ...[
      'a%2eexample',
      'a.example%00',
      'a*.example',
      '*',
      '%61.example',
      'a.example\\.b',
      "a'b",
      `${'a'.repeat(64)}.example`,
    ],
    ...[
      `${'a.'.repeat(126)}example`,
      '1.2.3.4.5',
      '256.0.0.1',
      '[::1',
      '::1',
      '[::1%25eth0]',
      '[1.2.3.4]',
      '[a.example]',
    ],
    ...['[]', '', 'user@a.example', 'user:secret@a.example', '[::1]@a.example', 'xn--', 'a.example:80:90'],
  ];
  assert.deepEqual(
    hosts.filter((host) => read(connect(`${host}:443`, 'a.example')).kind !== 'refused'),
    [],
  );
  expectRefused([
    [connect('xn--bcher-kva.example:443', 'buecher.example:443'), 'egress.host-mismatch'],
    [connect('a.example..:443'), 'egress.host-name'],
    [connect('a.example:443', 'a.example, b.example'), 'egress.host-name'],
    [connect('a.example:443', ''), 'egress.host-name'],
    [connect('a.example:443', 'http://a.example'), 'egress.host-name'],
    [connect('a.example:443', '\xe4.example'), 'egress.host-name'],
  ]);
});

test('a port is a number from 1 to 65535 (W30)', () => {
  const ports = ['', ':', ':0', ':00443', ':0443', ':65536', ':99999', ':443x', ':+443', ':-1', ':4_43', ':443/'];
  assert.deepEqual(
    ports.filter((port) => read(connect(`a.example${port}`, 'a.example')).kind !== 'refused'),
    [],
  );
  assert.deepEqual(
    ['1', '65535'].map((port) => endpointOf(connect(`a.example:${port}`))),
    [1, 65_535].map((port) => ({ destination: named('a.example'), port })),
  );
});

test('the Host field names the same host and port as the target', () => {
  expectRefused([
    [connect('a.example:443', 'b.example:443'), 'egress.host-mismatch'],
    [connect('a.example:443', 'a.example:80'), 'egress.host-mismatch'],
    [connect('127.0.0.1:443', 'localhost:443'), 'egress.host-mismatch'],
    [get('http://a.example/', 'b.example'), 'egress.host-mismatch'],
    [get('http://a.example/', 'a.example.evil.example'), 'egress.host-mismatch'],
    [get('http://a.example:8080/', 'a.example'), 'egress.host-mismatch'],
    [get('http://a.example/', 'a.example:443'), 'egress.host-mismatch'],
    [get('http://a.example/', '1.2.3.4'), 'egress.host-mismatch'],
  ]);
});

test('inside a tunnel only requests to its host and port pass (W35, W37)', () => {
  const reading = read(get('/x?y', 'A.example.'), INSIDE);
  assert.deepEqual(reading, {
    kind: 'intent',
    intent: { form: 'http', destination: named('a.example'), port: 80, method: 'GET', path: '/x' },
    target: '/x?y',
    host: 'a.example',
    upgrade: null,
  });
  assert.equal(read(get('/', 'a.example:80'), INSIDE).kind, 'intent');
  assert.equal(read(get('/', 'a.example:8080'), INSIDE_8080).kind, 'intent');
  assert.equal(read(get('http://a.example/', 'a.example'), INSIDE).kind, 'intent');
  expectRefused(
    [
      [get('/', 'b.example'), 'egress.host-mismatch'],
      [get('/', 'a.example:81'), 'egress.host-mismatch'],
      [get('/', 'sub.a.example'), 'egress.host-mismatch'],
      [get('http://b.example/', 'a.example'), 'egress.host-mismatch'],
      [get('http://b.example/', 'b.example'), 'egress.host-mismatch'],
      [get('http://a.example:81/', 'a.example:81'), 'egress.host-mismatch'],
      [connect('a.example:80'), 'egress.method-refused'],
      [connect('b.example:443'), 'egress.method-refused'],
      [['GET / HTTP/1.0'], 'egress.bad-request'],
    ],
    INSIDE,
  );
  expectRefused([[get('/', 'a.example'), 'egress.host-mismatch']], INSIDE_8080);
});

test('a target in another form is refused', () => {
  expectRefused([
    [get('https://a.example/', 'a.example'), 'egress.bad-request'],
    [get('ftp://a.example/', 'a.example'), 'egress.bad-request'],
    [get('file:///etc/passwd', 'a.example'), 'egress.bad-request'],
    [get('http:/a.example/', 'a.example'), 'egress.bad-request'],
    [get('http:a.example', 'a.example'), 'egress.bad-request'],
    [get('http:///x', 'a.example'), 'egress.host-name'],
    [get('a.example:80', 'a.example'), 'egress.bad-request'],
    [get('*', 'a.example'), 'egress.bad-request'],
    [get('http://user@a.example/', 'a.example'), 'egress.bad-request'],
    [get('http://a.example@b.example/', 'b.example'), 'egress.bad-request'],
    [get('http://a.example#@b.example/', 'a.example'), 'egress.bad-request'],
    [get('http://a.example/#x', 'a.example'), 'egress.bad-request'],
    [get('http://a.example/?x#y', 'a.example'), 'egress.bad-request'],
    [get('http://a.example\\@b.example/', 'a.example'), 'egress.bad-request'],
    [get('http://a.example:/', 'a.example'), 'egress.host-name'],
    [get('http://a.example/\\..\\x', 'a.example'), 'egress.bad-request'],
    [get('http://a.example/..%2fx', 'a.example'), 'egress.bad-request'],
    [connect('http://a.example:443/', 'a.example:443'), 'egress.host-name'],
    [connect('/', 'a.example'), 'egress.host-name'],
  ]);
  expectRefused([[get('/x#y', 'a.example'), 'egress.bad-request']], INSIDE);
});

test('a path without host outside of tunnels is for the proxy itself', () => {
  assert.deepEqual(read(get('/admin/%2e./x?y', '127.0.0.1:3128')), { kind: 'origin', path: '/x', query: '?y' });
  expectRefused([
    [get('/..%2fx', '127.0.0.1:3128'), 'egress.bad-request'],
    [get('/x#y', '127.0.0.1:3128'), 'egress.bad-request'],
  ]);
});

test('methods that echo, and methods that are not in capitals, are refused (W40)', () => {
  const methods = ['TRACE', 'TRACK', 'get', 'Get', 'gEt', 'G3T', 'connect', '-GET', 'GET-', 'G_T', "G'T"];
  const request = (method: string): readonly string[] => [`${method} http://a.example/ HTTP/1.1`, 'Host: a.example'];
  expectRefused(methods.map((method) => [request(method), 'egress.method-refused']));
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'VERSION-CONTROL'])
    assert.equal(read(request(method)).kind, 'intent', method);
});

test('of upgrades only the one to websocket passes (W35, W42)', () => {
  const upgrade = (...lines: readonly string[]): readonly string[] => [
    ...get('http://a.example/', 'a.example'),
    ...lines,
  ];
  const reading = read(upgrade('Connection: keep-alive, Upgrade', 'Upgrade: WebSocket'));
  assert.equal(reading.kind === 'intent' ? reading.upgrade : reading, 'websocket');
  expectRefused([
    [upgrade('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'), 'egress.upgrade'],
    [upgrade('Connection: Upgrade', 'Upgrade: TLS/1.0'), 'egress.upgrade'],
    [upgrade('Connection: Upgrade', 'Upgrade: websocket, h2c'), 'egress.upgrade'],
    [upgrade('Connection: Upgrade', 'Upgrade:'), 'egress.upgrade'],
    [upgrade('Upgrade: websocket'), 'egress.upgrade'],
    [
      ['POST http://a.example/ HTTP/1.1', 'Host: a.example', 'Connection: Upgrade', 'Upgrade: websocket'],
      'egress.upgrade',
    ],
    [['GET http://a.example/ HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket'], 'egress.upgrade'],
    [[...connect('a.example:80'), 'Connection: Upgrade', 'Upgrade: websocket'], 'egress.upgrade'],
  ]);
});

test('a refusal tells where the request wanted to go, as far as it said', () => {
  const about = (lines: readonly string[]): unknown => {
    const reading = read(lines);
    return reading.kind === 'refused' ? reading.about : reading;
  };
  const endpoint = { destination: named('a.example'), port: 80 };
  assert.deepEqual(about(get('http://a.example/', 'b.example')), endpoint);
  assert.deepEqual(about([...get('http://a.example/', 'a.example'), 'Upgrade: h2c']), endpoint);
  assert.deepEqual(about(connect('a..example:443')), null);
});

test('what real clients send is understood', () => {
  const seen = readCorpus('heads').map(({ name, bytes }) => {
    const reading = readRequestHead(bytes);
    assert.ok(reading.kind === 'head');
    const within = name.endsWith('-inside') ? { destination: named('ws.example.com'), port: 80 } : null;
    const intent = readIntent(reading.head, within);
    return [name, intent.kind === 'refused' ? intent.reason : intent.kind];
  });
  assert.deepEqual(
    seen.filter(([, verdict]) => verdict !== 'intent'),
    [['curl-h2c', 'egress.upgrade']],
  );
});

test('a request inside of a tunnel is one of HTTP, also when all of the tunnel is handed in', () => {
  const tunnel = read(['CONNECT www.example.com:80 HTTP/1.1', 'Host: www.example.com:80']);
  assert.equal(tunnel.kind, 'intent');
  const within = tunnel.kind === 'intent' ? tunnel.intent : null;
  const reading = read(['GET /a HTTP/1.1', 'Host: www.example.com'], within);
  assert.deepEqual(reading.kind === 'intent' ? reading.intent : reading, {
    form: 'http',
    destination: { kind: 'name', name: 'www.example.com' },
    port: 80,
    method: 'GET',
    path: '/a',
  });
});
