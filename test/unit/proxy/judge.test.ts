import assert from 'node:assert/strict';
import test from 'node:test';
import { type Address, parseAddress } from '../../../src/policy/address.ts';
import { decide } from '../../../src/policy/decide.ts';
import type { EgressIntent } from '../../../src/policy/intent.ts';
import { type CompiledPolicy, compilePolicy } from '../../../src/policy/rules.ts';
import { Judge } from '../../../src/proxy/judge.ts';
import { table } from '../../helpers/proxy-stage.ts';

function policyOf(...options: Parameters<typeof table>): CompiledPolicy {
  const compiled = compilePolicy(table(...options).policy);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.value;
}

function address(text: string): Address {
  const found = parseAddress(text);
  if (found === null) throw new Error(text);
  return found;
}

const INTENT: EgressIntent = {
  form: 'http',
  destination: { kind: 'name', name: 'api.test' },
  port: 80,
  method: 'GET',
  path: '/x',
};

test('a kept decision is the one that would be made, for whatever a request differs in', () => {
  const policy = policyOf('a', { allow: [{ host: 'api.test', methods: ['GET'], paths: ['/x'] }], deny: ['1.2.3.4'] });
  const judge = new Judge(policy);
  const intents: readonly EgressIntent[] = [
    INTENT,
    { ...INTENT, method: 'POST' },
    { ...INTENT, path: '/y' },
    { ...INTENT, path: `/x/${'y'.repeat(1000)}` },
    { ...INTENT, port: 81 },
    { ...INTENT, form: 'tunnel', method: 'CONNECT', path: null },
    { ...INTENT, destination: { kind: 'name', name: 'evil.test' } },
    { ...INTENT, destination: { kind: 'address', address: address('1.2.3.4') } },
  ];
  const wanted = intents.map((intent) => decide(policy, intent));
  assert.deepEqual(
    intents.map((intent) => judge.decide(intent)),
    wanted,
  );
  assert.deepEqual(
    intents.map((intent) => judge.decide(intent)),
    wanted,
  );
  assert.equal(new Set(wanted.map(({ reason }) => reason)).size, 7);
});

test('an address that becomes the own one of this machine is refused from then on', () => {
  const judge = new Judge(policyOf('a', { allow: ['api.test'] }));
  const matched = judge.decide(INTENT).matched;
  assert.ok(matched !== null);
  const candidates = [address('11.0.0.1')];
  const none: readonly Address[] = [];
  assert.equal(judge.decideAddresses(INTENT, matched, { candidates, own: none }).verdict, 'allow');
  assert.equal(judge.decideAddresses(INTENT, matched, { candidates, own: none }).verdict, 'allow');
  assert.equal(judge.decideAddresses(INTENT, matched, { candidates, own: candidates }).reason, 'egress.own-address');
  const others = [address('11.0.0.2'), address('10.0.0.1')];
  assert.deepEqual(judge.decideAddresses(INTENT, matched, { candidates: others, own: none }).addresses, [others[0]]);
});

test('more decisions than are kept are all right', () => {
  const judge = new Judge(policyOf('a', { allow: ['api.test'] }));
  for (let number = 0; number < 1000; number += 1) {
    const name = number % 2 === 0 ? 'api.test' : `n${number}.test`;
    const decision = judge.decide({ ...INTENT, destination: { kind: 'name', name } });
    assert.equal(decision.verdict, number % 2 === 0 ? 'allow' : 'deny');
  }
});
