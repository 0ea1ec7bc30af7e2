import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCard } from '../../../src/card/parse.ts';
import { type ResolvedCard, resolveCard } from '../../../src/card/resolve.ts';
import type { SocketFacts } from '../../../src/plan/facts.ts';
import { isLoopback, listenText, overlaps, parseListen } from '../../../src/plan/listen.ts';
import {
  agentOfPublishUnit,
  contested,
  type PublishInput,
  plannedPorts,
  planPublish,
} from '../../../src/plan/publish.ts';
import { absentPath } from '../../helpers/facts.ts';

const ROOT = { uid: 0, gid: 0, mode: 0o755 };

function cardWith(changes: Readonly<Record<string, unknown>>, id = 'a'): ResolvedCard {
  const parsed = parseCard(Buffer.from(JSON.stringify({ agent_id: id, workspace: `/srv/${id}`, ...changes })), {
    format: 'json',
  });
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  return resolveCard(parsed.value, 'spawned');
}

function publishing(...listens: readonly string[]): ResolvedCard {
  return cardWith({ network: { publish: listens.map((listen) => ({ port: 8080, listen })) } });
}

/** The facts of a path in root's own `/run` where nothing is; `changes` say what is different. */
function socketAt(path: string, changes: Partial<SocketFacts> = {}, ancestors = ['/', '/run']): SocketFacts {
  return {
    path: { ...absentPath(path), ancestors: ancestors.map((name) => ({ path: name, ...ROOT })) },
    isSocket: false,
    isAnswered: false,
    ...changes,
  };
}

/** The messages of a refusal; none for a plan. */
function refusals(card: ResolvedCard, changes: Partial<PublishInput> = {}): readonly string[] {
  const result = planPublish({
    card,
    addresses: ['loopback'],
    sockets: [],
    relayPath: '/relay',
    isRunning: false,
    ...changes,
  });
  return result.ok ? [] : result.problems.map(({ code, pointer, message }) => `${code} ${pointer}: ${message}`);
}

test('an address to listen on is read to one canonical form', () => {
  const forms = ['127.0.0.1:1', '[::1]:65535', '[0:0:0::0001]:80', '[2001:DB8::A]:80', '/run/a.sock'];
  assert.deepEqual(
    forms.map((form) => {
      const place = parseListen(form);
      return place === null ? null : listenText(place);
    }),
    ['127.0.0.1:1', '[::1]:65535', '[::1]:80', '[2001:db8::a]:80', '/run/a.sock'],
  );
});

test('what is no address to listen on is told from one', () => {
  const forms = ['', '8080', ':8080', 'localhost:80', '127.1:80', '0177.0.0.1:80', '[::1]', '[::g]:80', '[]:80'];
  const ports = ['127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:80x', '[1.2.3.4]:80', '127.0.0.1 :80'];
  for (const form of [...forms, ...ports]) assert.equal(parseListen(form), null, form);
});

test('two listeners exclude each other when one address and port would belong to both', () => {
  const pairs: readonly (readonly [string, string, boolean])[] = [
    ['127.0.0.1:80', '127.0.0.1:80', true],
    ['127.0.0.1:80', '127.0.0.1:81', false],
    ['127.0.0.1:80', '127.0.0.2:80', false],
    ['0.0.0.0:80', '127.0.0.2:80', true],
    ['127.0.0.2:80', '0.0.0.0:80', true],
    ['[::]:80', '[::1]:80', true],
    ['[::]:80', '127.0.0.1:80', false],
    ['[::1]:80', '[0::1]:80', true],
    ['/run/a.sock', '/run/a.sock', true],
    ['/run/a.sock', '/run/b.sock', false],
    ['/run/a.sock', '127.0.0.1:80', false],
  ];
  for (const [a, b, expected] of pairs) {
    const [left, right] = [parseListen(a), parseListen(b)];
    assert.ok(left !== null && right !== null);
    assert.equal(overlaps(left, right), expected, `${a} and ${b}`);
  }
});

test('only loopback addresses and Unix sockets are out of reach of other machines', () => {
  const near = ['127.0.0.1:80', '127.255.0.9:80', '[::1]:80', '/run/a.sock'];
  const far = ['0.0.0.0:80', '[::]:80', '10.0.0.1:80', '[::ffff:127.0.0.1]:80', '[fe80::1]:80', '128.0.0.1:80'];
  const judged = [...near, ...far].map((form) => {
    const place = parseListen(form);
    return place !== null && isLoopback(place);
  });
  assert.deepEqual(judged, [...near.map(() => true), ...far.map(() => false)]);
});

