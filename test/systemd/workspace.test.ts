import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  askAgent,
  awaitEnd,
  Bench,
  detachAgent,
  runAgent,
  startAgent,
  succeed,
  type TestCard,
  viewAgent,
} from '../helpers/agents.ts';
import { agentProgram, RunningCommand, runCommand } from '../helpers/commands.ts';
import { startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { addUser, asUser, type HostUser, makeDirectoryOf, ownerOf, removeUser } from '../helpers/host-users.ts';
import { unitOf } from '../helpers/units.ts';

const GROUP = 'as-test-group';
const UIDS = '/var/lib/agent-spawn/uids.json';

let bench: Bench;
let user: HostUser;
before(async () => {
  user = await addUser('as-test-user', GROUP);
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs/ });
});
after(async () => {
  await bench.close();
  await removeUser(user.name, GROUP);
});

/** Gives an agent another uid, as a lost or foreign table would. */
async function changeUid(id: string, uid: number): Promise<void> {
  await stopDaemon();
  const table = JSON.parse(readFileSync(UIDS, 'utf8')) as { uids: Record<string, { uid: number }> };
  const entry = table.uids[id];
  assert.ok(entry !== undefined, `${id} has a remembered uid`);
  entry.uid = uid;
  writeFileSync(UIDS, JSON.stringify(table));
  await startDaemon();
}

/** Owner, mode and content of everything below a directory, links as links. */
function describeTree(directory: string): Readonly<Record<string, string>> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { uid, gid, mode } = lstatSync(path);
      return [path, `${uid}:${gid} ${mode.toString(8)} ${entry.isFile() ? readFileSync(path, 'utf8') : ''}`];
    }),
  );
}

test('a missing workspace is made for the agent alone, with its parents, and stays', async () => {
  const workspace = join(bench.directory, 'made/for/agent');
  const card = bench.card({ workspace, command: ['bash', '-c', 'ls -A; echo mine >file'] });
  const { stdout } = await succeed(runAgent(card));
  assert.equal(stdout, '', 'nobody else put anything into it');
  const { uid } = await viewAgent(card.agent_id);
  assert.deepEqual([ownerOf(workspace), statSync(workspace).mode & 0o777], [uid, 0o700]);
  for (const parent of ['made', 'made/for']) {
    const { uid: owner, mode } = statSync(join(bench.directory, parent));
    assert.deepEqual([owner, mode & 0o777], [0, 0o755], parent);
  }
  const again = await succeed(runAgent({ ...card, command: ['bash', '-c', 'cat file; echo more >>file'] }));
  assert.equal(again.stdout, 'mine\n');
  assert.equal((await viewAgent(card.agent_id)).uid, uid, 'an agent keeps its uid');
});

test("in a user's own checkout the agent is that user, without the user's groups", async () => {
  const workspace = join(bench.directory, 'checkout');
  makeDirectoryOf(user, workspace);
  const shared = join(workspace, 'for-the-group');
  writeFileSync(shared, 'for the group\n');
  chownSync(shared, 0, statSync(`/proc/${process.pid}`).gid);
  await succeed(runCommand(['chgrp', GROUP, shared]));
  chmodSync(shared, 0o640);
  const control = await succeed(runCommand(asUser(user, 'cat', shared)));
  assert.equal(control.stdout, 'for the group\n', 'the user may read it by the group');
  const card = bench.card({
    workspace,
    command: ['bash', '-c', 'id -u; id -g; id -G; echo mine >mine; cat for-the-group'],
  });
  const { stdout, stderr, status } = await runAgent(card);
  assert.equal(stdout, `${user.uid}\n${user.gid}\n${user.gid}\n`);
  assert.match(stderr, /Permission denied/);
  assert.equal(status, 1);
  assert.equal(ownerOf(join(workspace, 'mine')), user.uid);
  assert.equal(ownerOf(workspace), user.uid);
});

test('an agent never runs as a user of the host by the likeness of a name, nor with groups that list its name', async () => {
  const taken = bench.card({ command: ['id'] });
  const listed = bench.card({ command: ['id'] });
  await addUser(`agent-${taken.agent_id}`, 'as-test-taken');
  const groups = readFileSync('/etc/group', 'utf8');
  writeFileSync('/etc/group', `${groups}as-test-listed:x:4242:agent-${listed.agent_id}\n`);
  try {
    for (const card of [taken, listed]) {
      const { status, stdout, stderr } = await runAgent(card);
      assert.deepEqual([status, stdout], [125, ''], stderr);
      assert.match(stderr, /\(plan\.user-taken\)/);
    }
  } finally {
    writeFileSync('/etc/group', groups);
    await removeUser(`agent-${taken.agent_id}`, 'as-test-taken');
  }
  for (const card of [taken, listed]) assert.match((await succeed(runAgent(card))).stdout, /^uid=19/);
});

