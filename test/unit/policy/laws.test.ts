import assert from 'node:assert/strict';
import test from 'node:test';
import { decide } from '../../../src/policy/decide.ts';
import { decideAddresses } from '../../../src/policy/decide-addresses.ts';
import { destinationText, type EgressIntent } from '../../../src/policy/intent.ts';
import { liesBelow } from '../../../src/policy/path-prefix.ts';
import { type CompiledPolicy, compilePolicy } from '../../../src/policy/rules.ts';
import type { EgressPolicy, EgressRule } from '../../../src/policy/table.ts';
import { type Random, seededRandom } from '../card/random.ts';
import { makeAnswers, makeDenial, makeIntent, makePolicy, makeRule, respell } from './made-policy.ts';
import { address } from './sample-policy.ts';

const ROUNDS = 2500;
const OWN = ['11.0.1.5', '192.168.1.1'].map(address);

/** What comes of a request: the addresses that are dialled, and whether the tunnel may carry anything. */
interface Reach {
  readonly dialled: readonly string[];
  readonly isAnything: boolean;
}

/** One made-up case. */
interface Case {
  readonly random: Random;
  readonly policy: EgressPolicy;
  readonly intent: EgressIntent;
  readonly answers: readonly string[];
}

function compile(policy: EgressPolicy): CompiledPolicy {
  const result = compilePolicy(policy);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

function reach(policy: EgressPolicy, { intent, answers }: Pick<Case, 'intent' | 'answers'>): Reach {
  const compiled = compile(policy);
  const decision = decide(compiled, intent);
  assert.equal(decision.verdict === 'allow', decision.reason === 'egress.allowed');
  if (decision.verdict === 'deny' || decision.matched === null) return { dialled: [], isAnything: false };
  const places = { candidates: answers.map(address), own: OWN };
  const { addresses, verdict } = decideAddresses(compiled, intent, decision.matched, places);
  assert.equal(verdict === 'allow', addresses.length > 0);
  return {
    dialled: addresses.map(({ text }) => text),
    isAnything: intent.form === 'tunnel' && decision.matched.protocol === 'tcp',
  };
}

/** Whether the first reaches nothing that the second does not. */
function isWithin(inner: Reach, outer: Reach): boolean {
  if (inner.dialled.length === 0) return true;
  return inner.dialled.every((one) => outer.dialled.includes(one)) && (!inner.isAnything || outer.isAnything);
}

/** Asks a question of many cases; says how many of them reached something, so that no law holds for want of any. */
function forCases(seed: number, check: (made: Case) => void): void {
  const random = seededRandom(seed);
  let reached = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const policy = makePolicy(random, { hasLimits: true });
    const intent = makeIntent(random);
    const made = { random, policy, intent, answers: makeAnswers(random, intent, random.below(4)) };
    reached += reach(policy, made).dialled.length > 0 ? 1 : 0;
    check(made);
  }
  assert.ok(reached > ROUNDS / 50 && reached < ROUNDS / 2, `${reached} of ${ROUNDS} cases reached something`);
}

function explain({ policy, intent, answers }: Case): string {
  return JSON.stringify({ policy, intent, answers });
}

test('without rules that allow nothing is reached, whatever is denied', () => {
  forCases(1, (made) => {
    assert.deepEqual(reach({ ...made.policy, allow: [] }, made).dialled, [], explain(made));
  });
});

test('a further deny rule never opens anything', () => {
  forCases(2, (made) => {
    const { random, policy } = made;
    const more = [...policy.deny, makeDenial(random, { hasLimits: true }, '/denied_hosts/9')];
    assert.ok(isWithin(reach({ ...policy, deny: more }, made), reach(policy, made)), explain(made));
  });
});

test('a rule less that allows never opens anything', () => {
  forCases(3, (made) => {
    const { policy } = made;
    for (const gone of policy.allow) {
      const fewer = policy.allow.filter((one) => one !== gone);
      assert.ok(isWithin(reach({ ...policy, allow: fewer }, made), reach(policy, made)), explain(made));
    }
  });
});

test('the order of rules changes nothing that is reached', () => {
  forCases(4, (made) => {
    const { policy } = made;
    const turned = { allow: policy.allow.toReversed(), deny: policy.deny.toReversed() };
    assert.deepEqual(reach(turned, made), reach(policy, made), explain(made));
  });
});

test('the spelling of hosts changes nothing that is reached', () => {
  forCases(5, (made) => {
    const { random, policy, intent } = made;
    const spell = (one: EgressRule): EgressRule => ({ ...one, host: respell(random, one.host) });
    const spelled = { allow: policy.allow.map(spell), deny: policy.deny.map(spell) };
    const { destination } = intent;
    const other =
      destination.kind === 'name' ? { ...destination, name: respell(random, destination.name) } : destination;
    const changed = { ...made, intent: { ...intent, destination: other } };
    assert.deepEqual(reach(spelled, changed), reach(policy, made), explain(made));
  });
});

test('a rule that names neither host nor address changes nothing that is reached', () => {
  forCases(6, (made) => {
    const { random, policy } = made;
    const stranger = { ...makeRule(random, { hasLimits: true }, '/allowed_hosts/9'), host: 'stranger.example.net' };
    assert.deepEqual(
      reach({ ...policy, allow: [...policy.allow, stranger] }, made),
      reach(policy, made),
      explain(made),
    );
  });
});

test('for names the verdict is the one of a reading of the list from top to bottom', () => {
  forCases(7, (made) => {
    const { policy, intent } = made;
    if (intent.destination.kind === 'address') return;
    const expected =
      !policy.deny.some((one) => applies(one, intent, true)) && policy.allow.some((one) => applies(one, intent, false));
    assert.equal(decide(compile(policy), intent).verdict, expected ? 'allow' : 'deny', explain(made));
  });
});

/** Whether a rule applies to a request for a name, straight from the words of the card. */
function applies({ host, ports, methods, paths }: EgressRule, intent: EgressIntent, isDenial: boolean): boolean {
  const name = destinationText(intent.destination);
  if (host !== '*' && host !== name && !(host.startsWith('*.') && name.endsWith(host.slice(1)))) return false;
  if (ports !== null && !ports.includes(intent.port)) return false;
  if (intent.form === 'tunnel') return isDenial || (methods === null && paths === null);
  if (methods !== null && !methods.includes(intent.method)) return false;
  return paths === null || paths.some((prefix) => liesBelow(intent.path ?? '', prefix));
}