test('a2a_port is a published port of its own, and one that is listed already counts once', () => {
  const shown = (card: ResolvedCard): readonly string[] =>
    plannedPorts(card).map(({ port, listen, pointer }) => `${pointer}: ${port} at ${listen}`);
  assert.deepEqual(shown(cardWith({ a2a_port: 9000 })), ['/a2a_port: 9000 at 127.0.0.1:9000']);
  assert.deepEqual(shown(cardWith({ a2a_port: 9000, network: { publish: [{ port: 9000 }] } })), [
    '/network/publish/0/listen: 9000 at 127.0.0.1:9000',
  ]);
  assert.deepEqual(
    refusals(cardWith({ a2a_port: 9000, network: { publish: [{ port: 8080, listen: '127.0.0.1:9000' }] } })),
    ['plan.publish-refused /a2a_port: 127.0.0.1:9000 and 127.0.0.1:9000 of the same card cannot both be listened on.'],
  );
});

test('a unit has one name for one port at one place in one network, and another for any other', () => {
  const cards = [
    publishing('127.0.0.1:18080'),
    publishing('127.0.0.1:18081'),
    cardWith({ network: { publish: [{ port: 8081, listen: '127.0.0.1:18080' }] } }),
    cardWith({ network: { mode: 'none', publish: [{ port: 8080, listen: '127.0.0.1:18080' }] } }),
    cardWith({ network: { mode: 'veth', publish: [{ port: 8080, listen: '127.0.0.1:18080' }] } }),
    cardWith({ network: { publish: [{ port: 8080, listen: '127.0.0.1:18080' }] } }, 'b'),
  ];
  const names = cards.flatMap((card) => plannedPorts(card).map(({ socket }) => socket));
  assert.equal(new Set(names).size, cards.length);
  assert.deepEqual(plannedPorts(publishing('127.0.0.1:18080')), plannedPorts(publishing('127.0.0.1:18080')));
  assert.deepEqual(
    names.map(agentOfPublishUnit),
    cards.map(({ agentId }) => agentId),
  );
  assert.equal(agentOfPublishUnit('sandboxed-agent@a.service'), null);
});

test('an agent with published ports requires their sockets; one without has nothing of it', () => {
  const result = planPublish({
    card: publishing('127.0.0.1:1'),
    addresses: ['loopback'],
    sockets: [],
    relayPath: '/relay',
    isRunning: false,
  });
  assert.ok(result.ok);
  const [port] = result.value.ports;
  assert.deepEqual(result.value.properties, [
    { name: 'Requires', signature: 'as', value: [port?.socket] },
    { name: 'After', signature: 'as', value: [port?.socket] },
  ]);
  const none = planPublish({ card: cardWith({}), addresses: [], sockets: [], relayPath: null, isRunning: false });
  assert.deepEqual(none, { ok: true, value: { ports: [], units: [], properties: [] } });
});

test('the relay joins the network of its agent by the way that the network mode has', () => {
  const service = (mode: string): string => {
    const card = cardWith({ network: { mode, publish: [{ port: 8080 }] } });
    const result = planPublish({ card, addresses: ['loopback'], sockets: [], relayPath: '/relay', isRunning: false });
    return result.ok ? (result.value.units[1]?.text ?? '') : '';
  };
  assert.match(service('isolated'), /^JoinsNamespaceOf=agent-egress@a\.socket sandboxed-agent@a\.service$/m);
  assert.match(service('none'), /^JoinsNamespaceOf=sandboxed-agent@a\.service$/m);
  assert.match(service('none'), /^PrivateNetwork=yes$/m);
  assert.match(service('veth'), /^NetworkNamespacePath=\/run\/netns\/agent-a$/m);
  assert.doesNotMatch(service('veth'), /JoinsNamespaceOf|PrivateNetwork/);
});

test('an address that other machines reach needs the word of the host', () => {
  const card = publishing('0.0.0.0:18080');
  assert.deepEqual(refusals(card), [
    'plan.publish-refused /network/publish/0/listen: 0.0.0.0:18080 can be reached from other machines, and this host publishes ports on loopback addresses only.',
  ]);
  assert.deepEqual(refusals(card, { addresses: ['any'] }), []);
  assert.deepEqual(refusals(publishing('[::1]:80'), { addresses: [] }), [
    'plan.publish-refused /network/publish/0/listen: [::1]:80 is an address, and this host publishes ports at Unix sockets only.',
  ]);
});

