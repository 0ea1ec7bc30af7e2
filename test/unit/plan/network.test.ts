import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { type ResolvedCard, resolveCard } from '../../../src/card/resolve.ts';
import { planEgress } from '../../../src/plan/egress.ts';
import { type NetworkInput, planNetwork } from '../../../src/plan/network.ts';
import { compilePolicy } from '../../../src/policy/rules.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';

const READY: NetworkInput = {
  allowHostNetwork: false,
  proxy: null,
  isEgressInstalled: true,
  socketProxydPath: '/usr/lib/systemd/systemd-socket-proxyd',
  link: { range: '10.213.0.0/16', index: 1, tools: { nft: '/usr/sbin/nft', ip: '/usr/sbin/ip' } },
};

function cardWith(keys: object): ResolvedCard {
  const text = JSON.stringify({ agent_id: 'a', workspace: '/srv/a', ...keys });
  const parsed = parseCard(Buffer.from(text), { format: 'json' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return resolveCard(parsed.value, 'spawned');
}

/** Rules of a card in short, or its problems: code, pointer and the beginning of the message. */
function rulesOf(keys: object): readonly string[] {
  const plan = planEgress(cardWith(keys), null);
  if (!plan.ok) return plan.problems.map(({ code, pointer }) => `${code} ${pointer}`);
  return plan.value.table.policy.allow.map(({ host, ports, pointer }) => `${host} ${ports?.join(',')} ${pointer}`);
}

function problemsOf(keys: object, input: Partial<NetworkInput>): readonly string[] {
  const plan = planNetwork(cardWith(keys), { ...READY, ...input });
  return plan.ok ? [] : plan.problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

test('without a list of hosts the API provider is what may be reached, and an empty list is none', () => {
  assert.deepEqual(rulesOf({}), ['api.anthropic.com 443 /api_provider']);
  assert.deepEqual(rulesOf({ api_provider: 'openai' }), ['api.openai.com 443 /api_provider']);
  assert.deepEqual(rulesOf({ api_provider: 'google' }), ['generativelanguage.googleapis.com 443 /api_provider']);
  assert.deepEqual(rulesOf({ api_provider: 'ollama' }), []);
  assert.deepEqual(rulesOf({ api_provider: 'custom' }), []);
  assert.deepEqual(rulesOf({ allowed_hosts: [] }), []);
  assert.deepEqual(rulesOf({ allowed_hosts: ['b.example'] }), ['b.example 80,443 /allowed_hosts/0']);
});

test('a host that cannot be understood refuses the card, with its place', () => {
  assert.deepEqual(rulesOf({ allowed_hosts: ['ok.example', '*.com', { host: '127.1' }], denied_hosts: ['a..b'] }), [
    'card.host-pattern /allowed_hosts/1',
    'card.host-pattern /allowed_hosts/2',
    'card.host-pattern /denied_hosts/0',
  ]);
  assert.deepEqual(rulesOf({ denied_hosts: [{ host: 'a.example:80', ports: [443] }] }), [
    'card.conflict /denied_hosts/0/ports',
  ]);
});

test('the upstream proxy has the port that its URL stands for, and an address without brackets', () => {
  const upstream = (proxy: string): unknown => {
    const plan = planEgress(cardWith({ proxy }), null);
    return plan.ok ? plan.value.table.upstream : null;
  };
  const expected = (scheme: string, host: string, port: number): object => ({ scheme, host, port, credentials: null });
  assert.deepEqual(upstream('http://10.100.1.1:3128'), expected('http', '10.100.1.1', 3128));
  assert.deepEqual(upstream('http://squid/'), expected('http', 'squid', 80));
  assert.deepEqual(upstream('https://squid'), expected('https', 'squid', 443));
  assert.deepEqual(upstream('https://[2001:DB8::1]:8443'), expected('https', '2001:db8::1', 8443));
});

test('a card that names no proxy has that of the configuration, where it has a way out, and its own comes first', () => {
  const ways = (keys: object): unknown => {
    const plan = planNetwork(cardWith(keys), { ...READY, allowHostNetwork: true, proxy: 'http://squid:3128' });
    return plan.ok ? [plan.value.egress?.table.upstream, plan.value.proxyUrl, plan.value.notices] : plan.problems;
  };
  const squid = { scheme: 'http', host: 'squid', port: 3128, credentials: null, from: 'config.json' };
  const own = { scheme: 'https', host: 'own', port: 443, credentials: null };
  const [told, host] = ['http://127.0.0.1:3128', 'The network of the host, not enforced'];
  assert.deepEqual(ways({}), [squid, told, []]);
  assert.deepEqual(ways({ network: { mode: 'veth' } }), [squid, told, []]);
  assert.deepEqual(ways({ proxy: 'https://own' }), [own, told, []]);
  assert.deepEqual(ways({ network: { mode: 'none' } }), [undefined, null, []]);
  for (const [keys, url] of [
    [{}, 'http://squid:3128'],
    [{ proxy: 'https://own' }, 'https://own'],
  ] as const) {
    const [upstream, proxyUrl, notices] = ways({ ...keys, network: { mode: 'host' } }) as [unknown, string, string[]];
    assert.deepEqual([upstream, proxyUrl], [undefined, url]);
    assert.ok(notices.every((notice) => notice.startsWith(host)) && notices.length === 1);
  }
});

test('every table of a card that is accepted is one that the proxy takes', () => {
  for (const directory of ['test/cards', 'schema/examples']) {
    for (const name of readdirSync(join(CHECKOUT, directory))) {
      if (!/\.(json|toml)$/.test(name)) continue;
      const format = name.endsWith('.json') ? 'json' : 'toml';
      const parsed = parseCard(readFileSync(join(CHECKOUT, directory, name)), { format });
      assert.ok(parsed.ok, name);
      const plan = planEgress(resolveCard(parsed.value, 'declared'), null);
      assert.ok(plan.ok, name);
      assert.ok(compilePolicy(plan.value.table.policy).ok, name);
    }
  }
});

test('a network with a way to the proxy is refused where proxy or relay are missing; one without needs neither', () => {
  const nothing = { isEgressInstalled: false, socketProxydPath: null };
  const both = ['host.egress-unavailable /network/mode', 'host.relay-missing /network/mode'];
  assert.deepEqual(problemsOf({}, {}), []);
  assert.deepEqual(problemsOf({}, nothing), both);
  assert.deepEqual(problemsOf({}, { isEgressInstalled: false }), both.slice(0, 1));
  assert.deepEqual(problemsOf({}, { socketProxydPath: null }), both.slice(1));
  assert.deepEqual(problemsOf({ network: { mode: 'none' } }, nothing), []);
});

test('the network of the host is for hosts that allow it, and never called enforced', () => {
  const keys = { network: { mode: 'host' }, proxy: 'http://squid:3128' };
  assert.deepEqual(problemsOf(keys, {}), ['plan.network-refused /network/mode']);
  const plan = planNetwork(cardWith(keys), { ...READY, allowHostNetwork: true });
  assert.ok(plan.ok);
  const { isEnforced, privateNamespace, proxyUrl, egress, explanation, notices } = plan.value;
  assert.deepEqual(
    { isEnforced, privateNamespace, proxyUrl, egress },
    { isEnforced: false, privateNamespace: false, proxyUrl: 'http://squid:3128', egress: null },
  );
  for (const text of [explanation, ...notices]) assert.match(text, /not enforced/);
  assert.equal(notices.length, 1);
});
