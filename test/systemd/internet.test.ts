import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { runCommand } from '../helpers/commands.ts';
import { Internet } from '../helpers/internet.ts';
import { BAD_CERTIFICATES } from '../helpers/internet-certificates.ts';
import { findLeaks, type Snapshot, takeSnapshot } from '../helpers/leaks.ts';

// The pretend internet itself: what leaves the host is seen there, or the suites that use it prove nothing.

const resolver = readFileSync('/etc/resolv.conf', 'utf8');
let snapshot: Snapshot;
let internet: Internet;
before(async () => {
  snapshot = takeSnapshot();
  internet = await Internet.open();
});
beforeEach(() => internet.clear());
after(async () => {
  await internet.close();
  assert.equal(readFileSync('/etc/resolv.conf', 'utf8'), resolver);
  assert.deepEqual(await findLeaks(snapshot), []);
});

/** Python as it comes with the host. */
function python(text: string): Promise<{ readonly status: number; readonly stderr: string }> {
  return runCommand(['/usr/bin/python3', '-c', `import socket\n${text}`]);
}

test('a connection to any address arrives, with its first bytes', async () => {
  for (const address of ['11.0.0.9', '10.9.9.9', '169.254.169.254', '100.64.0.1', '8.8.8.8', '2a00:0:0:5::1']) {
    const { stderr } = await python(`
s = socket.create_connection(("${address}", 6379), 5); s.send(b"hello"); print(s.recv(9))`);
    assert.equal(stderr, '', address);
    const [arrival] = (await internet.arrivals('tcp')).slice(-1);
    assert.deepEqual(arrival, {
      ...{ kind: 'tcp', address, port: 6379, bytes: 'hello' },
      from: address.includes(':') ? '2a00::1' : '11.0.0.1',
    });
  }
});