test("an agent in a user's checkout takes nothing else of the user's with it when it ends", async () => {
  const workspace = join(bench.directory, 'shared-owner');
  makeDirectoryOf(user, workspace);
  const shared = `/dev/shm/as-test-${process.pid}`;
  const other = new RunningCommand(
    asUser(user, 'bash', '-c', 'echo mine >"$0" && echo ready && exec sleep infinity', shared),
  );
  await other.lineLike(/^ready$/);
  await succeed(runAgent(bench.card({ workspace, command: ['true'] })));
  const isThere = existsSync(shared);
  const status = other.child.exitCode;
  await other.stop();
  rmSync(shared, { force: true });
  assert.deepEqual([isThere, status], [true, null], 'shared memory and processes of the user stay');
});

test('nothing appears in a checkout before, during and after an agent, also when it is killed', async () => {
  const workspace = join(bench.directory, 'repository');
  makeDirectoryOf(user, workspace);
  const git = (...words: string[]): Promise<unknown> =>
    succeed(runCommand(asUser(user, 'git', '-C', workspace, ...words)));
  await git('init', '-q');
  await git('-c', 'user.name=t', '-c', 'user.email=t@localhost', 'commit', '-q', '--allow-empty', '-m', 'first');
  const before = describeTree(workspace);
  const script = 'git status --porcelain --ignored && ls -A && echo ready && exec sleep infinity';
  const card = bench.card({ workspace, command: ['bash', '-c', script] });
  const agent = startAgent(card);
  const lines = [await agent.line(), await agent.line()];
  assert.deepEqual(lines, ['.git', 'ready'], 'git sees a clean checkout from inside');
  assert.deepEqual(describeTree(workspace), before, 'while it runs');
  await succeed(runCommand(['systemctl', 'kill', '--signal=KILL', unitOf(card.agent_id)]));
  await agent.ended();
  await awaitEnd(card.agent_id);
  assert.deepEqual(describeTree(workspace), before, 'after it was killed');
});

test('a workspace goes on working when the uid of its agent changed, and the walk through it leaves nothing outside changed', async () => {
  const outside = join(bench.directory, 'outside');
  mkdirSync(outside);
  const card = bench.card({ command: agentProgram('plant.py', outside, join(outside, 'secret')) });
  await succeed(runAgent(card));
  const { uid } = await viewAgent(card.agent_id);
  // What lies outside belongs to the former uid, so that only not being there protects it.
  writeFileSync(join(outside, 'secret'), 'secret\n', { mode: 0o600 });
  chownSync(join(outside, 'secret'), uid, uid);
  writeFileSync(join(outside, 'of-root'), 'linked\n');
  linkSync(join(outside, 'of-root'), join(card.workspace, 'hard-link'));
  const before = describeTree(outside);

  const changed = uid + 5000;
  await changeUid(card.agent_id, changed);
  const script =
    'cat -- -rf && echo more >>program && cat deep/er/up/secret passwd hard-link; find . ! -user "$(id -u)"; id -u';
  const second = await runAgent({ ...card, command: ['bash', '-c', script] });
  assert.equal(second.stdout, `mine\nlinked\n./hard-link\n${changed}\n`, second.stderr);
  assert.equal(ownerOf(card.workspace), changed);
  assert.deepEqual(describeTree(outside), before);
});

test('links that an agent left in place of every directory lead the next start nowhere', async () => {
  const outside = join(bench.directory, 'canary');
  mkdirSync(outside, { mode: 0o777 });
  chmodSync(outside, 0o777);
  const card = bench.card({ command: agentProgram('plant.py', outside, join(outside, 'file')) });
  await succeed(runAgent(card));
  for (let round = 0; round < 2; round += 1) await succeed(runAgent({ ...card, command: ['true'] }));
  assert.deepEqual(readdirSync(outside), []);
});

