import assert from 'node:assert/strict';
import test from 'node:test';
import { decide } from '../../../src/policy/decide.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import type { ReasonCode } from '../../../src/policy/reasons.ts';
import type { CompiledPolicy } from '../../../src/policy/rules.ts';
import { denial, policyOf, request, rule, tunnel } from './sample-policy.ts';

/** Reason and deciding rule of a request. */
function outcome(policy: CompiledPolicy, intent: EgressIntent): readonly [ReasonCode, string | null] {
  const { verdict, reason, rule: pointer } = decide(policy, intent);
  assert.equal(verdict === 'allow', reason === 'egress.allowed');
  return [reason, pointer];
}

const HOSTS = ['example.com', 'a.example.com', 'localhost', '11.0.0.5', '127.0.0.1', '::1', '169.254.169.254'];

test('an empty policy refuses everything', () => {
  for (const host of HOSTS) {
    for (const intent of [tunnel(host), request(host), tunnel(host, 80)])
      assert.equal(decide(policyOf([]), intent).verdict, 'deny', host);
  }
});

test('a name allows itself and nothing that looks like it', () => {
  const policy = policyOf(['example.com']);
  assert.deepEqual(outcome(policy, tunnel('example.com')), ['egress.allowed', '/allowed_hosts/0']);
  const others = ['evil-example.com', 'example.com.evil.com', 'examplexcom', 'notexample.com', 'a.example.com', 'com'];
  for (const host of [...others, 'example.co', 'example.comm', 'xample.com', 'example'])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.no-rule', null], host);
});

test('a wildcard allows what lies below at any depth, and not the name itself', () => {
  const policy = policyOf(['*.example.com']);
  for (const host of ['a.example.com', 'a.b.example.com', 'xn--a.example.com'])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.allowed', '/allowed_hosts/0'], host);
  for (const host of ['example.com', 'aexample.com', 'a.example.com.evil.com', 'a-example.com', 'a.example.org'])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.no-rule', null], host);
});

test('letter case and the final dot change neither verdict nor rule', () => {
  const policy = policyOf(['API.Example.com.', '*.Example.NET'], ['BAD.example.net.']);
  for (const host of ['api.example.com', 'API.EXAMPLE.COM', 'api.example.com.', 'Api.Example.Com.'])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.allowed', '/allowed_hosts/0'], host);
  for (const host of ['bad.example.net', 'BAD.Example.net.'])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.denied-host', '/denied_hosts/0'], host);
});

test('what is no plain host name is refused, also where everything is allowed', () => {
  const policy = policyOf(['*', '*.example.com', 'example.com']);
  const label = 'a'.repeat(64);
  const names = ['example.com..', 'a..example.com', '', '.', `${label}.example.com`, `${'a.'.repeat(130)}example.com`];
  const foreign = ['b\u00fccher.example.com', 'a\u3002example.com', 'exa\u00admple.com', 'ex\u0430mple.com'];
  const tricks = [
    'evil.com\u0000.example.com',
    'evil.com/.example.com',
    'a@example.com',
    'a_b.example.com',
    'a%2e.example.com',
  ];
  for (const name of [...names, ...foreign, ...tricks, ' a.example.com', 'a.example.com:443', '1.2.3', '127.0.0.1']) {
    const intent: EgressIntent = { ...tunnel('x'), destination: { kind: 'name', name } };
    assert.deepEqual(outcome(policy, intent), ['egress.host-name', null], name.slice(0, 80));
  }
});

test('a name in its ASCII form is only what it says', () => {
  const policy = policyOf(['xn--bcher-kva.example.com']);
  assert.deepEqual(outcome(policy, tunnel('xn--bcher-kva.example.com')), ['egress.allowed', '/allowed_hosts/0']);
  assert.deepEqual(outcome(policy, tunnel('bucher.example.com')), ['egress.no-rule', null]);
});

test('an address is reached only where it is written out', () => {
  const policy = policyOf(['example.com', '11.0.0.5', '11.1.0.0/16', '2606:4700::1']);
  assert.deepEqual(outcome(policy, tunnel('11.0.0.5')), ['egress.allowed', '/allowed_hosts/1']);
  assert.deepEqual(outcome(policy, tunnel('11.1.2.3')), ['egress.allowed', '/allowed_hosts/2']);
  assert.deepEqual(outcome(policy, tunnel('2606:4700::1')), ['egress.allowed', '/allowed_hosts/3']);
  assert.deepEqual(outcome(policy, tunnel('::ffff:11.0.0.5')), ['egress.allowed', '/allowed_hosts/1']);
  for (const host of [
    '11.0.0.6',
    '11.2.0.1',
    '1.2.3.4',
    '10.0.0.1',
    '192.168.0.1',
    '2606:4700::2',
    '64:ff9b::11.0.0.5',
  ])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.address-unlisted', null], host);
});

