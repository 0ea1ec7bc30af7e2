import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { OWN_ADDRESSES_MS } from '../../src/base/limits.ts';
import { inTime, runCommand } from '../helpers/commands.ts';
import { bothForms, connectTo, EgressStage, getUrl, type HostListener, listenOnHost } from '../helpers/egress-stage.ts';
import { HOST_ADDRESSES } from '../helpers/internet.ts';
import { type Puppet, verdictOf } from '../helpers/puppet.ts';

// Which addresses are connected to: the spy on the wire and listeners on this host say so.

let stage: EgressStage;
let puppet: Puppet;
let listeners: readonly HostListener[];
before(async () => {
  stage = await EgressStage.open();
  puppet = await stage.agent({
    allowed_hosts: ['api.example.com', 'api.example.com:8001', '11.0.0.50', '10.9.9.0/24'],
  });
  const places = ['127.0.0.1', '::1', ...HOST_ADDRESSES];
  listeners = await Promise.all(places.flatMap((host) => [80, 443, 8001].map((port) => listenOnHost(host, port))));
});
beforeEach(() => stage.internet.clear());
after(async () => {
  for (const listener of listeners ?? []) listener[Symbol.dispose]();
  await stage?.close();
});

/** Connections that services of this host got. */
function hostArrivals(): number {
  return listeners.reduce((sum, { arrivals }) => sum + arrivals(), 0);
}

test('services of this host are reached from the host itself', async () => {
  const outside = await stage.outside();
  const earlier = hostArrivals();
  for (const host of ['127.0.0.1', '11.0.0.1']) {
    assert.match(await outside.attempt(`connect(("${host}", 80))`), /^ok/);
  }
  assert.match(await outside.attempt('connect(("::1", 80), socket.AF_INET6)'), /^ok/);
  await awaitHostArrivals(earlier + 3);
});

test('an address that the card does not write out is refused, and one that it does is reached', async () => {
  const earlier = hostArrivals();
  const literals = [
    '1.2.3.4',
    '11.0.0.7',
    '127.0.0.1',
    '169.254.169.254',
    '10.8.8.8',
    '[::1]',
    '[2a00:0:0:1::7]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    '[::]',
    '11.0.0.1',
    'localhost',
  ];
  for (const literal of literals) {
    for (const verdict of await stage.verdicts(puppet, bothForms(literal))) assert.match(verdict, /^403 /, literal);
  }
  assert.deepEqual([await stage.internet.arrivals(), hostArrivals() - earlier], [[], 0]);
  for (const literal of ['11.0.0.50', '10.9.9.9']) {
    await stage.internet.clear();
    assert.deepEqual(await stage.verdicts(puppet, bothForms(literal)), ['200', '200']);
    assert.deepEqual(await stage.internet.arrivals('dns'), []);
    assert.deepEqual(await stage.connections(), [`${literal} 443`, `${literal} 80`]);
  }
});

test('an address in odd clothes is no name and no way around the rules', async () => {
  const earlier = hostArrivals();
  const odd = [
    ...[
      '127.1',
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '0x7f000001',
      '017700000001',
      '127.0.0.1.',
      '0',
      '127.0.1',
      '0x0',
    ],
    ...['0xb.0.0.7', '184549383', '11.0.7', '011.0.0.50', '11.0.0.050', '1.2.3.4.5', '256.1.1.1', '11.0.0.50%65'],
    ...[
      '[::1%lo]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:7f00:1]',
      '::1',
      '[11.0.0.50]',
      '[::11.0.0.50]',
      '[::ffff:b00:32]x',
    ],
  ];
  for (const literal of odd) {
    for (const verdict of await stage.verdicts(puppet, bothForms(literal))) assert.match(verdict, /^40[03] /, literal);
  }
  assert.deepEqual([await stage.internet.arrivals(), hostArrivals() - earlier], [[], 0]);
});

/** A listener hears of a connection after the one who made it. */
async function awaitHostArrivals(count: number): Promise<void> {
  const heard = async (): Promise<void> => {
    while (hostArrivals() < count) await new Promise((resolve) => setImmediate(resolve));
  };
  await inTime(heard(), `${count} connections to this host`);
}

