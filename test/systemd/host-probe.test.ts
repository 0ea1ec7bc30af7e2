import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { isTrustedProgram } from '../../src/host/trusted-program.ts';
import { BWRAP_OPTIONS_NEEDED } from '../../src/plan/bwrap.ts';
import type { SystemFacts } from '../../src/plan/facts.ts';
import { succeed } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { openThisHost } from '../helpers/linux-host.ts';
import { listenAt } from '../helpers/published.ts';
import { makeScratch } from '../helpers/scratch.ts';

test('the system facts are this host’s', async () => {
  await using host = await openThisHost();
  const facts = await host.systemFacts();
  assert.ok(facts.bwrapPath !== null);
  assert.deepEqual(
    BWRAP_OPTIONS_NEEDED.filter((option) => !facts.bwrapOptions.includes(option)),
    [],
  );
  assert.equal(facts.cgroupLayout, existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'unified' : 'hybrid');
  assert.equal(await host.systemFacts(), facts);
  host.refreshFacts();
  assert.notEqual(await host.systemFacts(), facts);
});

/** A bubblewrap line with nothing but what the facts name, run as an ordinary user. */
function inView(facts: SystemFacts, script: string): string {
  const roots = facts.roots.flatMap((root) =>
    root.kind === 'symlink' ? ['--symlink', root.target, root.path] : ['--ro-bind', root.path, root.path],
  );
  const etc = facts.etc.flatMap((entry) =>
    entry.kind === 'symlink' ? ['--symlink', entry.target, entry.path] : ['--ro-bind', entry.source, entry.path],
  );
  const words = [...roots, ...etc, '--unshare-all', '--unshare-user', '--clearenv', '--', '/bin/sh', '-c', script];
  const bwrap = facts.bwrapPath ?? '';
  return execFileSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', bwrap, ...words]).toString();
}

test('everything the facts show leads somewhere inside, and the certificates can be read', async () => {
  await using host = await openThisHost();
  const facts = await host.systemFacts();
  const paths = [...facts.roots, ...facts.etc].map(({ path }) => path);
  assert.equal(inView(facts, `for path in ${paths.join(' ')}; do [ -e "$path" ] || echo "$path"; done`), '');
  assert.ok(facts.certificateBundle !== null);
  assert.match(inView(facts, `head -c 4096 ${facts.certificateBundle}`), /BEGIN CERTIFICATE/);
  assert.equal(inView(facts, 'ls -d /etc/passwd /etc/shadow /etc/ssl/private /root /home /run 2>/dev/null || :'), '');
});

test('a bubblewrap that anybody but root could have written is not used', async () => {
  await using scratch = await makeScratch();
  chmodSync(scratch.path, 0o755);
  const program = join(scratch.path, 'bwrap');
  copyFileSync('/bin/true', program);
  chmodSync(program, 0o755);
  // The scratch directory lies in /tmp, which is open to all but sticky.
  assert.equal(await isTrustedProgram(program), true);
  chmodSync(program, 0o775);
  assert.equal(await isTrustedProgram(program), false);
  chmodSync(program, 0o755);
  chmodSync(scratch.path, 0o777);
  assert.equal(await isTrustedProgram(program), false);
  chmodSync(scratch.path, 0o755);
  chownSync(program, 65534, 65534);
  assert.equal(await isTrustedProgram(program), false);
  symlinkSync('/bin/true', join(scratch.path, 'link'));
  assert.equal(await isTrustedProgram(join(scratch.path, 'link')), true);
  // As Nix's store is: builders may add to it, and move nothing that is root's.
  chownSync(scratch.path, 0, 65534);
  chmodSync(scratch.path, 0o1775);
  chownSync(program, 0, 0);
  assert.equal(await isTrustedProgram(program), true);
  chmodSync(scratch.path, 0o755);
  chownSync(program, 65534, 65534);
  assert.equal(await isTrustedProgram('/nonexistent/bwrap'), false);
  await using host = await openThisHost({ bwrapPath: program });
  assert.equal((await host.systemFacts()).bwrapPath, null);
});

