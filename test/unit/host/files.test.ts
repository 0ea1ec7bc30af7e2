import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { linuxFiles } from '../../../src/host/files.ts';
import { makeScratch } from '../../helpers/scratch.ts';

const files = linuxFiles();
const CALL_FAILED = { name: 'SpawnError', code: 'host.call-failed' };

test('files and directories have exactly the mode asked for, whatever the umask', async () => {
  await using scratch = await makeScratch();
  const umask = process.umask(0o077);
  try {
    await files.write(`${scratch.path}/file`, 'x', 0o644);
    await files.makeDirectory(`${scratch.path}/directory`, 0o755);
  } finally {
    process.umask(umask);
  }
  assert.equal(statSync(`${scratch.path}/file`).mode & 0o7777, 0o644);
  assert.equal(statSync(`${scratch.path}/directory`).mode & 0o7777, 0o755);
});

test('an existing directory keeps its mode', async () => {
  await using scratch = await makeScratch();
  mkdirSync(`${scratch.path}/directory`);
  chmodSync(`${scratch.path}/directory`, 0o711);
  await files.makeDirectory(`${scratch.path}/directory`, 0o755);
  assert.equal(statSync(`${scratch.path}/directory`).mode & 0o7777, 0o711);
});

test('what an interrupted write left behind is neither listed nor in the way', async () => {
  await using scratch = await makeScratch();
  writeFileSync(`${scratch.path}/.record.json.new`, 'half');
  assert.deepEqual(await files.list(scratch.path), []);
  await files.write(`${scratch.path}/record.json`, 'whole', 0o600);
  assert.equal(readFileSync(`${scratch.path}/record.json`, 'utf8'), 'whole');
  assert.equal(existsSync(`${scratch.path}/.record.json.new`), false);
});

test('a symlink planted under the temporary name is not written through', async () => {
  await using scratch = await makeScratch();
  writeFileSync(`${scratch.path}/victim`, 'untouched');
  symlinkSync('victim', `${scratch.path}/.record.json.new`);
  // Positive control: an ordinary write to that name reaches the victim.
  writeFileSync(`${scratch.path}/.record.json.new`, 'reached');
  assert.equal(readFileSync(`${scratch.path}/victim`, 'utf8'), 'reached');
  await files.write(`${scratch.path}/record.json`, 'whole', 0o600);
  assert.equal(readFileSync(`${scratch.path}/victim`, 'utf8'), 'reached');
  assert.equal(readFileSync(`${scratch.path}/record.json`, 'utf8'), 'whole');
});

test('a write that fails leaves nothing', async () => {
  await using scratch = await makeScratch();
  mkdirSync(`${scratch.path}/taken`);
  await assert.rejects(files.write(`${scratch.path}/taken`, 'x', 0o600), CALL_FAILED);
  assert.equal(existsSync(`${scratch.path}/.taken.new`), false);
});

test('a FIFO where a file should be is refused, not waited for', async () => {
  await using scratch = await makeScratch();
  execFileSync('mkfifo', [`${scratch.path}/fifo`]);
  await assert.rejects(files.read(`${scratch.path}/fifo`, 10), CALL_FAILED);
});

test('a file of the kernel’s, which has no size, is read whole and bounded', async () => {
  const status = await files.read('/proc/self/status', 64 * 1024);
  assert.match(Buffer.from(status ?? []).toString(), /^Name:/);
  await assert.rejects(files.read('/proc/self/status', 16), CALL_FAILED);
});

test('an error names operation, path and cause', async () => {
  await using scratch = await makeScratch();
  await assert.rejects(files.list(`${scratch.path}/../${'x'.repeat(300)}`), (error: Error) => {
    assert.match(error.message, /^listing .*x failed: ENAMETOOLONG/);
    return true;
  });
});

test('a directory that comes to be is watched from then on', async () => {
  await using scratch = await makeScratch();
  const path = `${scratch.path}/a/b`;
  const told = new EventTarget();
  using _watch = files.watch(path, () => void told.dispatchEvent(new Event('changed')));
  const expectChange = async (change: () => void): Promise<void> => {
    const changed = once(told, 'changed');
    // A watch does not hold the process; the test must.
    const patience = setTimeout(() => undefined, 10_000);
    change();
    await changed;
    clearTimeout(patience);
  };
  await expectChange(() => mkdirSync(path, { recursive: true }));
  await expectChange(() => writeFileSync(`${path}/card.json`, '{}'));
  await expectChange(() => {
    execFileSync('rm', ['-r', path]);
    mkdirSync(path);
  });
  await expectChange(() => writeFileSync(`${path}/card.json`, '{}'));
});

test('a socket of the user gets a second name that leads to it, closed to others', async () => {
  await using scratch = await makeScratch();
  const server = createServer((connection) => connection.end('hello')).listen(`${scratch.path}/of-user`);
  await once(server, 'listening');
  chownSync(`${scratch.path}/of-user`, 1000, 1000);
  assert.equal(await files.linkSocket(`${scratch.path}/of-user`, `${scratch.path}/name`, 1000), true);
  assert.equal(statSync(`${scratch.path}/name`).mode & 0o7777, 0o600);
  rmSync(`${scratch.path}/of-user`);
  writeFileSync(`${scratch.path}/of-user`, 'something else');
  assert.equal(await text(connect(`${scratch.path}/name`)), 'hello');
  server.close();
});

test('what is no socket of the user gets no second name, whatever leads to it', async () => {
  await using scratch = await makeScratch();
  const place = (name: string): string => `${scratch.path}/${name}`;
  const server = createServer().listen(place('of-root'));
  await once(server, 'listening');
  mkdirSync(place('directory'));
  writeFileSync(place('file'), '');
  chownSync(place('file'), 1000, 1000);
  symlinkSync('of-root', place('link'));
  symlinkSync('.', place('here'));
  execFileSync('mkfifo', [place('fifo')]);
  chownSync(place('fifo'), 1000, 1000);
  for (const name of [
    'absent',
    'of-root',
    'directory',
    'file',
    'link',
    'fifo',
    'here/of-root',
    'file/below',
    'here/absent',
  ]) {
    assert.equal(await files.linkSocket(place(name), place('name'), 1000), false, name);
    assert.equal(existsSync(place('name')), false, name);
  }
  // Positive control: to whom it belongs it is given.
  assert.equal(await files.linkSocket(place('of-root'), place('name'), 0), true);
  server.close();
});
