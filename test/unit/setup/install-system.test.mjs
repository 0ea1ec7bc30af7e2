import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { inCheckout } from '../../../src/setup/checkout.mjs';

function temporaryDirectory(t) {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-install-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function command(name, ...args) {
  return spawnSync(process.execPath, [inCheckout(`src/setup/${name}.mjs`), ...args], { encoding: 'utf8' });
}

function listTree(directory) {
  return (
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      // Node 20.11 has one name for it, Node 24 the other.
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(directory.length))
      .sort()
  );
}

test('an installation is what its manifest says, and uninstalling leaves nothing of it', (t) => {
  const root = temporaryDirectory(t);
  assert.equal(command('install-system', '--destdir', root).status, 0);
  const manifest = readFileSync(join(root, 'usr/lib/agent-spawn/manifest'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(listTree(root), [...manifest, '/usr/lib/agent-spawn/manifest'].sort());
  assert.equal(command('uninstall-system', '--destdir', root).status, 0);
  assert.deepEqual(listTree(root), []);
});

test('commands are links to programs that name an absolute interpreter', (t) => {
  const root = temporaryDirectory(t);
  assert.equal(command('install-system', '--destdir', root, '--node', '/opt/node/bin/node').status, 0);
  assert.equal(readlinkSync(join(root, 'usr/bin/agentctl')), '../lib/agent-spawn/agentctl.cjs');
  const program = readFileSync(join(root, 'usr/bin/agentctl'), 'utf8');
  assert.equal(program.slice(0, program.indexOf('\n')), '#!/opt/node/bin/node');
  assert.equal(statSync(join(root, 'usr/bin/agentctl')).mode & 0o777, 0o755);
});

test('another prefix moves the paths inside the units', (t) => {
  const root = temporaryDirectory(t);
  assert.equal(command('install-system', '--destdir', root, '--prefix', '/usr/local').status, 0);
  const unit = readFileSync(join(root, 'usr/local/lib/systemd/system/agent-spawnd.service'), 'utf8');
  assert.match(unit, /^ExecStart=\/usr\/local\/lib\/agent-spawn\/agent-spawnd\.cjs$/m);
});

test('installing again removes files of an older installation that the new one lacks', (t) => {
  const root = temporaryDirectory(t);
  assert.equal(command('install-system', '--destdir', root).status, 0);
  const manifest = join(root, 'usr/lib/agent-spawn/manifest');
  writeFileSync(manifest, `${readFileSync(manifest, 'utf8')}/usr/lib/agent-spawn/gone.cjs\n`);
  writeFileSync(join(root, 'usr/lib/agent-spawn/gone.cjs'), '');
  writeFileSync(join(root, 'usr/lib/agent-spawn/of-somebody-else'), '');
  assert.equal(command('install-system', '--destdir', root).status, 0);
  assert.deepEqual(
    listTree(root).filter((path) => /gone|somebody/.test(path)),
    ['/usr/lib/agent-spawn/of-somebody-else'],
  );
});

test('enabling links what a boot starts, and uninstalling leaves cards and state alone', (t) => {
  const root = temporaryDirectory(t);
  assert.equal(command('install-system', '--destdir', root, '--enable').status, 0);
  assert.equal(
    readlinkSync(join(root, 'etc/systemd/system/sockets.target.wants/agent-spawnd.socket')),
    '/usr/lib/systemd/system/agent-spawnd.socket',
  );
  mkdirSync(join(root, 'etc/agents'));
  writeFileSync(join(root, 'etc/agents/a.json'), '{}');
  assert.equal(command('uninstall-system', '--destdir', root).status, 0);
  assert.deepEqual(listTree(root), ['/etc/agents/a.json']);
});

test('a package is written below its prefix and nowhere else, and its programs are looked for in its tools first', (t) => {
  const root = temporaryDirectory(t);
  const tools = ['systemd', 'other'].map((name) => join(root, 'tools', name));
  for (const directory of tools) mkdirSync(directory, { recursive: true });
  writeFileSync(join(root, 'tools/systemd/systemd-socket-proxyd'), '');
  const prefix = join(root, 'store/x-agent-spawn-0.1.0');
  const named = tools.flatMap((directory) => ['--tools', directory]);
  const ended = command('install-system', '--package', '--prefix', prefix, ...named);
  assert.equal(ended.status, 0, ended.stderr);
  const read = (name) => readFileSync(join(prefix, 'lib', name), 'utf8');
  const manifest = read('agent-spawn/manifest').trimEnd().split('\n');
  assert.deepEqual(
    listTree(join(root, 'store')).map((path) => join(root, 'store', path)),
    [...manifest, `${prefix}/lib/agent-spawn/manifest`].sort(),
  );
  assert.equal(read('agent-spawn/tools'), `${tools.join('\n')}\n`);
  for (const relay of ['agent-egress@', 'agent-egress-veth@']) {
    assert.match(
      read(`systemd/system/${relay}.service`),
      new RegExp(`^ExecStart=${root}/tools/systemd/systemd-socket-proxyd --exit-idle-time`, 'm'),
    );
  }
  const texts = manifest.filter((path) =>
    /\/lib\/(systemd|tmpfiles\.d|sysusers\.d)\/|\/agent-spawn\/[a-z-]+$/.test(path),
  );
  assert.equal(texts.length, 18);
  for (const path of texts) assert.doesNotMatch(readFileSync(path, 'utf8'), /\/usr\/lib\//, path);
});

test('scripts find every program that is not the shell itself in their tools', (t) => {
  const root = temporaryDirectory(t);
  const tools = join(root, 'tools');
  mkdirSync(tools);
  writeFileSync(join(tools, 'systemd-socket-proxyd'), '');
  writeFileSync(join(tools, 'systemd-notify'), '#!/bin/sh\nprintf "told %s\\n" "$*"\n', { mode: 0o755 });
  assert.equal(command('install-system', '--destdir', root, '--tools', tools).status, 0);
  const run = (name, ...args) =>
    spawnSync(join(root, 'usr/lib/agent-spawn', name), args, { encoding: 'utf8', env: { PATH: '/nonexistent' } });
  assert.equal(run('refuse', 'The reason.').stdout, 'told --status=The reason.\n');
  const paths = ['holder', 'network-guard', 'refuse'].map(
    (name) => /^export PATH=([^: ]+):/m.exec(readFileSync(join(root, 'usr/lib/agent-spawn', name), 'utf8'))?.[1],
  );
  assert.deepEqual(paths, [tools, tools, tools]);
  // These two have no search path: they run nothing but what they are given.
  assert.equal(run('with-keys', '/dev/null', '/bin/echo', 'ran').stdout, 'ran\n');
  assert.equal(run('exit-report', 'a', root, '/sys/fs/cgroup', '/dev/null').stderr, '');
  assert.match(readFileSync(join(root, 'a'), 'utf8'), /^complete=yes$/m);
});

test('installing again without tools leaves none behind', (t) => {
  const root = temporaryDirectory(t);
  writeFileSync(join(root, 'systemd-socket-proxyd'), '');
  const list = join(root, 'image/usr/lib/agent-spawn/tools');
  assert.equal(command('install-system', '--destdir', join(root, 'image'), '--tools', root).status, 0);
  assert.equal(readFileSync(list, 'utf8'), `${root}\n`);
  assert.equal(command('install-system', '--destdir', join(root, 'image')).status, 0);
  assert.equal(existsSync(list), false);
});

test('what cannot be done is refused with the reason', (t) => {
  const root = temporaryDirectory(t);
  const cases = [
    [['uninstall-system', '--destdir', root], 1, /nothing is installed/],
    [['install-system', '--destdir', root, '--prefix', 'usr'], 1, /--prefix must be an absolute path/],
    [['install-system', '--package', '--prefix', join(root, 'a b')], 1, /cannot stand in a unit/],
    [['install-system', '--prefix', join(root, 'prefix')], 1, /systemd finds nothing below .*: use --package/],
    [['install-system', '--destdir', root, '--tools', 'bin'], 1, /--tools must be an absolute path/],
    [['install-system', '--destdir', root, '--tools', '/a%n'], 1, /cannot stand in a unit/],
    [['install-system', '--destdir', root, '--tools', root], 1, /no directory of --tools holds systemd-socket-proxyd/],
    [['install-system', '--destdir', root, '--node', '/a b/node'], 1, /cannot stand in a #! line/],
    [['install-system', '--no-such-option'], 2, /Unknown option/],
  ];
  for (const [args, status, message] of cases) {
    const ended = command(...args);
    assert.equal(ended.status, status, args.join(' '));
    assert.match(ended.stderr, message);
  }
  assert.deepEqual(listTree(root), []);
});
