import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test from 'node:test';
import { loadNative, socketAddress } from '../../../src/host/native.ts';
import { openPeerReader, passedSockets } from '../../../src/host/unix-socket.ts';
import { makeScratch } from '../../helpers/scratch.ts';

test('passed sockets are numbered from 3 and named', () => {
  const variables = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'api:admin' };
  assert.deepEqual(passedSockets(variables, 42), [
    { fd: 3, name: 'api' },
    { fd: 4, name: 'admin' },
  ]);
});

test('sockets without names are passed as well', () => {
  assert.deepEqual(passedSockets({ LISTEN_PID: '42', LISTEN_FDS: '1' }, 42), [{ fd: 3, name: 'unknown' }]);
});

test('sockets meant for another process, or none, are none', () => {
  assert.deepEqual(passedSockets({ LISTEN_PID: '41', LISTEN_FDS: '1' }, 42), []);
  assert.deepEqual(passedSockets({ LISTEN_FDS: '1' }, 42), []);
  assert.deepEqual(passedSockets({}, 42), []);
});

test('a number of sockets that is none is refused', () => {
  for (const LISTEN_FDS of ['', '-1', '1e9', '99999', 'x']) {
    assert.throws(() => passedSockets({ LISTEN_PID: '42', LISTEN_FDS }, 42), { code: 'host.call-failed' });
  }
});

test('the peer of a connection is who connected', async () => {
  await using scratch = await makeScratch();
  const path = `${scratch.path}/socket`;
  const server = createServer().listen(path);
  await once(server, 'listening');
  const client = connect(path);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  const readPeer = await openPeerReader();
  assert.deepEqual(readPeer(accepted), { uid: process.getuid?.(), gid: process.getgid?.(), pid: process.pid });
  client.destroy();
  accepted.destroy();
  assert.throws(() => readPeer(accepted), { code: 'host.call-failed' });
  server.close();
});

test('a datagram to nobody fails with the errno’s name', async () => {
  const native = await loadNative();
  const socket = native.openDatagramSocket();
  assert.throws(() => native.sendDatagram(socket, '/nonexistent/socket', Buffer.from('x')), { code: 'ENOENT' });
  assert.throws(() => native.sendDatagram(socket, '@agent-spawn-nobody', Buffer.from('x')), { code: 'ECONNREFUSED' });
  native.closeSocket(socket);
  assert.throws(() => native.peerCredentials(-1), { code: 'EBADF' });
});

test('a socket path that does not fit is refused', () => {
  assert.equal(socketAddress(`/${'x'.repeat(106)}`).length, 110);
  assert.throws(() => socketAddress(`/${'x'.repeat(107)}`), { code: 'host.call-failed' });
  assert.deepEqual(socketAddress('@a').subarray(2), Buffer.from('\0a'));
});