test('two ports of one card cannot be at one place', () => {
  const told = refusals(publishing('0.0.0.0:18080', '127.0.0.1:18080', '[::1]:18080', '[0::1]:18080'), {
    addresses: ['any'],
  });
  assert.deepEqual(told, [
    'plan.publish-refused /network/publish/1/listen: 127.0.0.1:18080 and 0.0.0.0:18080 of the same card cannot both be listened on.',
    'plan.publish-refused /network/publish/3/listen: [::1]:18080 and [::1]:18080 of the same card cannot both be listened on.',
  ]);
});

test('the port of the proxy is published nowhere that there is one', () => {
  const card = (mode: string): ResolvedCard => cardWith({ network: { mode, publish: [{ port: 3128 }] } });
  assert.match(refusals(card('isolated'))[0] ?? '', /Port 3128 inside the sandbox is the proxy of the agent/);
  assert.match(refusals(card('veth'))[0] ?? '', /Port 3128 inside the sandbox is the proxy of the agent/);
  assert.deepEqual(refusals(card('none')), []);
});

test('a Unix socket lies where root alone can put anything', () => {
  const path = '/run/a.sock';
  const told = (facts: SocketFacts, card = publishing(facts.path.path)): string =>
    refusals(card, { sockets: [facts] })
      .join('\n')
      .replace(/^.*cannot be published: /, '');
  const facts = socketAt(path);
  assert.equal(told(facts), '');
  const owned = (owner: object): SocketFacts => ({
    ...facts,
    path: {
      ...facts.path,
      ancestors: [
        { path: '/', ...ROOT },
        { path: '/run', ...ROOT, ...owner },
      ],
    },
  });
  assert.equal(told(owned({ uid: 1000 })), 'others than root can change the directory /run.');
  assert.equal(told(owned({ mode: 0o1777 })), 'others than root can change the directory /run.');
  assert.equal(told(owned({ mode: 0o775 })), 'others than root can change the directory /run.');
  assert.equal(told(socketAt('/run/x/a.sock')), 'the directory /run/x does not exist.');
  assert.equal(told({ ...facts, path: { ...facts.path, symlinkAt: '/run' } }), '/run is a symbolic link.');
  for (const directory of ['/run/agent-spawn', '/run/agent-egress', '/run/systemd', '/run/netns', '/dev', '/proc'])
    assert.equal(told(socketAt(`${directory}/a.sock`)), `${directory} belongs to the system.`);
  assert.equal(told(socketAt('/srv/a/a.sock')), 'it lies in the workspace of the agent.');
  assert.match(told(socketAt('/run/a%n.sock')), /^only letters, digits/);
  assert.match(told(socketAt('/run/a b.sock')), /^only letters, digits/);
});

test('a dead socket is replaced, and nothing else that is there', () => {
  const present = { ...socketAt('/run/a.sock').path, kind: 'other' as const, node: ROOT };
  const told = (changes: Partial<SocketFacts>, isRunning = false): string =>
    refusals(publishing('/run/a.sock'), {
      sockets: [socketAt('/run/a.sock', { path: present, ...changes })],
      isRunning,
    })
      .join('\n')
      .replace(/^.*cannot be published: /, '');
  assert.equal(told({ isSocket: true }), '');
  assert.equal(told({}), 'there is a file already, and it is no socket.');
  assert.equal(told({ isSocket: true, isAnswered: true }), 'another program listens there.');
  assert.equal(told({ isSocket: true, isAnswered: true }, true), '', 'of an agent that runs it is its own');
});

test('an agent of the host has nothing to publish, and a host without the relay cannot', () => {
  const card = cardWith({ network: { publish: [{ port: 8080 }] } });
  const onHost: ResolvedCard = { ...card, network: { ...card.network, mode: 'host' } };
  assert.match(refusals(onHost)[0] ?? '', /there is nothing to publish/);
  assert.match(refusals(card, { relayPath: null })[0] ?? '', /^host\.relay-missing/);
});

test('the ports that two agents contend for are found', () => {
  const [ours, theirs] = [publishing('127.0.0.1:1', '127.0.0.1:2'), publishing('0.0.0.0:2', '127.0.0.1:3')].map(
    plannedPorts,
  );
  assert.ok(ours !== undefined && theirs !== undefined);
  assert.deepEqual(
    contested(ours, theirs).map(({ listen }) => listen),
    ['127.0.0.1:2'],
  );
});