test('odd forms of an address are that address', () => {
  const policy = policyOf(['*', '127.0.0.9']);
  const odd = ['127.1', '2130706433', '0x7f.1', '0177.0.0.1', '127.0.0.1.', '0', '0x0', '::1', '::', '::ffff:7f00:1'];
  for (const host of [...odd, '64:ff9b::7f00:1', '2002:7f00:1::', '::127.0.0.1'])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.own-address', null], host);
  assert.deepEqual(outcome(policy, tunnel('127.9')), ['egress.allowed', '/allowed_hosts/1']);
});

test('a range opens neither this machine nor its metadata, the address itself does', () => {
  const ranges = policyOf(['127.0.0.0/8', '169.254.0.0/16', '0.0.0.0/0', '::/0', '168.63.0.0/16']);
  for (const host of ['127.0.0.1', '0.0.0.0', '::1'])
    assert.deepEqual(outcome(ranges, tunnel(host)), ['egress.own-address', null], host);
  for (const host of ['169.254.169.254', '168.63.129.16', 'fd00:ec2::254', '2002:a9fe:a9fe::'])
    assert.deepEqual(outcome(ranges, tunnel(host)), ['egress.metadata-address', null], host);
  assert.deepEqual(outcome(ranges, tunnel('169.254.0.1')), ['egress.allowed', '/allowed_hosts/1']);
  const literals = policyOf(['127.0.0.1', '169.254.169.254', 'fd00:ec2::254']);
  for (const [index, host] of ['127.0.0.1', '169.254.169.254', 'fd00:ec2::254'].entries())
    assert.deepEqual(outcome(literals, tunnel(host)), ['egress.allowed', `/allowed_hosts/${index}`], host);
});

test('a star is every name and every public address, but no address beside denied names', () => {
  const open = policyOf(['*'], ['11.0.0.6', '11.9.0.0/16']);
  for (const host of ['example.com', 'intranet', '11.0.0.5', '2606:4700::1'])
    assert.deepEqual(outcome(open, tunnel(host)), ['egress.allowed', '/allowed_hosts/0'], host);
  for (const host of ['11.0.0.6', '11.9.1.1', '::ffff:11.0.0.6', '64:ff9b::11.0.0.6', '2002:b00:6::1'])
    assert.equal(decide(open, tunnel(host)).reason, 'egress.denied-host', host);
  for (const host of ['10.0.0.1', '100.64.0.1', '198.51.100.1', 'fd12::1', '224.0.0.1', '2001:db8::1'])
    assert.deepEqual(outcome(open, tunnel(host)), ['egress.address-unlisted', null], host);
  for (const deny of ['evil.example.com', '*.example.com']) {
    const policy = policyOf(['*'], [deny]);
    assert.deepEqual(outcome(policy, tunnel('11.0.0.5')), ['egress.address-unlisted', null], deny);
    assert.deepEqual(outcome(policy, tunnel('example.org')), ['egress.allowed', '/allowed_hosts/0'], deny);
  }
});

test('only listed ports pass', () => {
  const policy = policyOf(['example.com', rule('example.org', { ports: [8443] }), '*.example.net']);
  for (const port of [80, 443]) assert.equal(decide(policy, tunnel('example.com', port)).verdict, 'allow');
  for (const port of [22, 25, 6379, 0, 65_536, 4430, 44, -443, 443.5, Number.NaN])
    assert.deepEqual(outcome(policy, tunnel('example.com', port)), ['egress.port', '/allowed_hosts/0'], `${port}`);
  assert.deepEqual(outcome(policy, tunnel('example.org', 443)), ['egress.port', '/allowed_hosts/1']);
  assert.deepEqual(outcome(policy, tunnel('example.org', 8443)), ['egress.allowed', '/allowed_hosts/1']);
  assert.deepEqual(outcome(policy, tunnel('a.example.net', 8443)), ['egress.port', '/allowed_hosts/2']);
});