/** Addresses that are not public, by what makes them so. */
const NOT_PUBLIC: readonly string[] = [
  ...['127.0.0.1', '127.8.8.8', '0.0.0.0', '0.1.2.3', '10.9.8.7', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.1.1', '169.254.169.254', '100.64.0.1', '100.100.100.200', '100.127.255.255', '192.0.0.1', '192.0.2.1'],
  ...['198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255'],
  ...[
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.9.8.7',
    '::127.0.0.1',
    'fe80::1',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
  ],
  ...['ff02::1', '64:ff9b::7f00:1', '64:ff9b::a09:807', '64:ff9b:1::1', '2002:7f00:1::1', '2002:a09:807::1', '2001::1'],
  ...['2001:db8::1', '100::1'],
];

test('an allowed name that leads to an address that is not public leads nowhere', async () => {
  const earlier = hostArrivals();
  for (const address of NOT_PUBLIC) {
    await stage.internet.answer('api.example.com', [address]);
    for (const verdict of await stage.verdicts(puppet, bothForms('api.example.com'))) {
      assert.match(verdict, /^403 egress\.(private|own|metadata)-address$/, address);
    }
  }
  assert.deepEqual([await stage.connections(), hostArrivals() - earlier], [[], 0]);
  await stage.internet.answer('api.example.com', ['11.0.0.7']);
  assert.deepEqual(await stage.verdicts(puppet, bothForms('api.example.com')), ['200', '200']);
  assert.deepEqual(await stage.connections(), ['11.0.0.7 443', '11.0.0.7 80']);
});

test('a name that leads to an address of this host is refused', async () => {
  const earlier = hostArrivals();
  for (const address of HOST_ADDRESSES) {
    await stage.internet.answer('api.example.com', [address]);
    assert.deepEqual(await stage.verdicts(puppet, bothForms('api.example.com')), [
      '403 egress.own-address',
      '403 egress.own-address',
    ]);
  }
  assert.deepEqual([await stage.connections(), hostArrivals() - earlier], [[], 0]);
});

test('an address of this host in the clothes of IPv6, and one that is new to this host, is its own', async () => {
  const earlier = hostArrivals();
  const clothed = ['::ffff:11.0.0.1', '64:ff9b::b00:1', '2002:b00:1::1', '::11.0.0.1'];
  for (const address of clothed) {
    await stage.internet.answer('api.example.com', [address]);
    for (const verdict of await stage.verdicts(puppet, bothForms('api.example.com'))) {
      assert.match(verdict, /^403 egress\.(own|private)-address$/, address);
    }
  }
  await stage.internet.answer('api.example.com', ['11.0.0.77']);
  assert.deepEqual(await stage.verdicts(puppet, bothForms('api.example.com')), ['200', '200']);
  await stage.internet.clear();
  const change = (word: string): Promise<unknown> => runCommand(['ip', 'address', word, '11.0.0.77/32', 'dev', 'lo']);
  // The proxy remembers the addresses of this host for a moment.
  const known = async (): Promise<void> => {
    while ((await stage.verdicts(puppet, [connectTo('api.example.com:443')]))[0] !== '403 egress.own-address');
  };
  await change('add');
  try {
    await inTime(known(), 'the address to be known as one of this host', OWN_ADDRESSES_MS + 5000);
    for (const verdict of await stage.verdicts(puppet, bothForms('api.example.com'))) {
      assert.equal(verdict, '403 egress.own-address');
    }
  } finally {
    await change('del');
  }
  assert.equal(hostArrivals() - earlier, 0);
});

test('one look-up for each request, and only what it answered is dialled', async () => {
  const earlier = hostArrivals();
  await stage.internet.answerInTurn('api.example.com', [['11.0.0.7'], ['127.0.0.1']]);
  const [first, second = ''] = await stage.verdicts(puppet, [getUrl('api.example.com'), getUrl('api.example.com')]);
  assert.equal(first, '200');
  assert.match(second, /^403 egress\.(own|private)-address$/);
  const asked = (await stage.internet.arrivals('dns')).map(({ name, type }) => `${name} ${type}`).sort();
  assert.deepEqual(
    asked,
    ['A', 'A', 'AAAA', 'AAAA'].map((type) => `api.example.com ${type}`),
  );
  assert.deepEqual([await stage.connections(), hostArrivals() - earlier], [['11.0.0.7 80'], 0]);
});

test('of a mixed answer only the public addresses are dialled, also when they refuse', async () => {
  const earlier = hostArrivals();
  await stage.internet.answer('api.example.com', ['127.0.0.1', '11.0.0.1', '10.8.8.8', '11.0.0.7', '::1', '2a00::1']);
  assert.deepEqual(await stage.verdicts(puppet, bothForms('api.example.com')), ['200', '200']);
  // Nobody listens at port 8001 there, while on this host somebody does.
  assert.equal(verdictOf(await puppet.ask(connectTo('api.example.com:8001'))), '502 egress.unreachable');
  const dialled = new Set((await stage.connections()).map((text) => text.split(' ')[0]));
  assert.deepEqual([[...dialled], hostArrivals() - earlier], [['11.0.0.7'], 0]);
});

test('the star of a card stands for public addresses only', async () => {
  const open = await stage.agent({ allowed_hosts: ['*'] });
  const earlier = hostArrivals();
  for (const address of ['127.0.0.1', '11.0.0.1', '10.9.9.9', '169.254.169.254', '::1', 'fd00:ec2::254']) {
    await stage.internet.answer('api.example.com', [address]);
    for (const verdict of await stage.verdicts(open, bothForms('api.example.com')))
      assert.match(verdict, /^403 /, address);
    const literal = address.includes(':') ? `[${address}]` : address;
    for (const verdict of await stage.verdicts(open, bothForms(literal))) assert.match(verdict, /^403 /, literal);
  }
  assert.deepEqual([await stage.connections(), hostArrivals() - earlier], [[], 0]);
  await stage.internet.answer('api.example.com', ['11.0.0.7']);
  assert.deepEqual(await stage.verdicts(open, bothForms('api.example.com')), ['200', '200']);
});

test('an address of this host is reached only by a card that writes it out, with its port', async () => {
  const bold = await stage.agent({ allowed_hosts: ['127.0.0.1:8001'] });
  const earlier = hostArrivals();
  assert.deepEqual(await stage.verdicts(bold, [connectTo('127.0.0.1:443'), connectTo('127.0.0.1:8001')]), [
    '403 egress.port',
    '200',
  ]);
  await awaitHostArrivals(earlier + 1);
});