test('a link inside the workspace leads to what the agent sees, not to what the host has there', async () => {
  const script = 'ln -s /etc/passwd w; ln -s / r; ln -s /root s; cat w; echo x >>w; ls r s 2>&1; ls r/run 2>&1';
  const before = readFileSync('/etc/passwd', 'utf8');
  const { stdout, stderr } = await runAgent(bench.card({ command: ['bash', '-c', script] }));
  assert.match(stdout, /^root:.*\nagent-/);
  assert.match(stderr, /w: (Read-only file system|Permission denied)/);
  assert.match(stdout, /'s'|cannot access 's|No such file/);
  assert.equal(readFileSync('/etc/passwd', 'utf8'), before);
});

test('device files and privileges in a workspace are worth nothing inside', async () => {
  const card = bench.card({ command: ['bash', '-c', 'mknod node c 1 5; cp /usr/bin/id id; chmod 6755 id; true'] });
  const first = await succeed(runAgent(card));
  assert.match(first.stderr, /mknod.*Operation not permitted/);
  await succeed(runCommand(['mknod', '-m', '666', join(card.workspace, 'zero'), 'c', '1', '5']));
  await succeed(runCommand(['head', '-c', '1', join(card.workspace, 'zero')]));
  await succeed(runCommand(['install', '-m', '6755', '/usr/bin/id', join(card.workspace, 'id-of-root')]));
  const tries = ['open("/workspace/zero", "rb").read(1)', 'run("/workspace/id-of-root", "-u")'];
  const script = 'head -c 1 zero; ./id-of-root -u; ./id -u';
  const second = await runAgent({ ...card, command: ['bash', '-c', script] });
  const { uid } = await viewAgent(card.agent_id);
  assert.match(second.stderr, /zero.*Permission denied/);
  assert.equal(second.stdout, `${uid}\n${uid}\n`, 'setuid bits are ignored');
  const results = await askAgent<Record<string, string>>({ ...card, command: agentProgram('attempts.py', ...tries) });
  assert.equal(results[tries[0] ?? ''], 'EACCES');
});

/** Workspaces that must be refused: what stands at a path, which workspace is asked for, and a word of the reason. */
const REFUSED: readonly (readonly [title: string, place: (path: string) => void, below: string, reason: RegExp])[] = [
  ['a file', (path) => writeFileSync(path, ''), '', /not a directory/],
  ['a link to a directory', (path) => symlinkSync(bench.directory, path), '', /symlink/],
  ['a link that leads nowhere', (path) => symlinkSync('/nonexistent', path), '', /symlink/],
  ['below a link', (path) => symlinkSync(bench.directory, path), 'below', /symlink/],
  ['below a file', (path) => writeFileSync(path, ''), 'below', /not a directory/],
  ["root's and not empty", (path) => mkdirSync(join(path, 'content'), { recursive: true }), '', /belongs to root/],
  ['behind a closed directory', (path) => mkdirSync(path, { mode: 0o700 }), 'below', /cannot pass/],
];

for (const [index, [title, place, below, reason]] of REFUSED.entries()) {
  test(`a workspace that is ${title} is refused and left alone`, async () => {
    const area = join(bench.directory, `refused-${index}`);
    mkdirSync(area);
    const path = join(area, 'place');
    place(path);
    const workspace = join(path, below);
    const before = describeTree(area);
    const card = bench.card({ workspace, command: ['true'] });
    const { status, stderr, stdout } = await runAgent(card);
    assert.deepEqual([status, stdout], [125, '']);
    assert.match(stderr, reason);
    assert.match(stderr, /plan\.workspace-refused/);
    assert.deepEqual(describeTree(area), before);
    assert.ok(!existsSync(`/run/agent-spawn/agents/${card.agent_id}`));
  });
}

test('a FIFO and the directories of the system are refused as workspaces', async () => {
  const fifo = join(bench.directory, 'fifo');
  await succeed(runCommand(['mkfifo', fifo]));
  for (const workspace of [fifo, '/etc', '/usr/share/agents', '/run/agent-spawn/agents', '/root', '/tmp']) {
    const { status, stderr } = await runAgent(bench.card({ workspace, command: ['true'] }));
    assert.equal(status, 125, `${workspace}: ${stderr}`);
    assert.match(stderr, /\((plan\.workspace-refused|card\.[a-z-]+)\)/, workspace);
  }
});

test('a workspace that its owner turns into a link again and again never leads anywhere else', async () => {
  const home = join(bench.directory, 'home');
  makeDirectoryOf(user, home);
  const canary = join(bench.directory, 'canary-of-root');
  mkdirSync(canary);
  const swap =
    'cd "$0"; while :; do mkdir ws 2>/dev/null; rmdir ws 2>/dev/null; ln -s "$1" ws 2>/dev/null; rm -f ws; done';
  const swapping = runCommand(asUser(user, 'timeout', '8', 'bash', '-c', swap, home, canary), { deadlineMs: 60_000 });
  const statuses = new Set<number>();
  for (let round = 0; round < 12; round += 1) {
    const card: TestCard = bench.card({ workspace: join(home, 'ws'), command: ['bash', '-c', 'echo x >leak'] });
    statuses.add((await runAgent(card)).status);
  }
  await swapping;
  assert.deepEqual([readdirSync(canary), ownerOf(canary)], [[], 0]);
  assert.ok(
    [...statuses].every((status) => [0, 1, 125].includes(status)),
    `${[...statuses]}`,
  );
});

test('an agent that litters its workspace with hostile names can be listed, stopped and cleared away', async () => {
  const outside = join(bench.directory, 'nothing');
  const card = bench.card({ command: [...agentProgram('plant.py', outside, outside)] });
  await succeed(runAgent(card));
  const id = await detachAgent({ ...card, command: ['sleep', 'infinity'] });
  assert.equal((await viewAgent(id)).state, 'running');
  await succeed(runCommand(['agentctl', 'stop', id]));
  assert.equal((await viewAgent(id)).outcome?.kind, 'stopped');
});