test('deny wins over every rule that allows', () => {
  const allow = ['example.com', '*.example.com', '*', 'a.example.com'];
  for (const deny of ['a.example.com', '*.example.com', '*'])
    assert.deepEqual(
      outcome(policyOf(allow, [deny]), tunnel('a.example.com')),
      ['egress.denied-host', '/denied_hosts/0'],
      deny,
    );
  assert.equal(decide(policyOf(allow, ['*.example.com']), tunnel('example.com')).verdict, 'allow');
  assert.equal(decide(policyOf(allow, ['b.example.com']), tunnel('a.example.com')).verdict, 'allow');
});

test('a star that denies leaves neither names nor addresses', () => {
  const policy = policyOf(['example.com', '11.0.0.5', '*'], ['*']);
  for (const host of ['example.com', '11.0.0.5', '11.0.0.6', 'intranet'])
    assert.deepEqual(outcome(policy, tunnel(host)), ['egress.denied-host', '/denied_hosts/0'], host);
});

test('a denied port leaves the others', () => {
  const policy = policyOf(['example.com'], [denial('example.com', { ports: [80] })]);
  assert.deepEqual(outcome(policy, tunnel('example.com', 80)), ['egress.denied-host', '/denied_hosts/0']);
  assert.deepEqual(outcome(policy, tunnel('example.com', 443)), ['egress.allowed', '/allowed_hosts/0']);
});

test('a deny rule for methods or paths denies the tunnel that hides them', () => {
  const policy = policyOf(['example.com'], [denial('example.com', { methods: ['POST'], paths: ['/admin'] })]);
  assert.equal(decide(policy, tunnel('example.com')).reason, 'egress.denied-host');
  assert.equal(
    decide(policy, request('example.com', { method: 'POST', path: '/admin/x' })).reason,
    'egress.denied-host',
  );
  assert.equal(decide(policy, request('example.com', { method: 'POST', path: '/adminx' })).reason, 'egress.allowed');
  assert.equal(decide(policy, request('example.com', { method: 'GET', path: '/admin' })).reason, 'egress.allowed');
});

test('methods and paths pass as they are listed', () => {
  const policy = policyOf([
    rule('example.com', { methods: ['GET', 'HEAD'], paths: ['/api', '/files/', '/caf%c3%a9'] }),
  ]);
  const cases: readonly (readonly [string, string | null, ReasonCode])[] = [
    ['GET', '/api', 'egress.allowed'],
    ['HEAD', '/api/', 'egress.allowed'],
    ['GET', '/api/v1/x', 'egress.allowed'],
    ['GET', '/files/x', 'egress.allowed'],
    ['GET', '/files/', 'egress.allowed'],
    ['GET', '/caf%C3%A9/x', 'egress.allowed'],
    ['GET', '/files', 'egress.path'],
    ['GET', '/apix', 'egress.path'],
    ['GET', '/api%2Fx', 'egress.path'],
    ['GET', '/', 'egress.path'],
    ['GET', '/x/api', 'egress.path'],
    ['GET', '*', 'egress.path'],
    ['GET', null, 'egress.path'],
    ['POST', '/api', 'egress.method'],
    ['get', '/api', 'egress.method'],
    ['TRACE', '/api', 'egress.method-refused'],
    ['TRACK', '/api', 'egress.method-refused'],
    ['CONNECT', '/api', 'egress.method-refused'],
  ];
  for (const [method, path, reason] of cases)
    assert.equal(decide(policy, request('example.com', { method, path })).reason, reason, `${method} ${path}`);
});

test('a rule that limits methods or paths allows no tunnel, another rule for the host may', () => {
  for (const limits of [{ methods: ['GET'] }, { paths: ['/'] }]) {
    const limited = rule('example.com', limits);
    assert.deepEqual(outcome(policyOf([limited]), tunnel('example.com')), ['egress.method-hidden', '/allowed_hosts/0']);
    const both = policyOf([limited, rule('example.com', { ports: [443] })]);
    assert.deepEqual(outcome(both, tunnel('example.com')), ['egress.allowed', '/allowed_hosts/1']);
    assert.deepEqual(outcome(both, request('example.com', { path: '/' })), ['egress.allowed', '/allowed_hosts/0']);
  }
});

