import assert from 'node:assert/strict';
import test from 'node:test';
import { gatewayAnswerFields, gatewayFields, gatewaySecrets } from '../../../src/policy/gateway-fields.ts';
import { parseHead } from '../../../src/policy/head-lines.ts';
import type { Gateway } from '../../../src/policy/table.ts';

const API: Gateway = {
  provider: 'custom',
  mount: '/custom/api.example.com',
  base: { scheme: 'https', host: 'api.example.com', port: 443, path: '' },
  field: { name: 'x-team-token', word: '' },
  username: null,
  key: 'sk-real',
  placeholder: null,
  pointer: '/credentials/0',
};
const GIT: Gateway = {
  ...API,
  provider: 'git',
  field: { name: 'authorization', word: 'Basic' },
  username: 'x-access-token',
};

function fields(gateway: Gateway, ...lines: readonly string[]): readonly string[] {
  const head = parseHead(['POST /x HTTP/1.1', 'Host: 127.0.0.1:3128', ...lines].join('\r\n'));
  assert.ok(!('kind' in head));
  const flat = gatewayFields(head, gateway, 'api.example.com');
  return flat.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${flat[index + 1]}`] : []));
}

const ADDED = ['accept-encoding: identity', 'x-team-token: sk-real'];

test('whatever credentials the client sent are dropped, and the real one is there once', () => {
  const sent = fields(
    API,
    ...['Authorization: Bearer a', 'AUTHORIZATION: Basic b', 'Proxy-Authorization: Basic c', 'X-Api-Key: d'],
    ...['x-goog-api-key: e', 'Api-Key: f', 'Cookie: g=h', 'X-Team-Token: i', 'x_team_token: j', 'x_api_key: k'],
    ...['Connection: keep-alive, X-Team-Token', 'Anthropic-Version: 2023-06-01', 'Accept: text/event-stream'],
  );
  const kept = ['host: api.example.com', 'anthropic-version: 2023-06-01', 'accept: text/event-stream'];
  assert.deepEqual(sent, [...kept, ...ADDED]);
});

test('nothing changes method, path or origin behind the back of what was judged', () => {
  const sent = fields(
    API,
    ...['X-HTTP-Method-Override: DELETE', 'X-HTTP-Method: PUT', 'X-Method-Override: PUT'],
    ...['X-Original-URL: /admin', 'X-Rewrite-URL: /admin', 'X_HTTP_METHOD_OVERRIDE: DELETE'],
    ...['Forwarded: for=127.0.0.1', 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-User: root', 'X-Real-IP: 127.0.0.1'],
  );
  assert.deepEqual(sent, ['host: api.example.com', ...ADDED]);
});

test('answers are asked for whole and as they are', () => {
  const sent = fields(API, 'Accept-Encoding: gzip, br', 'Range: bytes=0-3', 'If-Range: "a"', 'A-IM: vcdiff');
  assert.deepEqual(sent, ['host: api.example.com', ...ADDED]);
});

test('the word before the credential is that of its field, and git has a user name', () => {
  const bearer = { ...API, field: { name: 'authorization', word: 'Bearer' } };
  assert.deepEqual(fields(bearer).slice(-1), ['authorization: Bearer sk-real']);
  const basic = Buffer.from('x-access-token:sk-real').toString('base64');
  assert.deepEqual(fields(GIT).slice(-1), [`authorization: Basic ${basic}`]);
  assert.deepEqual(fields({ ...API, key: null }, 'X-Team-Token: own'), [
    'host: api.example.com',
    'accept-encoding: identity',
  ]);
});

test('an answer has no cookies for the agent', () => {
  const raw = ['Content-Type', 'a/b', 'Set-Cookie', 'a=b', 'SET-COOKIE', 'c=d', 'set-cookie2', 'e', 'X-Kept', 'f'];
  assert.deepEqual(gatewayAnswerFields(raw), ['Content-Type', 'a/b', 'X-Kept', 'f']);
});

test('the secrets are the keys and what is sent in their place, each once', () => {
  const basic = Buffer.from('x-access-token:sk-real').toString('base64');
  assert.deepEqual(gatewaySecrets([API, GIT, { ...API, key: null }, { ...API, key: '' }]), ['sk-real', basic]);
});
