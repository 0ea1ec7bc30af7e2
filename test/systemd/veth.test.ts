import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { Bench, succeed } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { Internet, WORLD_ADDRESS } from '../helpers/internet.ts';
import { addressOf, disguise, openRoutes, setForwarding, strongPuppet, withoutWall } from '../helpers/linked.ts';
import { Puppet, verdictOf } from '../helpers/puppet.ts';

// Agents with a link of their own. Each attack is made three times: by the agent; by root in the agent's network, with
// routes to everywhere; and so once more without the wall, where it must arrive.

const FAR = '11.0.0.9';
const FAR_6 = '2a00:0:0:1::7';
const OWN = '11.0.0.1';
/** What the agent may reach: a port of the host's own, one beyond it, the same of IPv6, and nothing else. */
const ALLOW = [
  { address: OWN, port: 5432 },
  { address: FAR, port: 8000 },
  { address: FAR, port: 9999, protocol: 'udp' },
  { address: FAR_6, port: 443, protocol: 'udp' },
];

let bench: Bench;
let internet: Internet;
let inside: Puppet;
let strong: Puppet;
let outside: Puppet;
before(async () => {
  // The first named network of a host makes a mount that stays.
  await succeed(runCommand(['ip', 'netns', 'add', 'first']));
  await succeed(runCommand(['ip', 'netns', 'delete', 'first']));
  setForwarding(true);
  bench = await Bench.open({ ignoreLeaks: /agent-egressd|run-netns\.mount/ });
  internet = await Internet.open();
  outside = await Puppet.outside();
  inside = await Puppet.start(bench, { network: { mode: 'veth', allow: ALLOW }, allowed_hosts: ['*.example.com'] });
  await openRoutes(inside.id);
  strong = await strongPuppet(inside.id);
});
beforeEach(() => internet.clear());
after(async () => {
  for (const puppet of [strong, inside, outside]) await puppet?.end();
  await internet?.close();
  await bench?.close();
  setForwarding(false);
});

/** Protocol, destination and port of every packet that came out of this host. */
async function packets(): Promise<readonly string[]> {
  return (await internet.arrivals('packet')).map(({ protocol, address, port }) => `${protocol} ${address} ${port}`);
}

