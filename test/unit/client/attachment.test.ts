import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { SpawnError } from '../../../src/base/errors.ts';
import { Attachment, type StreamReceivers } from '../../../src/client/attachment.ts';

const IGNORED: StreamReceivers = { stdin: () => undefined, stdout: () => undefined, stderr: () => undefined };

test('an attachment is a directory of its owner alone with three listening sockets, and goes as a whole', async (t) => {
  const { directory, socketPath } = runDirectory(t);
  const seen: string[] = [];
  const attachment = new Attachment(socketPath, {
    stdin: (connection) => seen.push('stdin') && connection.end(),
    stdout: (connection) => seen.push('stdout') && connection.end(),
    stderr: (connection) => seen.push('stderr') && connection.end(),
  });
  assert.match(attachment.token, /^[0-9a-f]{32}$/);
  const place = join(directory, 'attach', attachment.token);
  assert.equal(statSync(place).mode & 0o777, 0o700);
  for (const name of ['stdin', 'stdout', 'stderr']) {
    const socket = connect(join(place, `${name}.sock`));
    await once(socket.resume(), 'end');
  }
  assert.deepEqual(seen, ['stdin', 'stdout', 'stderr']);
  attachment[Symbol.dispose]();
  assert.deepEqual(readdirSync(join(directory, 'attach')), []);
});

test('no two attachments have the same name', (t) => {
  const { socketPath } = runDirectory(t);
  const attachments = Array.from({ length: 20 }, () => new Attachment(socketPath, IGNORED));
  assert.equal(new Set(attachments.map(({ token }) => token)).size, 20);
  for (const attachment of attachments) attachment[Symbol.dispose]();
});

test('where nothing is installed, the remedy is to install it', (t) => {
  const { directory, socketPath } = runDirectory(t);
  rmSync(join(directory, 'attach'), { recursive: true });
  assert.throws(() => new Attachment(socketPath, IGNORED), withRemedy(/install-system/));
});

test('where only the directory is missing, the remedy is to make it', (t) => {
  const { directory, socketPath } = runDirectory(t);
  rmSync(join(directory, 'attach'), { recursive: true });
  writeFileSync(socketPath, '');
  assert.throws(() => new Attachment(socketPath, IGNORED), withRemedy(/systemd-tmpfiles/));
});

test('a path that is too long for a socket is a failure, not a crash', (t) => {
  const { directory } = runDirectory(t);
  const deep = join(directory, 'x'.repeat(100));
  mkdirSync(join(deep, 'attach'), { recursive: true });
  assert.throws(() => new Attachment(join(deep, 'api.sock'), IGNORED), /Cannot listen/);
  assert.deepEqual(readdirSync(join(deep, 'attach')), []);
});

function runDirectory(t: TestContext): { readonly directory: string; readonly socketPath: string } {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-attach-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'attach'));
  return { directory, socketPath: join(directory, 'api.sock') };
}

function withRemedy(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof SpawnError && error.code === 'control.unavailable' && pattern.test(error.remedy ?? '');
}
