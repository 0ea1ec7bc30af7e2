import assert from 'node:assert/strict';
import test from 'node:test';
import { isReadable, redirectAtProxy } from '../../../src/policy/gateway-answer.ts';
import type { Gateway } from '../../../src/policy/table.ts';

const API: Gateway = {
  provider: 'custom',
  mount: '/custom/api.example.com',
  base: { scheme: 'https', host: 'api.example.com', port: 443, path: '/llm' },
  field: { name: 'authorization', word: 'Bearer' },
  username: null,
  key: 'sk-real',
  placeholder: null,
  pointer: '/credentials/0',
};
const GIT: Gateway = { ...API, provider: 'git', mount: '/git/api.example.com', base: { ...API.base, path: '/acme' } };

test('a redirect below the base URL leads to the gateway', () => {
  const at = (location: string): string | null => redirectAtProxy(API, { location, path: '/llm/v1/models' });
  assert.equal(at('https://api.example.com/llm/v2?a=b#c'), '/custom/api.example.com/v2?a=b#c');
  assert.equal(at('https://api.example.com:443/llm'), '/custom/api.example.com');
  assert.equal(at('HTTPS://API.example.com/llm/x'), '/custom/api.example.com/x');
  assert.equal(at('/llm/other'), '/custom/api.example.com/other');
  assert.equal(at('other'), '/custom/api.example.com/v1/other');
  assert.equal(at('//api.example.com/llm/x'), '/custom/api.example.com/x');
  const git = redirectAtProxy(GIT, { location: '/acme/new.git/info/refs', path: '/acme/old.git/info/refs' });
  assert.equal(git, '/git/api.example.com/acme/new.git/info/refs');
});

test('a redirect to anywhere else is none', () => {
  const elsewhere = [
    'https://evil.example.net/llm/v1',
    'https://api.example.com.evil.example.net/llm',
    'https://api.example.com@evil.example.net/llm',
    'https://user@api.example.com/llm/x',
    'https://api.example.com:8443/llm/x',
    'http://api.example.com/llm/x',
    '//evil.example.net/llm/x',
    '\\\\evil.example.net\\llm',
    '/other',
    '/llmx',
    '/llm/../admin',
    '/llm/%2e%2e/admin',
    '/llm/..%2fadmin',
    '../../admin',
    'javascript:alert(1)',
    'https://',
    'https://[::1/llm',
  ];
  const followed = elsewhere.filter((location) => redirectAtProxy(API, { location, path: '/llm/v1/x' }) !== null);
  assert.deepEqual(followed, []);
  assert.equal(redirectAtProxy(GIT, { location: '/other/new.git/info/refs', path: '/acme/old.git/info/refs' }), null);
});

test('an answer can be looked into when its bytes are its contents', () => {
  const readable = (contentEncoding?: string, transferEncoding?: string): boolean =>
    isReadable({ contentEncoding, transferEncoding });
  assert.deepEqual(
    [readable(), readable('identity'), readable('Identity, identity'), readable(undefined, 'Chunked'), readable('')],
    [true, true, true, true, true],
  );
  for (const coding of ['gzip', 'br', 'zstd', 'identity, gzip', 'x-unknown', 'aes128gcm'])
    assert.equal(readable(coding), false, coding);
  assert.deepEqual([readable(undefined, 'gzip, chunked'), readable(undefined, 'gzip')], [false, false]);
});
