import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { after, before } from 'node:test';
import { SpawnError } from '../../src/base/errors.ts';
import { bootPrivateHost } from '../../src/private-host/boot.ts';
import type { PrivateHost } from '../../src/private-host/private-host.ts';
import { findLeaks } from '../helpers/leaks.ts';
import { namesOf, PROGRAM } from './program.ts';

/** A host whose machine, another private host, is damaged by these tests. */
let host: PrivateHost;
/** Three times what a boot takes here and now. */
let lateMs: number;

before(async () => {
  const started = performance.now();
  host = await bootPrivateHost({ isBare: true });
  lateMs = Math.ceil(3 * (performance.now() - started));
});
after(() => host.stop());

test('a private host boots inside a private host', async () => {
  const inner = await runInside([]);
  assert.equal(inner.status, 0, inner.stderr);
  assert.equal(inner.stdout, 'systemd\n');
});

test('whoever is not root is told so', async () => {
  // The checkout may lie where only root can read; being able to read it makes nobody root.
  const reading = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  const { status, stderr } = await runInside(['setpriv', '--reuid=65534', '--clear-groups', ...reading]);
  assert.equal(status, 125);
  assert.match(stderr, /needs root.*; run the same command with sudo\n$/);
});

test('all that is not installed is named, with the packages that bring it', async () => {
  const hide = 'mount --bind /dev/null /usr/bin/dbus-daemon && mount --bind /dev/null /usr/bin/setpriv && exec "$@"';
  const { status, stderr } = await runInside(['unshare', '--mount', 'sh', '-c', hide, 'sh']);
  assert.equal(status, 125);
  assert.match(stderr, /not installed: setpriv, dbus-daemon or dbus-broker; apt-get install util-linux dbus\n$/);
});

test('without cgroups that can be written there is none', async () => {
  const readOnly =
    'for d in $(find /sys/fs/cgroup -maxdepth 1); do mount -o remount,bind,ro $d; done 2>/dev/null; exec "$@"';
  const { status, stderr } = await runInside(['unshare', '--mount', 'sh', '-c', readOnly, 'sh']);
  assert.equal(status, 125);
  assert.match(stderr, /cannot make a cgroup in .*; .*--privileged/);
});

test('a boot that fails before systemd starts tells why, and leaves nothing', async () => {
  const tree = writeTree({ 'etc/systemd': 'a file where a directory is' });
  try {
    await assert.rejects(
      bootPrivateHost({ isBare: true, trees: [tree] }),
      (error) => error instanceof SpawnError && /PID 1 ended while booting: cp: .*systemd/.test(error.message),
    );
    assert.deepEqual(await findLeaks(new Map(), { only: othersOf(host) }), []);
  } finally {
    rmSync(tree, { recursive: true });
  }
});

test('a directory that does not exist is refused', async () => {
  await assert.rejects(
    bootPrivateHost({ isBare: true, cwd: '/var/lib/no/such/directory' }),
    (error) => error instanceof SpawnError && error.code === 'private-host.unfit',
  );
});

test('a boot that does not end is given up, says what it waits for, and leaves nothing', async () => {
  const tree = writeTree({
    'usr/lib/systemd/system/private-host-ready.service.d/late.conf':
      '[Unit]\nRequires=late.service\nAfter=late.service\n',
    'usr/lib/systemd/system/late.service': '[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n',
  });
  try {
    await assert.rejects(
      bootPrivateHost({ isBare: true, trees: [tree], timeoutMs: lateMs }),
      (error) =>
        error instanceof SpawnError && /not up after \d+ ms, jobs: .*late\.service start running/.test(error.message),
    );
    assert.deepEqual(await findLeaks(new Map(), { only: othersOf(host) }), []);
  } finally {
    rmSync(tree, { recursive: true });
  }
});

test('an aborted boot fails with the reason and leaves nothing', async () => {
  const reason = new Error('no longer wanted');
  await assert.rejects(bootPrivateHost({ isBare: true, signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(await findLeaks(new Map(), { only: othersOf(host) }), []);
});

/** Private hosts of this process but one. */
function othersOf(known: PrivateHost): RegExp {
  return new RegExp(`${namesOf(process.pid).source}(?!${known.name.slice(known.name.lastIndexOf('-') + 1)})`);
}

/** Runs the program inside the host below a command, with the name of PID 1 as its output. */
async function runInside(below: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return host.run([...below, process.execPath, PROGRAM, '--bare', 'cat', '/proc/1/comm']);
}

function writeTree(files: Readonly<Record<string, string>>): string {
  const tree = mkdtempSync(join(tmpdir(), 'private-host-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}