/** Listens on the host and counts who comes, and what comes. */
class Spy {
  arrivals = 0;
  bytes = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.arrivals += 1;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.bytes += chunk.length;
    });
  });

  static async at(host: string, port = 0): Promise<Spy> {
    const spy = new Spy();
    spy.#server.listen(port, host);
    await once(spy.#server, 'listening');
    return spy;
  }

  get port(): number {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  /** Connections whose other end was cut off would stay. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const RAW = (protocol: number, bytes: string, address: string): string =>
  `socket.socket(socket.AF_INET, socket.SOCK_RAW, ${protocol}).sendto(${bytes}, ("${address}", 0))`;
const QUESTION = 'b"\\x12\\x34\\x01\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\x06canary\\x07example\\x03com\\0\\0\\x01\\0\\x01"';
/** IPv4 header with another host's address as the source, and a datagram to what the agent may reach. */
const SPOOFED = `socket.socket(socket.AF_INET, socket.SOCK_RAW, 255).sendto(bytes([0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 11, 0, 0, 77, 11, 0, 0, 9]) + bytes([9, 9, 0x27, 0x0f, 0, 9, 0, 0]) + b"x", ("${FAR}", 0))`;

/** An expression of test/agents/puppet.py, and what the wire shows of it where nothing is in the way. */
const WAYS: readonly (readonly [probe: string, expression: string, arrival: string])[] = [
  ['W02', `scan("${FAR}", [80])`, `6 ${FAR} 80`],
  ['W02', `scan("${FAR}", [9999])`, `6 ${FAR} 9999`],
  ['W02', 'scan("169.254.169.254", [80])', '6 169.254.169.254 80'],
  ['W02', `scan("${FAR_6}", [80], socket.AF_INET6)`, `6 ${FAR_6} 80`],
  ['W02', `datagram(b"x", ("${FAR}", 443))`, `17 ${FAR} 443`],
  ['W02', `datagram(b"x", ("${FAR_6}", 9999), socket.AF_INET6)`, `17 ${FAR_6} 9999`],
  ['W03', RAW(1, 'bytes([8, 0, 0xf7, 0xff, 0, 0, 0, 0])', FAR), `1 ${FAR} 0`],
  ['W03', RAW(47, 'b"gre"', FAR), `47 ${FAR} 0`],
  ['W03', RAW(132, 'b"sctp"', FAR), `132 ${FAR} 0`],
  ['W03', RAW(33, 'b"dccp"', FAR), `33 ${FAR} 0`],
  ['W05', `datagram(${QUESTION}, ("8.8.8.8", 53))`, '17 8.8.8.8 53'],
  ['W05', `datagram(${QUESTION}, ("${WORLD_ADDRESS}", 53))`, `17 ${WORLD_ADDRESS} 53`],
  ['W05', 'scan("1.1.1.1", [853])', '6 1.1.1.1 853'],
  ['W10', `scan("${FAR}", [3128])`, `6 ${FAR} 3128`],
  ['W10', `scan("${WORLD_ADDRESS}", [3128])`, `6 ${WORLD_ADDRESS} 3128`],
  ['spoofed source', SPOOFED, `17 ${FAR} 9999`],
];

test('what the card names is reached, and nothing else of the same address', async () => {
  const spy = await Spy.at(OWN, 5432);
  const other = await Spy.at(OWN);
  try {
    assert.equal(await inside.attempt(`scan("${OWN}", [5432])`), 'ok: [5432]');
    assert.equal(await inside.attempt(`scan("${OWN}", [${other.port}])`), 'ok: []');
    assert.deepEqual([spy.arrivals, other.arrivals], [1, 0]);
  } finally {
    spy.close();
    other.close();
  }
  assert.match(await inside.attempt(`connect(("${FAR}", 8000))`), /^ok/);
  const [arrived] = await internet.arrivals('tcp');
  assert.deepEqual(arrived, { kind: 'tcp', address: FAR, port: 8000, from: OWN, bytes: 'canary\n' });
  assert.match(await inside.attempt(`datagram(b"x", ("${FAR}", 9999))`), /^ok/);
  assert.match(await inside.attempt(`datagram(b"x", ("${FAR_6}", 443), socket.AF_INET6)`), /^ok/);
  assert.deepEqual(await packets(), [`6 ${FAR} 8000`, `17 ${FAR} 9999`, `17 ${FAR_6} 443`]);
});

test('the proxy works as in an isolated network', async () => {
  await internet.answer('www.example.com', ['11.0.0.7']);
  const ask = (host: string): string => `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  assert.equal(verdictOf(await inside.ask(ask('www.example.com'))), '200');
  assert.match(verdictOf(await inside.ask(ask('www.example.org'))), /^403 /);
  assert.equal((await internet.arrivals('http')).length, 1);
});

test('W02, W03, W05, W10: nothing else arrives anywhere, whoever sends it by whatever protocol', async () => {
  for (const [, expression] of WAYS) await inside.attempt(expression);
  assert.deepEqual(await packets(), [], 'by the agent');
  for (const [, expression] of WAYS) await strong.attempt(expression);
  assert.deepEqual(await packets(), [], 'by root in its network');
  await withoutWall(inside.id, async () => {
    for (const [probe, expression, arrival] of WAYS) {
      await internet.clear();
      await strong.attempt(expression);
      const seen = await packets();
      assert.ok(seen.includes(arrival), `${probe} without the wall: ${expression} arrives: ${seen}`);
    }
  });
});

test('a frame with another hardware address goes nowhere, also to what the card names', async () => {
  const send = `datagram(b"x", ("${FAR}", 9999))`;
  const { restore } = await disguise(inside.id);
  try {
    assert.match(await strong.attempt(send), /^ok/);
    assert.deepEqual(await packets(), []);
    await withoutWall(inside.id, async () => {
      await strong.attempt(send);
      assert.deepEqual(await packets(), [`17 ${FAR} 9999`]);
    });
  } finally {
    await restore();
  }
  await internet.clear();
  await strong.attempt(send);
  assert.deepEqual(await packets(), [`17 ${FAR} 9999`]);
});

test('W05: names are looked up only by an agent that may reach a name server', async () => {
  await internet.answer('named.example.com', ['11.0.0.7']);
  const look = 'socket.getaddrinfo("named.example.com", 80)[0][4][0]';
  assert.doesNotMatch(await inside.attempt(look), /^ok/);
  assert.deepEqual(await internet.arrivals('dns'), []);
  const allow = [{ address: WORLD_ADDRESS, port: 53, protocol: 'udp' }];
  const named = await Puppet.start(bench, { network: { mode: 'veth', allow } });
  try {
    assert.equal(await named.attempt(look), 'ok: 11.0.0.7');
    assert.equal(await named.attempt(`scan("${WORLD_ADDRESS}", [53])`), 'ok: []');
  } finally {
    await named.end();
  }
});

test('W07: no service of the host answers, at none of its addresses; of the loopback device only the proxy', async () => {
  const spies = await Promise.all([OWN, '0.0.0.0', '127.0.0.1', '2a00::1'].map((host) => Spy.at(host)));
  const [own = 0, any = 0, loop = 0, six = 0] = spies.map(({ port }) => port);
  const ways = [`scan("${OWN}", [${own}, ${any}])`, `scan("2a00::1", [${six}], socket.AF_INET6)`];
  try {
    for (const who of [inside, strong]) for (const way of ways) assert.equal(await who.attempt(way), 'ok: []');
    for (const who of [inside, strong])
      assert.equal(await who.attempt(`scan("127.0.0.1", [${loop}, ${any}])`), 'ok: []');
    assert.equal(await inside.attempt('scan("127.0.0.1", range(1, 65536))'), 'ok: [3128]');
    const counts = (): readonly number[] => spies.map(({ arrivals }) => arrivals);
    assert.deepEqual(counts(), [0, 0, 0, 0]);
    await withoutWall(inside.id, async () => {
      assert.equal(await strong.attempt(`scan("${OWN}", [${own}, ${any}])`), `ok: [${own}, ${any}]`);
      assert.deepEqual(counts(), [1, 1, 0, 0]);
    });
  } finally {
    for (const spy of spies) spy.close();
  }
});

test('W08, W58: agents do not reach one another, nor does the host reach what they listen at', async () => {
  const other = await Puppet.start(bench, { network: { mode: 'veth' } });
  try {
    const address = await addressOf(other.id);
    assert.notEqual(address, await addressOf(inside.id));
    await openRoutes(other.id);
    const listen = 'globals().setdefault("kept_open", [socket.create_server(("0.0.0.0", 4000))]) and 1';
    assert.equal(await other.attempt(listen), 'ok: 1');
    const way = `scan("${address}", [4000])`;
    for (const who of [inside, strong, outside]) assert.equal(await who.attempt(way), 'ok: []');
    await withoutWall(other.id, async () => {
      assert.equal(await strong.attempt(way), 'ok: []', "the attacker's own wall holds");
      assert.equal(await outside.attempt(way), 'ok: [4000]');
      await withoutWall(inside.id, async () => assert.equal(await strong.attempt(way), 'ok: [4000]'));
    });
    assert.equal(await outside.attempt(way), 'ok: []');
  } finally {
    await other.end();
  }
});

test('W08: the agent has no neighbours: what it shouts is not heard, not even by the host', async () => {
  const group = '224.0.0.251';
  const hear = `globals().update(ear=socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) or ear.bind(("", 5353)) or ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("${group}") + bytes(4) + struct.pack("i", LINK)) or ear.setblocking(False)`;
  const name = await hostLinkOf(inside.id);
  assert.equal(await outside.attempt(hear.replace('LINK', `socket.if_nametoindex("${name}")`)), 'ok: None');
  for (const who of [inside, strong]) {
    for (const port of [5353, 5355]) await who.attempt(`datagram(b"x", ("${group}", ${port}))`);
    await who.attempt('datagram(b"x", ("255.255.255.255", 5353))');
  }
  assert.equal(await outside.attempt('ear.recv(9)'), 'EAGAIN');
  await withoutWall(inside.id, async () => {
    await strong.attempt(`datagram(b"x", ("${group}", 5353))`);
    assert.equal(await outside.attempt('ear.settimeout(10) or ear.recv(9)'), "ok: b'x'");
  });
  await outside.attempt('ear.close()');
});

async function hostLinkOf(id: string): Promise<string> {
  const { stdout } = await succeed(runCommand(['ip', '-o', '-4', 'route', 'show', await addressOf(id)]));
  return / dev (\S+)/.exec(stdout)?.[1] ?? '';
}

test('N08: the agent can change neither links nor routes nor walls', async () => {
  const commands = [
    ['ip', 'link', 'add', 'x', 'type', 'dummy'],
    ['ip', 'link', 'set', 'eth0', 'down'],
    ['ip', 'route', 'add', '192.0.2.0/24', 'dev', 'eth0'],
    ['ip', 'address', 'add', '10.213.0.99/32', 'dev', 'eth0'],
    ['nft', 'add', 'table', 'inet', 'mine'],
  ];
  for (const command of commands) {
    const ended = await inside.run([`/usr/sbin/${command[0]}`, ...command.slice(1)]);
    assert.notEqual(ended.status, 0, command.join(' '));
    assert.match(ended.stderr, /Operation not permitted/, command.join(' '));
  }
});

test('W12: without the proxy the agent reaches no more than before', async () => {
  await succeed(runCommand(['systemctl', 'kill', '--signal=KILL', 'agent-egressd.service']));
  assert.equal(await inside.attempt(`scan("${FAR}", [80, 443])`), 'ok: []');
  assert.match(await inside.attempt(`connect(("${FAR}", 8000))`), /^ok/);
  assert.deepEqual(await packets(), [`6 ${FAR} 8000`]);
});

test('a connection that was made while the wall was away ends with its return', async () => {
  const spy = await Spy.at(OWN);
  try {
    await withoutWall(inside.id, async () => {
      const open = `globals().update(made=socket.create_connection(("${OWN}", ${spy.port}))) or made.send(b"1")`;
      assert.equal(await strong.attempt(open), 'ok: 1');
    });
    await strong.attempt('made.send(b"22")');
    assert.equal(await strong.attempt(`scan("${OWN}", [5433])`), 'ok: []');
    assert.equal(spy.bytes, 1);
  } finally {
    await strong.attempt('made.close()');
    spy.close();
  }
});
