import assert from 'node:assert/strict';
import test from 'node:test';
import { EGRESS_RULES_MAX } from '../../../src/base/limits.ts';
import { decide } from '../../../src/policy/decide.ts';
import {
  type CompiledRule,
  compilePolicy,
  type RuleIndex,
  rulesForAddress,
  rulesForName,
} from '../../../src/policy/rules.ts';
import { address, denial, policyOf, rule, tunnel } from './sample-policy.ts';

function hostsOf(groups: readonly (readonly CompiledRule[])[]): readonly (readonly string[])[] {
  return groups.map((group) => group.map((compiled) => compiled.rule.host));
}

test('rules for a name come from the most specific to the least', () => {
  const { allow } = policyOf([
    '*',
    '*.com.example',
    '*.b.com.example',
    'a.b.com.example',
    '*.B.com.example',
    'b.com.example',
  ]);
  assert.deepEqual(hostsOf(rulesForName(allow, 'a.b.com.example')), [
    ['a.b.com.example'],
    ['*.b.com.example', '*.B.com.example'],
    ['*.com.example'],
    ['*'],
  ]);
  assert.deepEqual(hostsOf(rulesForName(allow, 'com.example')), [['*']]);
});

test('rules for an address come from the narrowest to the widest', () => {
  const { allow } = policyOf(['0.0.0.0/0', '10.0.0.0/8', '10.0.0.1', '10.0.0.0/24', '10.0.0.0/08', '*', '::/0']);
  const expected = [['10.0.0.1'], ['10.0.0.0/24'], ['10.0.0.0/8', '10.0.0.0/08'], ['0.0.0.0/0']];
  assert.deepEqual(hostsOf(rulesForAddress(allow, address('10.0.0.1'))), expected);
  assert.deepEqual(hostsOf(rulesForAddress(allow, address('::ffff:10.0.0.1'))), expected);
});

test('a policy with a rule that cannot be understood is refused whole, with every such rule', () => {
  const result = compilePolicy({
    allow: [
      rule('example.com'),
      rule('exa*mple.com', { pointer: '/allowed_hosts/1' }),
      rule('example.com', { pointer: '/allowed_hosts/2', ports: null }),
      rule('example.com', { pointer: '/allowed_hosts/3', ports: [] }),
      rule('example.com', { pointer: '/allowed_hosts/4', ports: [0] }),
      rule('example.com', { pointer: '/allowed_hosts/5', ports: [65_536] }),
      rule('example.com', { pointer: '/allowed_hosts/6', ports: [1.5] }),
      rule('example.com', { pointer: '/allowed_hosts/7', methods: ['get'] }),
      rule('example.com', { pointer: '/allowed_hosts/8', paths: ['api'] }),
    ],
    deny: [denial('127.1', { pointer: '/denied_hosts/0' }), denial('example.com')],
  });
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ code, pointer }) => `${code} ${pointer}`),
    [
      'card.host-pattern /allowed_hosts/1',
      ...[2, 3, 4, 5, 6, 7, 8].map((index) => `card.out-of-range /allowed_hosts/${index}`),
      'card.host-pattern /denied_hosts/0',
    ],
  );
  assert.equal(result.problems.at(-1)?.suggestion, 'Write "127.0.0.1".');
});

test('more rules than an agent may have are refused', () => {
  const rules = Array.from({ length: EGRESS_RULES_MAX + 1 }, (_, index) =>
    rule(`h${index}.example`, { pointer: `/allowed_hosts/${index}` }),
  );
  assert.equal(compilePolicy({ allow: rules.slice(1), deny: [] }).ok, true);
  const result = compilePolicy({ allow: rules, deny: [] });
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ pointer }) => pointer),
    [`/allowed_hosts/${EGRESS_RULES_MAX}`],
  );
});

test('names as people write them into objects are no keys of objects', () => {
  const policy = policyOf(['example.com']);
  for (const name of ['constructor', 'tostring', 'hasownproperty', 'valueof'])
    assert.equal(decide(policy, tunnel(name)).reason, 'egress.no-rule');
});

test('a decision looks at few rules, however many there are', () => {
  const names = Array.from({ length: 1024 }, (_, index) =>
    index % 2 === 0 ? `h${index}.example.com` : `*.h${index}.example.com`,
  );
  const policy = policyOf(
    names,
    names.map((name) => name.replace('example.com', 'example.org')),
  );
  const counter = { lookups: 0 };
  const counted = { allow: countLookups(policy.allow, counter), deny: countLookups(policy.deny, counter) };
  const name = 'a.b.h1023.example.com';
  assert.equal(decide(counted, tunnel(name)).verdict, 'allow');
  const labels = name.split('.').length;
  assert.equal(counter.lookups, 2 * labels);
});

/** An index that counts what is asked of it, and whose lists nobody may walk through. */
function countLookups(index: RuleIndex, counter: { lookups: number }): RuleIndex {
  const count = (map: ReadonlyMap<string, readonly CompiledRule[]>): ReadonlyMap<string, readonly CompiledRule[]> =>
    new Proxy(map, {
      get(target, key) {
        assert.equal(key, 'get');
        counter.lookups += 1;
        return (name: string) => target.get(name);
      },
    });
  return { ...index, names: count(index.names), below: count(index.below) };
}
