import assert from 'node:assert/strict';
import test from 'node:test';
import { decide } from '../../../src/policy/decide.ts';
import { decideAddresses } from '../../../src/policy/decide-addresses.ts';
import type { AddressDecision } from '../../../src/policy/decision.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import type { CompiledPolicy } from '../../../src/policy/rules.ts';
import { address, denial, policyOf, request, rule, tunnel } from './sample-policy.ts';

const OWN = ['11.0.0.99', '2606:4700::99', '192.168.7.7'];

/** What comes of a request that is allowed and whose host leads to these addresses. */
function lead(policy: CompiledPolicy, intent: EgressIntent, answers: readonly string[]): AddressDecision {
  const { matched, verdict } = decide(policy, intent);
  assert.equal(verdict, 'allow');
  assert.ok(matched);
  return decideAddresses(policy, intent, matched, { candidates: answers.map(address), own: OWN.map(address) });
}

function dialled(decision: AddressDecision): readonly string[] {
  return decision.addresses.map(({ text }) => text);
}

test('a name leads to public addresses, in the order of the answer and once each', () => {
  for (const host of ['example.com', '*']) {
    const decision = lead(policyOf([host]), tunnel('example.com'), [
      '11.0.0.5',
      '2606:4700::1',
      '11.0.0.5',
      '11.0.0.4',
    ]);
    assert.deepEqual(dialled(decision), ['11.0.0.5', '2606:4700::1', '11.0.0.4']);
    assert.equal(decision.verdict, 'allow');
    assert.equal(decision.rule, '/allowed_hosts/0');
    assert.equal(decision.message, 'allowed_hosts[0] allows example.com:443.');
  }
});

test('a name that leads to no public address is refused', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['10.0.0.1', 'egress.private-address'],
    ['172.16.0.1', 'egress.private-address'],
    ['192.168.0.1', 'egress.private-address'],
    ['169.254.0.1', 'egress.private-address'],
    ['100.64.0.1', 'egress.private-address'],
    ['fd12::1', 'egress.private-address'],
    ['fe80::1', 'egress.private-address'],
    ['224.0.0.1', 'egress.private-address'],
    ['255.255.255.255', 'egress.private-address'],
    ['198.18.0.1', 'egress.private-address'],
    ['0.0.0.1', 'egress.private-address'],
    ['::ffff:10.0.0.1', 'egress.private-address'],
    ['64:ff9b::10.0.0.1', 'egress.private-address'],
    ['2002:a00:1::1', 'egress.private-address'],
    ['127.0.0.1', 'egress.own-address'],
    ['127.9.9.9', 'egress.own-address'],
    ['0.0.0.0', 'egress.own-address'],
    ['::', 'egress.own-address'],
    ['::1', 'egress.own-address'],
    ['::ffff:127.0.0.1', 'egress.own-address'],
    ['64:ff9b::127.0.0.1', 'egress.own-address'],
    ['11.0.0.99', 'egress.own-address'],
    ['::ffff:11.0.0.99', 'egress.own-address'],
    ['64:ff9b::11.0.0.99', 'egress.own-address'],
    ['2002:b00:63::1', 'egress.own-address'],
    ['2606:4700::99', 'egress.own-address'],
    ['192.168.7.7', 'egress.own-address'],
    ['169.254.169.254', 'egress.metadata-address'],
    ['fd00:ec2::254', 'egress.metadata-address'],
    ['100.100.100.200', 'egress.metadata-address'],
    ['168.63.129.16', 'egress.metadata-address'],
    ['::ffff:169.254.169.254', 'egress.metadata-address'],
  ];
  for (const [answer, reason] of cases) {
    for (const host of ['example.com', '*']) {
      const decision = lead(policyOf([host]), tunnel('example.com'), [answer]);
      assert.deepEqual([decision.verdict, decision.reason, decision.rule], ['deny', reason, null], answer);
      assert.deepEqual(decision.addresses, [], answer);
    }
  }
});

test('of a mixed answer only what may be dialled is left', () => {
  const policy = policyOf(['example.com'], ['11.0.0.6']);
  const answers = ['127.0.0.1', '11.0.0.5', '10.0.0.1', '169.254.169.254', '11.0.0.99', '11.0.0.6', '11.0.0.7'];
  assert.deepEqual(dialled(lead(policy, tunnel('example.com'), answers)), ['11.0.0.5', '11.0.0.7']);
});

test('a refusal for several reasons tells the gravest', () => {
  const policy = policyOf(['example.com'], ['11.0.0.6']);
  const reason = (...answers: readonly string[]): string => lead(policy, tunnel('example.com'), answers).reason;
  assert.equal(reason('10.0.0.1', '127.0.0.1'), 'egress.own-address');
  assert.equal(reason('10.0.0.1', '127.0.0.1', '169.254.169.254'), 'egress.metadata-address');
  assert.equal(reason('10.0.0.1', '127.0.0.1', '169.254.169.254', '11.0.0.6'), 'egress.denied-host');
  assert.equal(reason(), 'egress.name-unknown');
});

