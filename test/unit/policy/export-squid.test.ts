import assert from 'node:assert/strict';
import test from 'node:test';
import { decide } from '../../../src/policy/decide.ts';
import { decideAddresses } from '../../../src/policy/decide-addresses.ts';
import { renderSquid } from '../../../src/policy/export-squid.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import { type CompiledPolicy, compilePolicy, rulesForName } from '../../../src/policy/rules.ts';
import { seededRandom } from '../card/random.ts';
import { makeAnswers, makeIntent, makePolicy } from './made-policy.ts';
import { address, denial, policyOf, request, rule, tunnel } from './sample-policy.ts';
import { readSquid } from './squid-reading.ts';

/** Whether our own rules let a request through to the only answer of its lookup. */
function passes(policy: CompiledPolicy, intent: EgressIntent, answer: string): boolean {
  const { matched, verdict } = decide(policy, intent);
  if (verdict === 'deny' || matched === null) return false;
  return decideAddresses(policy, intent, matched, { candidates: [address(answer)], own: [] }).verdict === 'allow';
}

test('squid is told of everything in one order: denied, written out, looked up, named, nothing else', () => {
  const text = renderSquid(
    policyOf(['example.com', rule('*.example.org', { ports: [8443] }), '10.0.0.0/8'], [denial('bad.example.org')]),
  );
  const access = text.split('\n').filter((line) => line.startsWith('http_access'));
  assert.deepEqual(access, [
    'http_access deny agent_spawn_deny_0_names',
    'http_access allow agent_spawn_allow_0_ranges !agent_spawn_guarded agent_spawn_allow_0_ports',
    'http_access deny !agent_spawn_named',
    'http_access deny agent_spawn_port_80 agent_spawn_special !agent_spawn_port_80_open',
    'http_access deny agent_spawn_port_80 agent_spawn_guarded',
    'http_access deny agent_spawn_port_443 agent_spawn_special !agent_spawn_port_443_open',
    'http_access deny agent_spawn_port_443 agent_spawn_guarded',
    'http_access deny agent_spawn_special !agent_spawn_port_80 !agent_spawn_port_443',
    'http_access deny agent_spawn_guarded !agent_spawn_port_80 !agent_spawn_port_443',
    'http_access allow agent_spawn_allow_0_names agent_spawn_allow_0_ports',
    'http_access allow agent_spawn_allow_1_below agent_spawn_allow_1_ports',
    'http_access deny all',
  ]);
  assert.ok(text.includes('\nacl agent_spawn_allow_0_names dstdomain -n example.com\n'));
  assert.ok(text.includes('\nacl agent_spawn_allow_1_below dstdom_regex -n -i ^([a-z0-9-]+\\.)+example\\.org$\n'));
});

test('an empty policy lets nothing through squid', () => {
  const lets = readSquid(renderSquid(policyOf([])));
  for (const intent of [tunnel('example.com'), request('example.com'), tunnel('11.0.0.5'), request('::1')])
    assert.equal(lets({ intent, answer: null }), false);
});

test('squid takes a wildcard for what lies below only, and no name that merely looks like one', () => {
  const lets = readSquid(renderSquid(policyOf(['*.example.com'])));
  const verdict = (host: string): boolean => lets({ intent: tunnel(host), answer: '11.0.0.5' });
  assert.deepEqual(['a.example.com', 'a.b.example.com'].map(verdict), [true, true]);
  for (const host of ['example.com', 'aexample.com', 'a.examplexcom', 'a.example.com.evil.com'])
    assert.equal(verdict(host), false);
});

test('squid looks no name up that no rule names', () => {
  const lets = readSquid(renderSquid(policyOf(['example.com', '10.0.0.1'], ['10.0.0.2'])));
  for (const host of ['secret.evil.com', 'evil.com', 'a.example.com'])
    assert.equal(lets({ intent: tunnel(host), answer: null }), false);
});

test('without methods and paths squid decides as agent-spawn does, with them it refuses nothing that is allowed', () => {
  const random = seededRandom(31);
  let passed = 0;
  for (let round = 0; round < 150; round += 1) {
    const hasLimits = random.once(2);
    const result = compilePolicy(makePolicy(random, { hasLimits }));
    assert.ok(result.ok);
    const policy = result.value;
    const lets = readSquid(renderSquid(policy));
    for (let one = 0; one < 20; one += 1) {
      const intent = makeIntent(random);
      const [answer = ''] = makeAnswers(random, intent, 1);
      // Squid knows mapped addresses as IPv4 ones only, and no way from IPv4 rules to addresses that carry one.
      if (/^(?:::ffff|64:ff9b|2002):/.test(answer)) continue;
      const ours = passes(policy, intent, answer);
      const isListed =
        intent.destination.kind === 'name' && rulesForName(policy.allow, intent.destination.name).length > 0;
      const theirs = lets({ intent, answer: isListed ? answer : null });
      passed += ours ? 1 : 0;
      const detail = JSON.stringify({ allow: policy.allow.all, deny: policy.deny.all, intent, answer });
      assert.ok(hasLimits ? !ours || theirs : ours === theirs, detail);
    }
  }
  assert.ok(passed > 50, `${passed}`);
});