test('any rule for the host is enough, the most specific one explains a refusal', () => {
  const policy = policyOf([
    rule('*', { ports: [8080] }),
    rule('*.example.com', { methods: ['GET'] }),
    rule('a.example.com', { ports: [443] }),
    rule('a.example.com', { ports: [80], paths: ['/x'] }),
  ]);
  assert.deepEqual(outcome(policy, tunnel('a.example.com', 8080)), ['egress.allowed', '/allowed_hosts/0']);
  assert.deepEqual(outcome(policy, request('a.example.com')), ['egress.allowed', '/allowed_hosts/1']);
  assert.deepEqual(outcome(policy, request('a.example.com', { method: 'POST' })), ['egress.path', '/allowed_hosts/3']);
  assert.deepEqual(outcome(policy, tunnel('a.example.com', 22)), ['egress.port', '/allowed_hosts/2']);
  assert.deepEqual(outcome(policy, tunnel('b.example.com', 80)), ['egress.method-hidden', '/allowed_hosts/1']);
  assert.deepEqual(outcome(policy, tunnel('example.org', 443)), ['egress.port', '/allowed_hosts/0']);
});

test('of the rules that allow a tunnel the one that lets it carry anything counts', () => {
  const policy = policyOf(['example.com', rule('*', { protocol: 'tcp' })]);
  assert.equal(decide(policy, tunnel('example.com')).matched?.protocol, 'tcp');
  assert.deepEqual(outcome(policy, request('example.com')), ['egress.allowed', '/allowed_hosts/0']);
});

test('a decision says what decided and what to write', () => {
  const policy = policyOf(
    [rule('example.com', { reason: 'Packages of the build' }), rule('*.example.org', { methods: ['GET'] })],
    [denial('gist.example.com', { reason: 'Nothing may be posted there' })],
  );
  const texts = [
    tunnel('example.com'),
    tunnel('other.example'),
    tunnel('other.example', 8443),
    tunnel('example.com', 22),
    tunnel('gist.example.com'),
    tunnel('a.example.org'),
    request('a.example.org', { method: 'POST' }),
    tunnel('::1', 8080),
    tunnel('169.254.169.254', 80),
    tunnel('10.0.0.1'),
  ].map((intent) => decide(policy, intent));
  assert.deepEqual(
    texts.map(({ message, suggestion }) => [message, suggestion]),
    [
      ['allowed_hosts[0] ("Packages of the build") allows example.com:443.', null],
      ['No rule of the card names other.example:443.', 'Add "other.example" to allowed_hosts.'],
      ['No rule of the card names other.example:8443.', 'Add "other.example:8443" to allowed_hosts.'],
      [
        'allowed_hosts[0] ("Packages of the build") allows example.com on ports 80 or 443, not example.com:22.',
        'Add "example.com:22" to allowed_hosts.',
      ],
      [
        'denied_hosts[0] ("Nothing may be posted there") denies gist.example.com:443.',
        'Take "gist.example.com" out of denied_hosts if the agent may go there.',
      ],
      [
        'allowed_hosts[1] limits methods or paths, which the tunnel to a.example.org:443 hides.',
        'Add "a.example.org" to allowed_hosts without methods and paths, or ask by http.',
      ],
      ['allowed_hosts[1] does not allow "POST" at a.example.org:80.', 'Add "POST" to the methods of allowed_hosts[1].'],
      [
        '[::1]:8080 is an address of this machine itself that no rule of the card writes out.',
        'Add "[::1]:8080" to allowed_hosts.',
      ],
      [
        '169.254.169.254:80 is the address of a metadata service that no rule of the card writes out.',
        'Add "169.254.169.254" to allowed_hosts if the agent may have the credentials of this machine.',
      ],
      ['10.0.0.1:443 is a private address that no rule of the card writes out.', 'Add "10.0.0.1" to allowed_hosts.'],
    ],
  );
});

test('what is suggested for a refusal is enough', () => {
  const hosts = [
    'example.com',
    '10.0.0.1',
    '::1',
    '127.0.0.1',
    '169.254.169.254',
    '11.0.0.5',
    'fd00:ec2::254',
    '2001:db8::1',
  ];
  for (const host of hosts) {
    for (const port of [80, 443]) {
      const { suggestion } = decide(policyOf([]), tunnel(host, port));
      const [, entry = ''] = /^Add "([^"]+)"/.exec(suggestion ?? '') ?? [];
      const written = entry.replace(/^\[(.*)\]$/, '$1');
      assert.equal(decide(policyOf([written]), tunnel(host, port)).verdict, 'allow', `${host}: ${suggestion}`);
    }
  }
});