test('what nobody listens for is seen on the wire', async () => {
  await python(`socket.create_connection(("1.2.3.4", 4444), 5)`);
  await python(`socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"quic", ("1.2.3.5", 443))`);
  await python(`socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"six", ("2a00:0:0:7::1", 443))`);
  await python(
    `socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).sendto(bytes([8,0,0xf7,0xff,0,0,0,0]), ("1.2.3.6", 0))`,
  );
  await python(`socket.socket(socket.AF_INET, socket.SOCK_RAW, 132).sendto(b"sctp", ("1.2.3.7", 0))`);
  const arrivals = await internet.arrivals('packet');
  assert.deepEqual(
    arrivals.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`),
    ['6 1.2.3.4 4444', '17 1.2.3.5 443', '17 2a00:0:0:7::1 443', '1 1.2.3.6 0', '132 1.2.3.7 0'],
  );
});

test('the host asks the name server of the pretend internet, each time anew', async () => {
  await internet.answerInTurn('turns.example.com', [['11.0.0.7', '2a00:0:0:1::7'], ['10.9.9.9']]);
  const both = await lookup('turns.example.com', { all: true });
  assert.deepEqual(both.map(({ address }) => address).sort(), ['11.0.0.7', '2a00:0:0:1::7']);
  assert.deepEqual(
    (await lookup('turns.example.com', { all: true })).map((found) => found.address),
    ['10.9.9.9'],
  );
  await assert.rejects(lookup('unknown.example.com'), /ENOTFOUND/);
  const asked = (await internet.arrivals('dns')).map(({ name, type }) => `${name} ${type}`);
  assert.deepEqual(asked.sort(), [
    ...['turns.example.com A', 'turns.example.com A', 'turns.example.com AAAA', 'turns.example.com AAAA'],
    'unknown.example.com A',
    'unknown.example.com AAAA',
  ]);
});

test('web servers tell the request, over TLS that the authority vouches for, also in HTTP/2', async () => {
  await internet.answer('www.example.com', ['11.0.0.7']);
  const curl = (...words: readonly string[]) => runCommand(['curl', '-sS', '--noproxy', '*', ...words]);
  const plain = await curl('-d', 'text', 'http://www.example.com/a?b');
  assert.match(plain.stdout, /^POST \/a\?b HTTP\/1\.1\nhost: www\.example\.com\n[\s\S]*\n\ntext$/, plain.stderr);
  for (const [option, version] of [
    ['--http1.1', '1.1'],
    ['--http2', '2.0'],
  ] as const) {
    const secure = await curl(option, '--cacert', internet.authority, 'https://www.example.com/c');
    assert.match(secure.stdout, new RegExp(`^GET /c HTTP/${version}\n`), secure.stderr);
  }
  const arrivals = await internet.arrivals('http');
  assert.deepEqual(
    arrivals.map(({ address, port, serverName, method, target, host, body }) =>
      [address, port, serverName, method, target, host, body].join(' '),
    ),
    [
      '11.0.0.7 80  POST /a?b www.example.com text',
      '11.0.0.7 443 www.example.com GET /c www.example.com ',
      '11.0.0.7 443 www.example.com GET /c www.example.com ',
    ],
  );
});

test('a page that streams does so as the test says', async () => {
  await internet.answer('www.example.com', ['11.0.0.7']);
  const reading = runCommand(['curl', '-sSN', '--noproxy', '*', 'http://www.example.com/stream/one']);
  await internet.push('one', 'data: 1\n\n');
  await internet.push('one', 'data: 2\n\n');
  await internet.finish('one');
  assert.equal((await reading).stdout, 'data: 1\n\ndata: 2\n\n');
});

test('servers show certificates that nobody should take, and one speaks no TLS of today', async () => {
  const names = ['api.example.com', ...Object.keys(BAD_CERTIFICATES)];
  for (const name of names) await internet.answer(name, ['11.0.0.7']);
  const curl = async (...words: readonly string[]): Promise<string> => {
    const ended = await runCommand(['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', ...words]);
    return `${ended.status} ${ended.stdout}`;
  };
  const trusting = ['--cacert', internet.authority];
  const judged = await Promise.all(names.map((name) => curl(...trusting, `https://${name}/`)));
  // 60: the certificate is not taken (curl(1), exit codes).
  assert.deepEqual(judged, ['0 200', ...Object.keys(BAD_CERTIFICATES).map(() => '60 000')]);
  const blind = await Promise.all(names.map((name) => curl('--insecure', `https://${name}/`)));
  assert.deepEqual(
    blind,
    names.map(() => '0 200'),
  );
  const old = 'https://api.example.com:9443/';
  assert.equal(await curl(...trusting, '--tlsv1.2', old), '35 000');
  assert.equal(await curl(...trusting, '--tlsv1.0', '--ciphers', 'DEFAULT@SECLEVEL=0', old), '0 200');
});

test('a server tells the credential it got, in many disguises', async () => {
  await internet.answer('api.example.com', ['11.0.0.7']);
  const key = 'k"+/\\y';
  const told = async (path: string): Promise<string> => {
    const url = `http://api.example.com/reflect/${path}`;
    const ended = await runCommand(['curl', '-sS', '-i', '--raw', '-H', `x-api-key: ${key}`, url]);
    return ended.stdout;
  };
  const ways: Readonly<Record<string, string>> = {
    ...{ 'body/plain': key, 'halves/plain': '\r\n', 'late/plain': key, 'named-identity/plain': key },
    ...{ 'body/base64': btoa(key), 'body/base64-1': btoa(`a${key}bc`), 'body/percent': 'k%22%2B%2F%5Cy' },
    ...{ 'body/json': String.raw`k\"+/\\y`, 'field/plain': `x-told: before ${key} after` },
    ...{ 'phrase/plain': `401 not ${key}`, 'location/plain': `?key=${key}`, 'trailer/plain': `x-told: ${key}` },
    'bytes/plain': '1\r\nk\r\n1\r\n"\r\n',
  };
  for (const [path, text] of Object.entries(ways))
    assert.ok((await told(path)).toLowerCase().includes(text.toLowerCase()), path);
});
