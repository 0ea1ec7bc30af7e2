import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  renderRequestHead,
  renderResponseHead,
  requestFields,
  responseFields,
} from '../../../src/policy/forward-head.ts';
import { type RequestHead, readRequestHead } from '../../../src/policy/request-head.ts';

function headOf(...lines: readonly string[]): RequestHead {
  const text = ['POST http://a.example/x HTTP/1.1', 'Host: a.example', ...lines, '', ''].join('\r\n');
  const reading = readRequestHead(Buffer.from(text, 'latin1'));
  assert.ok(reading.kind === 'head', JSON.stringify(reading));
  return reading.head;
}

const PLAIN = { host: 'a.example', upgrade: null };

test('a request goes on without what concerns its connection to the proxy, and without credentials for a proxy', () => {
  const head = headOf(
    'User-Agent: x',
    'Connection: keep-alive, X-Hop, te',
    'Connection: X-Other',
    'X-Hop: 1',
    'x-other: 2',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: Keep-Alive',
    'Proxy-Authorization: Basic c2VjcmV0',
    'Proxy-Authenticate: Basic',
    'TE: trailers',
    'Trailer: X-End',
    'HTTP2-Settings: AAMAAABk',
    'Expect: 100-continue',
    'X-Agent-Spawn-Reason: egress.allowed',
    'Authorization: Bearer for-the-host',
    'Cookie: a=b',
    'Cookie: c=d',
    'Content-Length: 5',
  );
  assert.deepEqual(requestFields(head, PLAIN), [
    ...['host', 'a.example', 'user-agent', 'x', 'authorization', 'Bearer for-the-host'],
    ...['cookie', 'a=b', 'cookie', 'c=d', 'content-length', '5'],
  ]);
});

test('the framing of the body is that which was read', () => {
  const framing = (...lines: readonly string[]): readonly string[] => requestFields(headOf(...lines), PLAIN).slice(2);
  assert.deepEqual(
    [framing(), framing('Content-Length: 0'), framing('Transfer-Encoding: chunked')],
    [[], ['content-length', '0'], ['transfer-encoding', 'chunked']],
  );
});

test('an upgrade that was allowed is asked for anew', () => {
  const head = headOf('Connection: Upgrade', 'Upgrade: WebSocket', 'Sec-WebSocket-Key: x');
  assert.deepEqual(requestFields(head, PLAIN), ['host', 'a.example', 'sec-websocket-key', 'x']);
  assert.deepEqual(requestFields(head, { host: 'a.example:81', upgrade: 'websocket' }), [
    ...['host', 'a.example:81', 'sec-websocket-key', 'x'],
    ...['connection', 'Upgrade', 'upgrade', 'websocket'],
  ]);
});

test('what is sent upstream is read as the same request', () => {
  const head = headOf('X-Odd: \xe4  b', 'Transfer-Encoding: chunked');
  const text = renderRequestHead({ method: head.method, target: '/x' }, requestFields(head, PLAIN));
  assert.equal(text, 'POST /x HTTP/1.1\r\nhost: a.example\r\nx-odd: \xe4  b\r\ntransfer-encoding: chunked\r\n\r\n');
  const again = readRequestHead(Buffer.from(text, 'latin1'));
  assert.deepEqual(again.kind === 'head' ? again.head : again, { ...head, target: '/x' });
});

test('an answer comes back without what concerns the connection to the host, and none imitates the proxy', () => {
  const raw = [
    ...['Content-Type', 'text/plain', 'Connection', 'close, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5'],
    ...['Transfer-Encoding', 'chunked', 'Trailer', 'X-End', 'Upgrade', 'h2,h2c', 'Proxy-Authenticate', 'Basic'],
    ...['proxy-status', 'x', 'X-Agent-Spawn-Reason', 'egress.no-rule', 'Set-Cookie', 'a=b', 'Set-Cookie', 'c=d'],
    ...['Content-Length', '3', 'X-\xc4', 'a', 'X-Split', 'a\r\nX-Made-Up: b', 'X-Odd', '\xe4'],
  ];
  assert.deepEqual(responseFields(raw), [
    ...['Content-Type', 'text/plain', 'Set-Cookie', 'a=b', 'Set-Cookie', 'c=d', 'Content-Length', '3', 'X-Odd', '\xe4'],
  ]);
});

test('the head of an answer is one status line and its fields', () => {
  assert.equal(
    renderResponseHead(404, 'Not Found', ['content-length', '0', 'x', 'y']),
    'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nx: y\r\n\r\n',
  );
  assert.equal(renderResponseHead(200, 'OK\r\nX: y', []), 'HTTP/1.1 200 \r\n\r\n');
});
