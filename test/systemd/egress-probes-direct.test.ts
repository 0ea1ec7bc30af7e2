import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { Bench } from '../helpers/agents.ts';
import { HOST_ADDRESSES, Internet, WORLD_ADDRESS } from '../helpers/internet.ts';
import { Puppet } from '../helpers/puppet.ts';

// Ways out that do not ask the proxy. Each is taken outside of the sandbox first, where it arrives.

/** An expression of test/agents/puppet.py, and what the wire shows of it: protocol, address, port. */
type Way = readonly [expression: string, arrival: string];

const RAW = (protocol: number, bytes: string, address: string): string =>
  `socket.socket(socket.AF_INET, socket.SOCK_RAW, ${protocol}).sendto(${bytes}, ("${address}", 0))`;
/** ICMP echo request without content. */
const ECHO = 'bytes([8, 0, 0xf7, 0xff, 0, 0, 0, 0])';

/** IPv4 header (RFC 791; the kernel fills in lengths and source) and the first packet of a connection to port 80. */
const SYN_BY_HAND =
  'bytes([0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0, 0, 0, 0, 0, 11, 0, 0, 9]) + bytes([9, 9, 0, 80]) + bytes(8) + bytes([0x50, 2]) + bytes(6)';

const STREAMS: readonly Way[] = [
  ['connect(("11.0.0.9", 80))', '6 11.0.0.9 80'],
  ['connect(("11.0.0.9", 443))', '6 11.0.0.9 443'],
  ['connect(("11.0.0.9", 22))', '6 11.0.0.9 22'],
  ['connect(("10.9.9.9", 80))', '6 10.9.9.9 80'],
  ['connect(("100.64.0.1", 80))', '6 100.64.0.1 80'],
  ['connect(("169.254.169.254", 80))', '6 169.254.169.254 80'],
  ['connect(("2a00:0:0:1::7", 80), socket.AF_INET6)', '6 2a00:0:0:1::7 80'],
  // The proxy's port on hosts that are not the proxy.
  ['connect(("11.0.0.9", 3128))', '6 11.0.0.9 3128'],
  [`connect(("${WORLD_ADDRESS}", 3128))`, `6 ${WORLD_ADDRESS} 3128`],
];
const DATAGRAMS: readonly Way[] = [
  ['datagram(b"x", ("11.0.0.9", 443))', '17 11.0.0.9 443'],
  ['datagram(b"x", ("11.0.0.9", 9999))', '17 11.0.0.9 9999'],
  ['datagram(b"x", ("2a00:0:0:1::7", 443), socket.AF_INET6)', '17 2a00:0:0:1::7 443'],
  ['datagram(b"x", ("224.0.0.251", 5353))', '17 224.0.0.251 5353'],
  ['datagram(b"x", ("224.0.0.252", 5355))', '17 224.0.0.252 5355'],
];
const OTHERS: readonly Way[] = [
  [RAW(1, ECHO, '11.0.0.9'), '1 11.0.0.9 0'],
  [RAW(47, 'b"gre"', '11.0.0.9'), '47 11.0.0.9 0'],
  [RAW(132, 'b"sctp"', '11.0.0.9'), '132 11.0.0.9 0'],
  [RAW(33, 'b"dccp"', '11.0.0.9'), '33 11.0.0.9 0'],
  [RAW(255, SYN_BY_HAND, '11.0.0.9'), '6 11.0.0.9 80'],
  [
    `socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58).sendto(bytes([128, 0]) + bytes(6), ("2a00:0:0:1::7", 0))`,
    '58 2a00:0:0:1::7 0',
  ],
];
/** A question for the A record of canary.example.com (RFC 1035). */
const QUESTION = 'b"\\x12\\x34\\x01\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\x06canary\\x07example\\x03com\\0\\0\\x01\\0\\x01"';
const QUESTIONS: readonly Way[] = [
  [`datagram(${QUESTION}, ("8.8.8.8", 53))`, '17 8.8.8.8 53'],
  [`datagram(${QUESTION}, ("${WORLD_ADDRESS}", 53))`, `17 ${WORLD_ADDRESS} 53`],
  ['connect(("8.8.8.8", 53))', '6 8.8.8.8 53'],
  ['connect(("1.1.1.1", 443))', '6 1.1.1.1 443'],
  ['connect(("1.1.1.1", 853))', '6 1.1.1.1 853'],
];
const CONTROL_FAILURES = /^(ok|ECONNREFUSED)/;