test('an address that a rule writes out is reached by a name, too', () => {
  const policy = policyOf(['example.com', '10.0.0.0/8', '127.0.0.1', '169.254.169.254', '11.0.0.99', '192.168.7.0/24']);
  for (const answer of ['10.9.9.9', '127.0.0.1', '169.254.169.254', '11.0.0.99', '::ffff:10.0.0.1'])
    assert.deepEqual(dialled(lead(policy, tunnel('example.com'), [answer])), [answer]);
  for (const answer of ['127.0.0.2', '192.168.0.1', '192.168.7.7', '169.254.169.253', '64:ff9b::10.0.0.1'])
    assert.deepEqual(dialled(lead(policy, tunnel('example.com'), [answer])), [], answer);
});

test('an address is written out only for what its rule takes', () => {
  const written = (more: Parameters<typeof rule>[1]): CompiledPolicy =>
    policyOf(['example.com', rule('10.0.0.1', more)]);
  assert.deepEqual(dialled(lead(written({ ports: [5432] }), tunnel('example.com'), ['10.0.0.1'])), []);
  assert.deepEqual(dialled(lead(written({ methods: ['GET'] }), tunnel('example.com'), ['10.0.0.1'])), []);
  assert.deepEqual(dialled(lead(written({ paths: ['/x'] }), request('example.com'), ['10.0.0.1'])), []);
  assert.deepEqual(dialled(lead(written({ paths: ['/'] }), request('example.com'), ['10.0.0.1'])), ['10.0.0.1']);
});

test('what is denied is not dialled under any name or form', () => {
  const answers = ['10.0.0.1', '::ffff:10.0.0.1', '64:ff9b::10.0.0.1', '2002:a00:1::1', '::10.0.0.1'];
  for (const deny of ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0']) {
    const policy = policyOf(['example.com', '10.0.0.1', '::/0'], [deny]);
    for (const answer of answers) {
      const decision = lead(policy, tunnel('example.com'), [answer]);
      assert.deepEqual(
        [decision.reason, decision.rule],
        ['egress.denied-host', '/denied_hosts/0'],
        `${deny} ${answer}`,
      );
    }
  }
  const six = policyOf(['example.com', '10.0.0.1'], ['::/0']);
  assert.deepEqual(dialled(lead(six, tunnel('example.com'), [...answers, '2606:4700::1'])), ['10.0.0.1']);
});

test('an address that is denied on one port is dialled on another', () => {
  const policy = policyOf(['example.com'], [denial('11.0.0.5', { ports: [80] })]);
  assert.deepEqual(dialled(lead(policy, tunnel('example.com', 80), ['11.0.0.5'])), []);
  assert.deepEqual(dialled(lead(policy, tunnel('example.com', 443), ['11.0.0.5'])), ['11.0.0.5']);
});

test('an address that was asked for itself is judged like the answer of a lookup', () => {
  const policy = policyOf(['*', '10.0.0.0/8', '127.0.0.1', '192.168.7.0/24']);
  const itself = (text: string): readonly string[] => dialled(lead(policy, tunnel(text), [text]));
  for (const text of ['11.0.0.5', '10.0.0.1', '127.0.0.1']) assert.deepEqual(itself(text), [text]);
  for (const text of ['11.0.0.99', '192.168.7.7', '2606:4700::99']) assert.deepEqual(itself(text), [], text);
});

test('a refusal names the address and what to write', () => {
  const policy = policyOf(['example.com', '11.0.0.99/32'], [denial('11.0.0.6', { reason: 'Rivals' })]);
  const texts = ['10.0.0.1', '::1', '2606:4700::99', '169.254.169.254', '11.0.0.6'].map((answer) =>
    lead(policy, tunnel('example.com'), [answer]),
  );
  assert.deepEqual(
    texts.map(({ message, suggestion }) => [message, suggestion]),
    [
      ['example.com:443 leads to 10.0.0.1, a private address.', 'Add "10.0.0.1" to allowed_hosts.'],
      ['example.com:443 leads to ::1, an address of this machine itself.', 'Add "[::1]" to allowed_hosts.'],
      [
        'example.com:443 leads to 2606:4700::99, an address of this machine itself.',
        'Add "[2606:4700::99]" to allowed_hosts.',
      ],
      [
        'example.com:443 leads to 169.254.169.254, the address of a metadata service.',
        'Add "169.254.169.254" to allowed_hosts if the agent may have the credentials of this machine.',
      ],
      [
        'example.com:443 leads to 11.0.0.6, which denied_hosts[0] ("Rivals") denies.',
        'Take "11.0.0.6" out of denied_hosts if the agent may go there.',
      ],
    ],
  );
});
