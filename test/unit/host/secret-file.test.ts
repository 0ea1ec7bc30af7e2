import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { readSecretFile } from '../../../src/host/secret-file.ts';
import type { SecretRead } from '../../../src/host/secret-read.ts';

// Below /tmp, which is sticky and everybody's: what is root's there nobody else can move.
const place = mkdtempSync('/tmp/agent-spawn-secrets-');
after(() => rmSync(place, { recursive: true }));

const STRANGER = 1_900_000_777;
const path = `${place}/key`;

beforeEach(() => {
  rmSync(place, { recursive: true });
  mkdirSync(place, { mode: 0o755 });
  write(path);
});

function write(file: string, mode = 0o600): void {
  writeFileSync(file, 'hush\n');
  chmodSync(file, mode);
}

/** What was read, or kind and path of the fault, the path without the directory of this test. */
async function read(file = path, options: { bytesMax?: number; mayBeReadable?: boolean } = {}): Promise<string> {
  const found: SecretRead = await readSecretFile(file, { bytesMax: 64, mayBeReadable: false, ...options });
  if (found.ok) return Buffer.from(found.bytes).toString();
  const { kind, ...rest } = found.fault;
  return [kind, ...Object.values(rest)].join(' ').replaceAll(place, '');
}

test('a file of root, open to nobody else, is read whole', async () => {
  assert.equal(await read(), 'hush\n');
  assert.equal(await read(path, { bytesMax: 5 }), 'hush\n');
  chmodSync(path, 0o400);
  assert.equal(await read(), 'hush\n');
  writeFileSync(path, '');
  assert.equal(await read(), '');
});

test('a file that is absent, or below one, is told as absent', async () => {
  assert.equal(await read(`${place}/none`), 'absent /none');
  assert.equal(await read(`${place}/none/deeper`), 'absent /none');
  assert.equal(await read(`${path}/deeper`), 'absent /key/deeper');
});

test('what is no file is not opened', { timeout: 10_000 }, async () => {
  assert.equal(await read(place), 'not-a-file  directory');
  mkdirSync(`${place}/directory`);
  assert.equal(await read(`${place}/directory`), 'not-a-file /directory directory');
  assert.equal(await read('/dev/zero'), 'not-a-file /dev/zero device');
  execFileSync('mkfifo', ['-m', '0600', `${place}/fifo`]);
  assert.equal(await read(`${place}/fifo`), 'not-a-file /fifo FIFO');
  const server = createServer().listen(`${place}/socket`);
  await once(server, 'listening');
  assert.equal(await read(`${place}/socket`), 'not-a-file /socket socket');
  server.close();
});

test('a file that is too large is not read, however large it is', { timeout: 10_000 }, async () => {
  truncateSync(path, 2 ** 30);
  assert.equal(await read(path, { bytesMax: 65_536 }), 'too-large /key 1073741824');
  truncateSync(path, 65);
  assert.equal(await read(), 'too-large /key 65');
});

test('a file that others can read is for root to allow', async () => {
  for (const mode of [0o640, 0o604, 0o610, 0o601, 0o644]) {
    chmodSync(path, mode);
    assert.equal(await read(), `readable /key ${mode}`);
    assert.equal(await read(path, { mayBeReadable: true }), 'hush\n');
  }
});

test('a file that others can write to is never used', async () => {
  for (const mode of [0o620, 0o602, 0o666]) {
    chmodSync(path, mode);
    assert.equal(await read(path, { mayBeReadable: true }), `writable /key ${mode}`);
  }
  chmodSync(path, 0o600);
  chownSync(path, STRANGER, 0);
  assert.equal(await read(path, { mayBeReadable: true }), `foreign /key ${STRANGER}`);
});

test('a directory on the way that others can write to, or that is theirs, could lead elsewhere at any time', async () => {
  mkdirSync(`${place}/outer/inner`, { recursive: true });
  write(`${place}/outer/inner/key`);
  const inside = (): Promise<string> => read(`${place}/outer/inner/key`);
  assert.equal(await inside(), 'hush\n');
  chmodSync(`${place}/outer`, 0o777);
  assert.equal(await inside(), `writable /outer ${0o777}`);
  chmodSync(`${place}/outer`, 0o1777);
  assert.equal(await inside(), 'hush\n');
  chmodSync(`${place}/outer`, 0o770);
  assert.equal(await inside(), 'hush\n', 'the group root is root');
  chownSync(`${place}/outer`, 0, STRANGER);
  assert.equal(await inside(), `writable /outer ${0o770}`);
  chmodSync(`${place}/outer`, 0o1775);
  assert.equal(await inside(), 'hush\n', 'as the store of Nix is');
  chmodSync(`${place}/outer`, 0o750);
  assert.equal(await inside(), 'hush\n', 'looking is no harm');
  chownSync(`${place}/outer`, STRANGER, 0);
  assert.equal(await inside(), `foreign /outer ${STRANGER}`);
});

test('symlinks are followed, and what is on their way is looked at as well', async () => {
  mkdirSync(`${place}/store/generation-1`, { recursive: true });
  write(`${place}/store/generation-1/key`);
  symlinkSync('generation-1', `${place}/store/current`);
  symlinkSync(`${place}/store/current/key`, `${place}/absolute`);
  symlinkSync('./store//../store/current/./key', `${place}/relative`);
  assert.equal(await read(`${place}/absolute`), 'hush\n');
  assert.equal(await read(`${place}/relative`), 'hush\n');
  chmodSync(`${place}/store`, 0o777);
  assert.equal(await read(`${place}/absolute`), `writable /store ${0o777}`);
  chmodSync(`${place}/store`, 0o755);
  lchownSync(`${place}/store/current`, STRANGER, STRANGER);
  assert.equal(await read(`${place}/relative`), `foreign /store/current ${STRANGER}`);
  symlinkSync('absent/key', `${place}/dangling`);
  assert.equal(await read(`${place}/dangling`), 'absent /absent');
  symlinkSync('..', `${place}/store/up`);
  assert.equal(await read(`${place}/store/up`), 'not-a-file  directory');
});

test('symlinks that lead in a circle come to an end', { timeout: 10_000 }, async () => {
  symlinkSync('circle', `${place}/circle`);
  assert.equal(await read(`${place}/circle`), 'link-loop /circle');
  symlinkSync('pong', `${place}/ping`);
  symlinkSync('ping', `${place}/pong`);
  assert.match(await read(`${place}/ping`), /^link-loop /);
});

test('a link of the kernel leads to no open file of the daemon', async () => {
  const fd = openSync(path, 'r');
  assert.match(await read(`/proc/self/fd/${fd}`), /^(hush\n|absent|foreign|writable)/);
  assert.match(await read('/dev/stdin'), /^(absent|not-a-file|foreign|writable)/);
});

test('a file of the kernel, which has no size, is no secret', async () => {
  assert.match(await read('/proc/self/environ', { bytesMax: 65_536 }), /^(unstable|foreign)/);
});

test('a file that grows while it is read is refused, and one that is exchanged is read as it was', async () => {
  // Each round races a read against a writer; what comes out is one of the two contents or a refusal, never a mixture.
  const seen = new Set<string>();
  for (let round = 0; round < 300; round += 1) {
    writeFileSync(path, 'old');
    const reading = read();
    if (round % 2 === 0) appendFileSync(path, '+new');
    else {
      writeFileSync(`${place}/next`, 'next');
      chmodSync(`${place}/next`, 0o600);
      renameSync(`${place}/next`, path);
    }
    seen.add(await reading);
  }
  for (const found of seen) assert.match(found, /^(old|old\+new|next|unstable \/key)$/);
});