let bench: Bench;
let internet: Internet;
let outside: Puppet;
before(async () => {
  bench = await Bench.open();
  internet = await Internet.open();
  outside = await Puppet.outside();
});
beforeEach(() => internet.clear());
after(async () => {
  await outside?.end();
  await internet?.close();
  await bench?.close();
});

/** Takes every way outside, where each must show on the wire, and then inside, where none may. */
async function assertClosed(inside: Puppet, ways: readonly Way[]): Promise<readonly string[]> {
  for (const [expression, arrival] of ways) {
    const said = await outside.attempt(expression);
    assert.match(said, CONTROL_FAILURES, `${expression} outside: ${said}`);
    const seen = (await internet.arrivals('packet')).map(
      (packet) => `${packet.protocol} ${packet.address} ${packet.port}`,
    );
    assert.ok(seen.includes(arrival), `${expression} arrives from outside: ${seen}`);
  }
  await internet.clear();
  const said: string[] = [];
  for (const [expression] of ways) said.push(await inside.attempt(expression));
  assert.deepEqual(await internet.arrivals(), []);
  return said;
}

/** Something of the host that an agent should not find. */
async function listenAt(host: string, port = 0): Promise<{ server: Server; port: number; arrivals: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.on('error', () => undefined);
    socket.resume();
  });
  server.listen(port, host);
  await once(server, 'listening');
  const bound = server.address();
  return { server, port: typeof bound === 'object' && bound !== null ? bound.port : 0, arrivals: () => count };
}

