import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { type ResolvedCard, resolveCard } from '../../../src/card/resolve.ts';
import { DEFAULT_VETH_RANGE, linksOf, planVeth, type VethInput, type VethPlan } from '../../../src/plan/veth.ts';
import { tableName } from '../../../src/plan/veth-texts.ts';

const READY: VethInput = { range: DEFAULT_VETH_RANGE, index: 1, tools: { nft: '/usr/sbin/nft', ip: '/usr/sbin/ip' } };

function cardWith(allow: readonly object[], id = 'a'): ResolvedCard {
  const text = JSON.stringify({ agent_id: id, workspace: '/srv/a', network: { mode: 'veth', allow } });
  const parsed = parseCard(Buffer.from(text), { format: 'json' });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return resolveCard(parsed.value, 'spawned');
}

function planOf(allow: readonly object[], input: Partial<VethInput> = {}, id = 'a'): VethPlan {
  const plan = planVeth(cardWith(allow, id), { ...READY, ...input });
  assert.ok(plan.ok, JSON.stringify(plan));
  return plan.value;
}

/** Codes and places of what is wrong. */
function problemsOf(allow: readonly object[], input: Partial<VethInput> = {}): readonly string[] {
  const plan = planVeth(cardWith(allow), { ...READY, ...input });
  return plan.ok ? [] : plan.problems.map(({ code, pointer }) => `${code} ${pointer}`);
}

function fileOf(plan: VethPlan, name: string): string {
  return plan.files.find((file) => file.name === name)?.content ?? '';
}

test('every number has a name, addresses and hardware addresses of its own', () => {
  const last = linksOf(DEFAULT_VETH_RANGE);
  const found = new Set<string>();
  const sample = [1, 2, 127, 128, 129, 255, 256, 257, 16_384, last - 1, last];
  for (const index of sample) {
    const plan = planOf([], { index });
    assert.ok(plan.link.length <= 15, plan.link);
    const hardware = /peer name eth0 address (\S+)/.exec(fileOf(plan, 'veth-outside.ip'))?.[1] ?? '';
    assert.match(hardware, /^02(?::[0-9a-f]{2}){5}$/);
    for (const one of [plan.link, plan.address, hardware]) found.add(one);
  }
  assert.equal(found.size, 3 * sample.length);
  assert.equal(planOf([], { index: last }).address, '10.213.255.255');
  assert.equal(planOf([], { index: 1, range: '192.168.8.0/24' }).address, '192.168.8.3');
  assert.equal(linksOf('192.168.8.0/24'), 127);
});

test('names of the widest range still fit the kernel', () => {
  const plan = planOf([], { range: '10.0.0.0/8', index: linksOf('10.0.0.0/8') });
  assert.equal(plan.address, '10.255.255.255');
  assert.ok(plan.link.length <= 15, plan.link);
});

test('tables of different agents have different names', () => {
  const ids = ['a', 'a-b', 'a--b', 'a-b-', 'ab', 'a-b-c'];
  assert.equal(new Set(ids.map(tableName)).size, ids.length);
  for (const id of ids) assert.match(tableName(id), /^[a-z][a-z0-9_]*$/);
});

test('without an allowed address there is no route, and the wall accepts nothing from the agent', () => {
  const plan = planOf([]);
  assert.doesNotMatch(fileOf(plan, 'veth-inside.ip'), /route/);
  const wall = fileOf(plan, 'veth.nft');
  assert.match(wall, /chain there \{\n {4}drop\n/);
  assert.match(wall, /chain back \{\n {4}drop\n/);
  assert.doesNotMatch(wall, /ip6/);
});

test('each direction is opened by address, port and protocol, once', () => {
  const entry = { address: '192.0.2.7', port: 53, protocol: 'udp' };
  const wall = fileOf(planOf([entry, entry, { ...entry, address: '::ffff:192.0.2.7' }]), 'veth.nft');
  assert.deepEqual(
    wall.split('\n').filter((line) => line.includes('192.0.2.7')),
    ['    ip daddr 192.0.2.7 udp dport 53 accept', '    ip saddr 192.0.2.7 udp sport 53 ct state established accept'],
  );
});

test('every chain that is hooked sends what is of the link to one that ends in a drop', () => {
  const wall = fileOf(
    planOf([
      { address: '192.0.2.7', port: 1 },
      { address: '2001:db8::1', port: 1 },
    ]),
    'veth.nft',
  );
  const chains = new Map(
    [...wall.matchAll(/chain (\w+) \{\n([\s\S]*?)\n {2}\}/g)].map(([, name, body]) => [name, body]),
  );
  for (const name of ['there', 'back', 'spoofed']) assert.match(chains.get(name) ?? '', /drop$/, name);
  for (const name of ['to_host', 'from_host', 'through_host'])
    assert.match(chains.get(name) ?? '', /goto (there|back)/);
});

test('IPv6 is there only where the card names such an address', () => {
  const plan = planOf([{ address: '2001:DB8::7', port: 443 }]);
  assert.match(fileOf(plan, 'veth.nft'), /ip6 daddr 2001:db8::7 tcp dport 443 accept/);
  assert.match(fileOf(plan, 'veth-inside.ip'), /route add 2001:db8::7\/128 via fd4c:9e07:d1a6::2 dev eth0 onlink/);
  assert.match(fileOf(plan, 'veth.needs'), /^range fd4c:9e07:d1a6::\/64$/m);
});

test('name servers are those addresses whose port 53 is allowed, three at most', () => {
  const dns = (last: number): object => ({ address: `192.0.2.${last}`, port: 53, protocol: 'udp' });
  assert.deepEqual(planOf([{ address: '192.0.2.1', port: 5353 }]).resolvers, []);
  assert.deepEqual(planOf([dns(1), { ...dns(1), protocol: 'tcp' }, dns(2)]).resolvers, ['192.0.2.1', '192.0.2.2']);
  assert.equal(planOf([1, 2, 3, 4].map(dns)).resolvers.length, 3);
});

test('addresses that no other host has are refused, each at its place', () => {
  const wrong = [
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '224.0.0.251',
    '255.255.255.255',
    '::1',
    '::',
    'ff02::1',
    'fe80::1',
  ];
  assert.deepEqual(
    problemsOf([...wrong, '::ffff:127.0.0.1'].map((address) => ({ address, port: 1 }))),
    [...wrong, ''].map((_, index) => `plan.network-refused /network/allow/${index}/address`),
  );
});

test('addresses of links are refused, those beside the range are not', () => {
  const allow = ['10.213.0.2', '10.213.255.255', 'fd4c:9e07:d1a6::5'].map((address) => ({ address, port: 1 }));
  assert.equal(problemsOf(allow).length, 3);
  assert.deepEqual(problemsOf([{ address: '10.212.255.255', port: 1 }]), []);
  assert.deepEqual(problemsOf([{ address: '169.254.169.254', port: 80 }]), [], 'written out');
});

test('missing programs are refused by the names of their packages, a full range by its key', () => {
  const plan = planVeth(cardWith([]), { ...READY, tools: { nft: null, ip: null }, index: null });
  assert.ok(!plan.ok);
  assert.deepEqual(
    plan.problems.map(({ code, suggestion }) => `${code} ${/"[a-z0-9_]+"/.exec(suggestion ?? '')?.[0]}`),
    [
      'host.network-tools-missing "nftables"',
      'host.network-tools-missing "iproute2"',
      'plan.network-refused "veth_range"',
    ],
  );
});
