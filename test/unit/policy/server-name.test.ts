import assert from 'node:assert/strict';
import test from 'node:test';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import { judgeServerName } from '../../../src/policy/server-name.ts';
import type { EgressRule } from '../../../src/policy/table.ts';
import { rule, tunnel } from './sample-policy.ts';

function reasonOf(
  intent: EgressIntent,
  matched: EgressRule,
  serverName: string | null,
  encryptedClientHello = false,
): string {
  const { verdict, reason } = judgeServerName(intent, matched, { serverName, encryptedClientHello });
  assert.equal(verdict === 'allow', reason === 'egress.allowed');
  return reason;
}

test('the handshake names the host of the tunnel', () => {
  const intent = tunnel('example.com');
  for (const host of ['example.com', '*']) {
    for (const name of ['example.com', 'EXAMPLE.com', 'example.com.'])
      assert.equal(reasonOf(intent, rule(host), name), 'egress.allowed', name);
    for (const name of [
      'evil.com',
      'a.example.com',
      'example.com.evil.com',
      'example.com..',
      '',
      'ex\u0430mple.com',
      '11.0.0.5',
    ])
      assert.equal(reasonOf(intent, rule(host), name), 'egress.server-name-mismatch', name);
  }
});

test('a handshake that names no host or hides one is refused', () => {
  assert.equal(reasonOf(tunnel('example.com'), rule('example.com'), null), 'egress.server-name-missing');
  assert.equal(reasonOf(tunnel('example.com'), rule('example.com'), null, true), 'egress.server-name-missing');
  assert.equal(
    reasonOf(tunnel('example.com'), rule('example.com'), 'example.com', true),
    'egress.encrypted-client-hello',
  );
  assert.equal(reasonOf(tunnel('example.com'), rule('example.com'), 'evil.com', true), 'egress.server-name-mismatch');
});

test('a tunnel to an address needs no name, and carries no other', () => {
  const intent = tunnel('11.0.0.5');
  for (const host of ['11.0.0.5', '11.0.0.0/24', '*']) {
    assert.equal(reasonOf(intent, rule(host), null), 'egress.allowed');
    assert.equal(reasonOf(intent, rule(host), null, true), 'egress.allowed');
    assert.equal(reasonOf(intent, rule(host), '11.0.0.5'), 'egress.allowed');
    assert.equal(reasonOf(intent, rule(host), 'example.com'), 'egress.server-name-mismatch');
  }
});

test('a rule for any protocol takes any handshake', () => {
  const any = rule('example.com', { protocol: 'tcp' });
  for (const name of [null, 'evil.com', 'example.com'])
    assert.equal(reasonOf(tunnel('example.com'), any, name, true), 'egress.allowed');
});

test('a refusal says what to do, and names the card only where the card can help', () => {
  const judge = (pointer: string): readonly (string | null)[] => {
    const hello = { serverName: 'evil.com', encryptedClientHello: false };
    const { message, suggestion } = judgeServerName(tunnel('example.com'), rule('example.com', { pointer }), hello);
    return [message, suggestion];
  };
  const message = 'The TLS handshake in the tunnel to example.com:443 names "evil.com".';
  const remedy = 'Ask the proxy for the host that is meant';
  assert.deepEqual(judge('/allowed_hosts/2'), [message, `${remedy}, or set "protocol": "tcp" at allowed_hosts[2].`]);
  assert.deepEqual(judge('/api_provider'), [message, `${remedy}.`]);
});