for (const mode of ['isolated', 'none'] as const) {
  describe(`network mode ${mode}`, () => {
    let inside: Puppet;
    before(async () => {
      const rules = mode === 'isolated' ? { allowed_hosts: ['*'] } : {};
      inside = await Puppet.start(bench, { network: { mode }, ...rules });
    });
    after(() => inside?.end());

    test('no direct connection arrives anywhere, be it of IPv4 or IPv6', async () => {
      const said = await assertClosed(inside, STREAMS);
      for (const line of said) assert.match(line, /^ENETUNREACH$/);
    });

    test('no datagram arrives anywhere, nor one to a group of hosts', async () => {
      const said = await assertClosed(inside, DATAGRAMS);
      for (const line of said) assert.match(line, /^(ENETUNREACH|EACCES)$/);
    });

    test('ICMP, GRE, SCTP, DCCP and packets made by hand do not leave', async () => {
      const said = await assertClosed(inside, OTHERS);
      for (const line of said) assert.match(line, /^(EPERM|EACCES|EPROTONOSUPPORT)$/);
      assert.match(
        await inside.attempt(
          'socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1).sendto(b"\\x08" + bytes(7), ("11.0.0.9", 0))',
        ),
        /^(EPERM|EACCES|EPROTONOSUPPORT)$/,
      );
      assert.match(await inside.attempt('socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'), /^(EPERM|EAFNOSUPPORT)$/);
    });

    test('no question for a name leaves, neither to the resolver of the host nor to any other', async () => {
      await assertClosed(inside, QUESTIONS);
      const ask = (name: string): string => `socket.getaddrinfo("${name}.example.com", 80)`;
      await outside.attempt(ask('outside'));
      await inside.attempt(ask('inside'));
      await inside.attempt(`datagram(${QUESTION}, ("127.0.0.53", 53))`);
      const asked = new Set((await internet.arrivals('dns')).map(({ name }) => name));
      assert.deepEqual([...asked], ['outside.example.com']);
    });

    test('of all ports of the loopback device only that of the proxy answers, of the host none', async () => {
      const listeners = await Promise.all(['127.0.0.1', '::1', ...HOST_ADDRESSES].map((host) => listenAt(host)));
      const ports = listeners.map(({ port }) => port);
      const [four = 0, six = 0, own = 0, ownSix = 0] = ports;
      const ways = [
        `scan("127.0.0.1", [${four}])`,
        `scan("::1", [${six}], socket.AF_INET6)`,
        `scan("${HOST_ADDRESSES[0]}", [${own}])`,
        `scan("${HOST_ADDRESSES[1]}", [${ownSix}], socket.AF_INET6)`,
      ];
      try {
        for (const [index, way] of ways.entries()) assert.equal(await outside.attempt(way), `ok: [${ports[index]}]`);
        for (const way of ways) assert.equal(await inside.attempt(way), 'ok: []');
        const proxy = mode === 'isolated' ? 'ok: [3128]' : 'ok: []';
        assert.equal(await inside.attempt('scan("127.0.0.1", range(1, 65536))'), proxy);
        assert.equal(await inside.attempt('scan("::1", range(1, 65536), socket.AF_INET6)'), 'ok: []');
        assert.deepEqual(
          listeners.map(({ arrivals }) => arrivals()),
          [1, 1, 1, 1],
        );
      } finally {
        for (const { server } of listeners) server.close();
      }
    });

    test('what another agent listens at is not there', async () => {
      const other = await Puppet.start(bench, { network: { mode } });
      try {
        const listen =
          'globals().setdefault("kept_open", [socket.create_server(("127.0.0.1", 4000)), socket.create_server(("0.0.0.0", 4001))]) and 1';
        assert.equal(await other.attempt(listen), 'ok: 1');
        assert.equal(await other.attempt('scan("127.0.0.1", [4000, 4001])'), 'ok: [4000, 4001]');
        assert.equal(await inside.attempt('scan("127.0.0.1", [4000, 4001])'), 'ok: []');
        assert.match(
          await inside.attempt(`socket.socket(socket.AF_UNIX).connect("/run/agent-egress/${other.id}/proxy.sock")`),
          /^ENOENT$/,
        );
      } finally {
        await other.end();
      }
    });

    test('what the agent listens at cannot be reached from the host, nor from beyond it', async () => {
      const listen = (port: number): string =>
        `globals().setdefault("kept_${port}", socket.create_server(("", ${port}))) and 1`;
      assert.equal(await outside.attempt(listen(4100)), 'ok: 1');
      assert.equal(await inside.attempt(listen(4200)), 'ok: 1');
      const beyond = await Puppet.outside(...internet.inside());
      try {
        for (const [who, address] of [
          [outside, '127.0.0.1'],
          [outside, '11.0.0.1'],
          [beyond, '11.0.0.1'],
        ] as const) {
          assert.equal(await who.attempt(`scan("${address}", [4100, 4200])`), 'ok: [4100]', address);
        }
      } finally {
        await beyond.end();
        await outside.attempt('globals().pop("kept_4100").close()');
      }
    });
  });
}

test('a client that knows of no proxy fails and nothing of it arrives', async () => {
  await internet.answer('www.example.com', ['11.0.0.7']);
  const inside = await Puppet.start(bench, { network: { mode: 'isolated' }, allowed_hosts: ['*'] });
  const clients = [
    ['curl', '-sS', '--noproxy', '*', '--max-time', '20', 'http://www.example.com/'],
    [
      'node',
      '-e',
      'require("http").get("http://11.0.0.7/", r => r.resume()).on("error", e => { console.error(e.code); process.exit(7) })',
    ],
    ['bash', '-c', 'exec 3<>/dev/tcp/11.0.0.7/80 && echo GET / >&3'],
  ];
  try {
    for (const client of clients) assert.equal((await outside.run(client)).status, 0, client.join(' '));
    assert.ok((await internet.arrivals('tcp')).length === clients.length);
    await internet.clear();
    for (const client of clients) assert.notEqual((await inside.run(client)).status, 0, client.join(' '));
    assert.deepEqual(await internet.arrivals(), []);
  } finally {
    await inside.end();
  }
});