test('programs are looked for among the tools first, and one there that is not root’s is passed over', async () => {
  await using scratch = await makeScratch();
  chmodSync(scratch.path, 0o755);
  const own = (name: string): string => join(scratch.path, name);
  for (const name of ['ip', 'nft', 'bwrap', 'systemd-socket-proxyd']) {
    writeFileSync(own(name), "#!/bin/sh\necho '    --from-tools'\n", { mode: 0o755 });
  }
  await using before = await openThisHost();
  const usual = await before.systemFacts();
  chownSync(own('bwrap'), 65534, 65534);
  await using host = await openThisHost({ tools: ['/nonexistent', scratch.path] });
  const { system, networkTools } = await host.facts({
    workspace: scratch.path,
    binds: [],
    sockets: [],
    user: 'agent-probe',
    program: null,
    wantsCredential: false,
  });
  assert.deepEqual(networkTools, { nft: own('nft'), ip: own('ip') });
  assert.deepEqual(system, { ...usual, socketProxydPath: own('systemd-socket-proxyd') });
  chownSync(own('bwrap'), 0, 0);
  host.refreshFacts();
  const { bwrapPath, bwrapOptions } = await host.systemFacts();
  assert.deepEqual([bwrapPath, bwrapOptions], [own('bwrap'), ['--from-tools']]);
});

test('the owner of a path is named when it is no agent', async () => {
  await using scratch = await makeScratch();
  const path = join(scratch.path, 'owned');
  mkdirSync(path);
  await using host = await openThisHost({ agentUids: { first: 1_900_000_000, count: 10 } });
  const owner = async (uid: number): Promise<readonly [string | null, number | null]> => {
    chownSync(path, uid, 0);
    const { workspace } = await host.facts({
      workspace: path,
      binds: [],
      sockets: [],
      user: 'agent-probe',
      program: null,
      wantsCredential: false,
    });
    return [workspace.ownerName, workspace.ownerPrimaryGid];
  };
  assert.deepEqual(await owner(65534), ['nobody', 65534]);
  assert.deepEqual(await owner(0), [null, null]);
  // Nobody has these: one is asked for and not found, the other is not even asked for.
  assert.deepEqual(await owner(1_800_000_001), [null, null]);
  assert.deepEqual(await owner(1_900_000_001), [null, null]);
});

test('a user of another database than the file is named', async () => {
  await using scratch = await makeScratch();
  const uid = 1_899_999_998;
  mkdirSync('/run/userdb', { recursive: true });
  const record = JSON.stringify({ userName: 'host-probe', uid, gid: uid });
  writeFileSync('/run/userdb/host-probe.user', record);
  symlinkSync('host-probe.user', `/run/userdb/${uid}.user`);
  try {
    chownSync(scratch.path, uid, uid);
    await using host = await openThisHost();
    const { workspace } = await host.facts({
      workspace: scratch.path,
      binds: [],
      sockets: [],
      user: 'agent-probe',
      program: null,
      wantsCredential: false,
    });
    assert.deepEqual([workspace.ownerName, workspace.ownerPrimaryGid], ['host-probe', uid]);
  } finally {
    execFileSync('rm', ['/run/userdb/host-probe.user', `/run/userdb/${uid}.user`]);
  }
});

test('a Unix socket is known from a file, and a dead one from one that somebody listens at', async () => {
  await using scratch = await makeScratch();
  const [dead = '', live = '', file = '', absent = ''] = ['dead', 'live', 'file', 'absent'].map((name) =>
    join(scratch.path, name),
  );
  await succeed(runCommand(['python3', '-c', `import socket; socket.socket(socket.AF_UNIX).bind("${dead}")`]));
  writeFileSync(file, '');
  await using _listener = await listenAt(live);
  await using host = await openThisHost();
  const { sockets } = await host.facts({
    workspace: scratch.path,
    binds: [],
    sockets: [dead, live, file, absent],
    user: 'agent-probe',
    program: null,
    wantsCredential: false,
  });
  assert.deepEqual(
    sockets.map(({ path, isSocket, isAnswered }) => [path.kind, isSocket, isAnswered]),
    [
      ['other', true, false],
      ['other', true, true],
      ['file', false, false],
      ['absent', false, false],
    ],
  );
});
