import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { agentctl, awaitEnd, Bench, succeed, type TestCard } from '../helpers/agents.ts';
import { awaitFile, type CommandOptions, type Ended, RunningCommand, runCommand } from '../helpers/commands.ts';
import { addUser, asUser, type HostUser, makeDirectoryOf, removeUser } from '../helpers/host-users.ts';

const GROUP = 'as-test-callers';
const JOURNAL_GROUP = 'systemd-journal';
const ATTACH = '/run/agent-spawn/attach';
const STREAMS = '/run/agent-spawn/streams';
const SOCKET = '/run/agent-spawn/api.sock';

/** All that lets a group call, as a configuration of the host has it. */
const DROP_INS: Readonly<Record<string, string>> = {
  '/run/systemd/system/agent-spawnd.socket.d/callers.conf': `[Socket]\nSocketGroup=${GROUP}\nSocketMode=0660\n`,
  '/run/tmpfiles.d/agent-spawn-callers.conf': `z ${ATTACH} 1730 root ${GROUP} -\n`,
};

let bench: Bench;
let member: HostUser;
let stranger: HostUser;

before(async () => {
  member = await addUser('as-test-member', GROUP);
  stranger = await addUser('as-test-stranger', 'as-test-others');
  for (const [path, text] of Object.entries(DROP_INS)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  await takeUp();
  bench = await Bench.open({ ignoreLeaks: /agent-spawnd\.(service|socket)|agent-spawnd\.cjs/ });
});

after(async () => {
  await bench.close();
  for (const path of Object.keys(DROP_INS)) rmSync(path);
  await takeUp();
  await removeUser(member.name, GROUP);
  await removeUser(stranger.name, 'as-test-others');
});

/** What a boot does with the drop-ins, and a change of the configuration. */
async function takeUp(): Promise<void> {
  await succeed(runCommand(['systemctl', 'daemon-reload']));
  await succeed(runCommand(['systemctl', 'stop', 'agent-spawnd.service', 'agent-spawnd.socket']));
  await succeed(runCommand(['systemctl', 'start', 'agent-spawnd.socket', 'agent-spawnd.service']));
  const files = ['agent-spawn.conf', 'agent-spawn-callers.conf'].filter(isTmpfiles);
  await succeed(runCommand(['systemd-tmpfiles', '--create', ...files]));
}

function isTmpfiles(name: string): boolean {
  return ['/run/tmpfiles.d', '/usr/lib/tmpfiles.d'].some((directory) => existsSync(join(directory, name)));
}

/** Runs a command as a user, in a directory and with a home that anybody has. */
function runAs(user: HostUser, argv: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  return runCommand(asUser(user, ...argv), { cwd: '/', ...options });
}

function shell(script: string, changes: object = {}): TestCard {
  return bench.card({ command: ['bash', '-c', script], ...changes });
}

/** Posts a start as a user, with whatever the test says of streams. */
async function launchAs(user: HostUser, card: TestCard, attach: string): Promise<string> {
  const source = { text: JSON.stringify(card), format: 'json', source: 'test' };
  const body = JSON.stringify({ card: source, arguments: [], attach });
  const program = `
    const headers = { 'content-type': 'application/json' };
    const call = require('http').request({ socketPath: '${SOCKET}', method: 'POST', path: '/v1/agents', headers }, (answer) => answer.pipe(process.stdout));
    process.stdin.pipe(call);`;
  const { stdout } = await succeed(runAs(user, [process.execPath, '-e', program], { stdin: body }));
  return stdout;
}

/** Code of a refusal. */
function codeOf(answer: string): string {
  return (JSON.parse(answer) as { readonly code: string }).code;
}

test('the drop-ins open the socket and the directory of streams to the group, and nothing to anybody else', () => {
  const { gid } = statSync(SOCKET);
  const found = [SOCKET, ATTACH, STREAMS].map((path) => {
    const stat = statSync(path);
    return [path, (stat.mode & 0o7777).toString(8), stat.uid, stat.gid === gid];
  });
  assert.notEqual(gid, 0);
  assert.deepEqual(found, [
    [SOCKET, '660', 0, true],
    [ATTACH, '1730', 0, true],
    [STREAMS, '700', 0, false],
  ]);
});

test('a member of the group starts an agent, looks at it, stops it, starts it again and forgets it', async () => {
  const card = shell('echo ready; sleep 60');
  const id = card.agent_id;
  const started = await succeed(runAs(member, ['agent-spawn', '--detach', '-'], { stdin: JSON.stringify(card) }));
  assert.equal(started.stdout, `${id}\n`);
  const listed = await succeed(runAs(member, ['agentctl', 'list', '--quiet']));
  assert.ok(listed.stdout.split('\n').includes(id));
  const inspected = await succeed(runAs(member, ['agentctl', 'inspect', '--json', id]));
  assert.equal((JSON.parse(inspected.stdout) as { readonly id: string }).id, id);
  await succeed(runAs(member, ['agentctl', 'stop', id]));
  await succeed(runAs(member, ['agentctl', 'start', id]));
  await succeed(runAs(member, ['agentctl', 'restart', id]));
  await succeed(runAs(member, ['agentctl', 'stop', id]));
  await succeed(runAs(member, ['agentctl', 'rm', id]));
});

test('an agent in the foreground of a member has its streams and its status, and leaves nothing of them', async () => {
  const path = join(bench.directory, 'foreground.json');
  writeFileSync(path, JSON.stringify(shell('cat; echo oops >&2; exit 7')));
  const input = 'one\ntwo\n'.repeat(50_000);
  const { status, stdout, stderr } = await runAs(member, ['agent-spawn', path], { stdin: input });
  assert.deepEqual([status, stdout === input, stderr], [7, true, 'oops\n']);
  assert.deepEqual([readdirSync(ATTACH), readdirSync(STREAMS)], [[], []]);
});

test('a foreground of a member that is killed leaves nothing of its streams either', async () => {
  const card = shell('echo ready; sleep 60');
  const path = join(bench.directory, 'killed.json');
  writeFileSync(path, JSON.stringify(card));
  const command = new RunningCommand(asUser(member, 'agent-spawn', path), { cwd: '/' });
  assert.equal(await command.line(), 'ready');
  command.child.kill('SIGKILL');
  await command.ended();
  await awaitEnd(card.agent_id);
  assert.deepEqual([readdirSync(ATTACH), readdirSync(STREAMS)], [[], []]);
});

test('who is not in the group is told who may call, and gets nowhere', async () => {
  const card = JSON.stringify(shell('true'));
  const message = `The daemon at ${SOCKET} may be called by root and members of the group "${GROUP}" only.`;
  for (const words of [
    ['agentctl', '--json', 'list'],
    ['agent-spawn', '--json', '--detach', '-'],
    ['agent-spawn', '--json', '-'],
  ]) {
    const { status, stdout, stderr } = await runAs(stranger, words, { stdin: card });
    const { code, detail, remedy } = JSON.parse(stderr) as Readonly<Record<string, string>>;
    assert.deepEqual(
      [status, stdout, code, detail],
      [words[0] === 'agentctl' ? 4 : 125, '', 'control.forbidden', message],
    );
    assert.match(remedy ?? '', /^Run the command as root, for example with sudo, or as a member of "as-test-callers"/);
  }
  // No bash, which reads files of its own when its input is a socket.
  const direct = await runAs(stranger, ['sh', '-c', `mkdir ${ATTACH}/x; ls ${ATTACH}; ls ${STREAMS}`]);
  assert.equal(direct.stderr.match(/Permission denied/g)?.length, 3);
});

test('a member without the directory of streams is told so, and can start detached agents', async (t) => {
  chmodSync(ATTACH, 0o700);
  t.after(() => chmodSync(ATTACH, 0o1730));
  const card = JSON.stringify(shell('true'));
  const { status, stderr } = await runAs(member, ['agent-spawn', '--json', '-'], { stdin: card });
  const { code, detail, remedy } = JSON.parse(stderr) as Readonly<Record<string, string>>;
  assert.deepEqual([status, code], [125, 'control.forbidden']);
  assert.equal(detail, `Agents in the foreground need ${ATTACH}, which is closed to this user.`);
  assert.match(remedy ?? '', /--detach/);
  await succeed(runAs(member, ['agent-spawn', '--detach', '-'], { stdin: card }));
});

test('what a member puts in place of sockets is refused before PID 1 opens it', async () => {
  const token = 'a'.repeat(32);
  const secret = join(bench.directory, 'of-root');
  writeFileSync(secret, 'root\n', { mode: 0o600 });
  const names = ['stdin.sock', 'stdout.sock', 'stderr.sock'];
  const place = join(ATTACH, token);
  const attempts: readonly (readonly [name: string, prepare: () => void])[] = [
    ['nothing at all', () => undefined],
    ['an empty directory', () => makeDirectoryOf(member, place)],
    [
      'links to a file of root',
      () => {
        makeDirectoryOf(member, place);
        for (const name of names) symlinkSync(secret, join(place, name));
      },
    ],
    ['a link to a directory of root', () => symlinkSync('/etc', place)],
    [
      'files',
      () => {
        makeDirectoryOf(member, place);
        for (const name of names) writeFileSync(join(place, name), '');
      },
    ],
  ];
  for (const [name, prepare] of attempts) {
    prepare();
    assert.equal(codeOf(await launchAs(member, shell('echo written'), token)), 'control.forbidden', name);
    assert.deepEqual([readFileSync(secret, 'utf8'), readdirSync(STREAMS)], ['root\n', []], name);
    rmSync(place, { recursive: true, force: true });
  }
});

test("another caller's sockets are not a member's to give", async () => {
  const card = shell('echo ready; sleep 60');
  const path = join(bench.directory, 'victim.json');
  writeFileSync(path, JSON.stringify(card));
  const victim = new RunningCommand(['agent-spawn', path]);
  assert.equal(await victim.line(), 'ready');
  const [token = ''] = readdirSync(ATTACH);
  assert.equal(codeOf(await launchAs(member, shell('echo intruder'), token)), 'control.forbidden');
  await agentctl('stop', card.agent_id);
  assert.equal((await victim.ended()).stdout, '', 'nothing but its own agent prints there');
});

test('PID 1 comes back to the sockets that were checked, whatever a member puts in their place', async () => {
  const target = join(bench.directory, 'target');
  writeFileSync(target, 'root\n', { mode: 0o600 });
  const link = join(bench.directory, 'link');
  symlinkSync(target, link);
  const unit = ['systemd-run', '--wait', '--quiet', '--property', `StandardOutput=file:${link}`, 'echo', 'control'];
  await succeed(runCommand(unit));
  assert.equal(readFileSync(target, 'utf8'), 'control\n', 'PID 1 follows a link as root');

  writeFileSync(target, 'untouched by anybody\n');
  const card = shell('echo run; test -e again || { touch again; sleep 60; exit 1; }', { restart: 'on-failure' });
  const path = join(bench.directory, 'turned.json');
  writeFileSync(path, JSON.stringify(card));
  const command = new RunningCommand(asUser(member, 'agent-spawn', path), { cwd: '/' });
  assert.equal(await command.line(), 'run');
  const [token = ''] = readdirSync(ATTACH);
  const streams = ['stdout', 'stderr'].map((name) => join(ATTACH, token, `${name}.sock`));
  await succeed(runAs(member, ['bash', '-c', streams.map((name) => `ln -sf ${target} ${name}`).join(' && ')]));
  await awaitFile(join(card.workspace, 'again'));
  await succeed(runCommand(['systemctl', 'kill', '--signal=KILL', `sandboxed-agent@${card.agent_id}.service`]));
  assert.equal(await command.line(), 'run');
  await command.ended();
  assert.equal(readFileSync(target, 'utf8'), 'untouched by anybody\n');
});

test('the log of an agent is shown to a member who may read the journal, and to another one that is said', async () => {
  const card = shell('echo in the log');
  await succeed(runAs(member, ['agent-spawn', '--detach', '-'], { stdin: JSON.stringify(card) }));
  await awaitEnd(card.agent_id);
  const closed = await runAs(member, ['agentctl', '--json', 'logs', card.agent_id]);
  assert.deepEqual([closed.status, codeOf(closed.stderr)], [5, 'cli.no-journal']);
  // What a boot does; a private host leaves it out.
  await succeed(runCommand(['systemd-tmpfiles', '--create', '--prefix', '/run/log/journal', 'systemd.conf']));
  await succeed(runCommand(['gpasswd', '--add', member.name, JOURNAL_GROUP]));
  try {
    const open = await succeed(runAs(member, ['agentctl', 'logs', card.agent_id]));
    assert.match(open.stdout, /^in the log$/m);
  } finally {
    await succeed(runCommand(['gpasswd', '--delete', member.name, JOURNAL_GROUP]));
  }
});
