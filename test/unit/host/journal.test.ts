import assert from 'node:assert/strict';
import test from 'node:test';
import { JOURNAL_LINE_BYTES_MAX, JOURNAL_WAITING_LINES_MAX } from '../../../src/base/limits.ts';
import { linuxClock } from '../../../src/host/clock.ts';
import { Journal } from '../../../src/host/journal.ts';
import { journalDatagram } from '../../../src/host/journal-datagram.ts';
import { type Native, NativeError } from '../../../src/host/native.ts';

const ENTRY = { unit: 'sandboxed-agent@x.service', identifier: 'agent-x', priority: 6 };
const EAGAIN = 11;
const ENOENT = 2;

/** A journal's socket in memory that can be busy or absent. */
class FakeSocket {
  readonly messages: string[] = [];
  errno: (attempt: number) => number = () => 0;
  #attempts = 0;

  load = async (): Promise<Native> => ({
    openDatagramSocket: () => 7,
    closeSocket: () => undefined,
    peerCredentials: () => ({ uid: 0, gid: 0, pid: 0 }),
    sendDatagram: (_fd, _path, datagram) => {
      this.#attempts += 1;
      const errno = this.errno(this.#attempts);
      if (errno !== 0) throw new NativeError('sendto', errno);
      this.messages.push(/^MESSAGE=(.*)$/m.exec(Buffer.from(datagram).toString())?.[1] ?? '');
    },
  });
}

test('a line is one datagram of fields', () => {
  assert.equal(
    journalDatagram(ENTRY, 'hello = world').toString(),
    'MESSAGE=hello = world\nPRIORITY=6\nSYSLOG_IDENTIFIER=agent-x\n' +
      'OBJECT_SYSTEMD_UNIT=sandboxed-agent@x.service\nAGENT_ID=x\n',
  );
});

test('a value with a newline has its length in front, so that it cannot bring fields of its own', () => {
  const datagram = journalDatagram(ENTRY, 'two\n_UID=1');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(10n);
  const expected = Buffer.concat([Buffer.from('MESSAGE\n'), length, Buffer.from('two\n_UID=1\n')]);
  assert.deepEqual(datagram.subarray(0, expected.length), expected);
});

test('an entry about a unit that is no agent’s names no agent', () => {
  assert.doesNotMatch(journalDatagram({ ...ENTRY, unit: 'dbus.service' }, 'x').toString(), /AGENT_ID/);
});

test('a busy journal is waited for, and the lines come in order', async () => {
  const socket = new FakeSocket();
  socket.errno = (attempt) => (attempt % 3 === 0 ? 0 : EAGAIN);
  await using journal = new Journal(linuxClock(), socket.load);
  const appends = [['a', 'b'], ['c']].map((lines) => journal.append({ ...ENTRY, lines }));
  await Promise.all(appends);
  assert.deepEqual(socket.messages, ['a', 'b', 'c']);
});

test('lines that a busy journal never takes are dropped, counted, and the count is told', async () => {
  const socket = new FakeSocket();
  socket.errno = () => EAGAIN;
  await using journal = new Journal(linuxClock(), socket.load);
  await journal.append({ ...ENTRY, lines: ['lost', 'lost too'] });
  socket.errno = () => 0;
  await journal.append({ ...ENTRY, lines: ['next'] });
  await journal.append({ ...ENTRY, lines: ['last'] });
  assert.deepEqual(socket.messages, [
    "2 lines of the agent's output could not be recorded: the journal was too busy.",
    'next',
    'last',
  ]);
});

test('no more lines wait than may', async () => {
  const socket = new FakeSocket();
  await using journal = new Journal(linuxClock(), socket.load);
  const many = Array.from({ length: JOURNAL_WAITING_LINES_MAX }, () => 'x');
  await Promise.all([journal.append({ ...ENTRY, lines: many }), journal.append({ ...ENTRY, lines: ['one too many'] })]);
  assert.equal(socket.messages.filter((message) => message === 'x').length, many.length);
  assert.deepEqual(
    socket.messages.filter((message) => message !== 'x'),
    ["1 line of the agent's output could not be recorded: the journal was too busy."],
  );
});

test('a line that is too long is cut', async () => {
  const socket = new FakeSocket();
  await using journal = new Journal(linuxClock(), socket.load);
  await journal.append({ ...ENTRY, lines: ['x'.repeat(JOURNAL_LINE_BYTES_MAX + 1)] });
  assert.equal(socket.messages[0]?.length, JOURNAL_LINE_BYTES_MAX);
});

test('a host without a journal is a failure that says so, and the next entry is tried again', async () => {
  const socket = new FakeSocket();
  socket.errno = () => ENOENT;
  await using journal = new Journal(linuxClock(), socket.load);
  await assert.rejects(journal.append({ ...ENTRY, lines: ['x'] }), {
    code: 'host.call-failed',
    message: 'writing to the journal for sandboxed-agent@x.service failed: sendto: ENOENT',
  });
  socket.errno = () => 0;
  await journal.append({ ...ENTRY, lines: ['y'] });
  assert.deepEqual(socket.messages, ['y']);
});
