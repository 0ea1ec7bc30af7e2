import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { ERRORS, type ErrorCode, SpawnError } from '../../../src/base/errors.ts';
import { VERSION } from '../../../src/base/version.ts';
import { controlProgram } from '../../../src/cli/control-program.ts';
import type { AgentView } from '../../../src/control/views.ts';
import { assertFollows } from '../api/description.ts';
import { type FakeDaemon, startFakeDaemon } from '../api/fake-daemon.ts';
import { agentView, endedView } from '../api/views.ts';
import { cardFile } from './card-file.ts';
import { assertGolden } from './golden.ts';
import { type Finished, runProgram } from './program.ts';

const COMMANDS = controlProgram(null, () => undefined).commands.map((command) => command.name());

test('the commands are those people were promised', () => {
  const expected =
    'allow audit check completion credential deny export inspect list logs reload restart rm start status stop wait';
  assert.equal([...COMMANDS].sort().join(' '), expected);
});

for (const words of [[], ...COMMANDS.map((name) => [name])]) {
  test(`the help of ${['agentctl', ...words].join(' ')} is the recorded one, with an example`, async () => {
    const helped = await control([...words, '--help']);
    assert.deepEqual([helped.status, helped.stderr], [0, '']);
    if (words.length > 0) assert.match(helped.stdout, /\nExample:\n {2}\S/);
    assertGolden(`${['agentctl', ...words].join('-')}-help.txt`, helped.stdout);
  });
}

test('the version is printed', async () => {
  assert.deepEqual(await control(['--version']), { status: 0, stdout: `agentctl ${VERSION}\n`, stderr: '' });
});

test('agents are listed as a table, ended ones on demand', async (t) => {
  const daemon = await populated(t);
  const living = await control(['list'], daemon);
  assert.match(living.stdout, /^ID +STATE +SINCE +NETWORK +DESCRIPTION\nbad +running .*\ndemo +running .*\n$/);
  const all = await control(['list', '--all'], daemon);
  assert.match(all.stdout, /\nover +killed by SIGKILL +\S.* none +The agent over\n$/);
});

test('nothing that an agent or its card says reaches the terminal as anything but text', async (t) => {
  const daemon = await populated(t);
  for (const words of [['list'], ['status', 'bad'], ['inspect', 'bad'], ['start', 'bad']]) {
    const { status, stdout } = await control(words, daemon);
    assert.equal(status, 0);
    assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(stdout), words.join(' '));
  }
});

test('a list of nothing says so', async (t) => {
  assert.equal((await control(['list'], await startFakeDaemon(t))).stdout, 'No agents.\n');
});

test('only ids are listed for scripts', async (t) => {
  assert.equal((await control(['list', '-aq'], await populated(t))).stdout, 'bad\ndemo\nover\n');
});

const JSON_COMMANDS: readonly (readonly [schema: string, words: readonly string[]])[] = [
  ['AgentList', ['list', '--json', '--all']],
  ['AgentList', ['--json', 'list']],
  ['AgentView', ['status', '--json', 'demo']],
  ['AgentDetail', ['inspect', '--json', 'demo']],
  ['AgentView', ['start', '--json', 'demo']],
  ['AgentView', ['stop', '--json', 'demo']],
  ['AgentView', ['restart', '--json', 'demo']],
  ['AgentView', ['wait', '--json', 'over']],
  ['ReloadView', ['reload', '--json']],
  ['CredentialsView', ['credential', 'reload', '--json', 'demo']],
];

for (const [schema, words] of JSON_COMMANDS) {
  test(`${words.join(' ')} prints a value of the API`, async (t) => {
    const ended = await control(words, await populated(t));
    assert.equal(ended.stderr, '');
    assertFollows(schema, JSON.parse(ended.stdout));
  });
}

test('agents are started, stopped, restarted and forgotten', async (t) => {
  const daemon = await populated(t);
  assert.deepEqual(await control(['start', 'demo'], daemon), {
    status: 0,
    stdout: 'agent demo: running\n',
    stderr: '',
  });
  assert.equal((await control(['restart', 'demo'], daemon)).stdout, 'agent demo: running\n');
  assert.match((await control(['stop', 'over'], daemon)).stdout, /^agent over: killed by SIGKILL after 3\.2 s/);
  assert.equal((await control(['rm', 'over'], daemon)).stdout, 'agent over: forgotten\n');
  assert.equal((await control(['rm', '--json', 'bad'], daemon)).stdout, '{"id":"bad"}\n');
  assert.deepEqual(daemon.operations.calls, ['start demo', 'restart demo', 'stop over', 'remove over', 'remove bad']);
});

test('credentials are read again, and it is told which are other ones now', async (t) => {
  const daemon = await populated(t);
  assert.deepEqual(await control(['credential', 'reload', 'demo'], daemon), {
    status: 0,
    stdout: [
      'agent demo: read again, 2 of 3 changed',
      'KEY                          USED AS          STATE',
      '/api_key_file                /anthropic       changed, in force',
      '/credentials/0/api_key_file  /git/github.com  unchanged',
      '/credentials/1/api_key_file  OPENAI_API_KEY   changed, in force from the next start on',
      '',
    ].join('\n'),
    stderr: '',
  });
  assert.match(daemon.operations.calls.at(-1) ?? '', /^reload credentials of demo by \d+$/);
  for (const words of [
    ['credential'],
    ['credential', 'reload'],
    ['credential', 'show', 'demo'],
    ['credential', 'demo'],
  ]) {
    assert.equal((await control(words, daemon)).status, 2, words.join(' '));
  }
});

test('the cards are read again, and it is told what that came to', async (t) => {
  const daemon = await populated(t);
  assert.deepEqual(await control(['reload'], daemon), {
    status: 0,
    stdout: [
      'cards read again: 1 refused, 1 restarted, 1 installed, 2 unchanged',
      'ID      STATE      WHY',
      'broken  refused    The card has no key "memroy".',
      'demo    restarted',
      'new     installed',
      '',
    ].join('\n'),
    stderr: '',
  });
  assert.match(daemon.operations.calls.at(-1) ?? '', /^reload by \d+$/);
  assert.equal((await control(['reload', 'demo'], daemon)).status, 2);
});

const WAITS: readonly (readonly [status: number, outcome: AgentView['outcome']])[] = [
  [0, { kind: 'exited', status: 0, signal: null, message: 'x' }],
  [3, { kind: 'exited', status: 3, signal: null, message: 'x' }],
  [137, { kind: 'signalled', status: 137, signal: 'SIGKILL', message: 'x' }],
  [124, { kind: 'ttl', status: null, signal: null, message: 'x' }],
  [137, { kind: 'oom', status: null, signal: null, message: 'x' }],
  [143, { kind: 'stopped', status: null, signal: null, message: 'x' }],
  [125, { kind: 'lost', status: null, signal: null, message: 'x' }],
  [125, { kind: 'start-failed', status: null, signal: null, message: 'x' }],
  [125, null],
];

test('a wait ends with the status of the agent', async (t) => {
  const daemon = await startFakeDaemon(t);
  for (const [status, outcome] of WAITS) {
    put(daemon, endedView('demo', outcome));
    assert.equal((await control(['wait', 'demo'], daemon)).status, status, outcome?.kind);
  }
  assert.equal((await control(['wait', 'nobody'], daemon)).status, 125);
  assert.equal((await control(['wait', 'demo'])).status, 125);
});

test('a wait outlives the daemon', async (t) => {
  const daemon = await startFakeDaemon(t);
  await runProgram({
    program: 'agent-spawn',
    words: ['-d', cardFile(t, { agent_id: 'demo', script: 'exec sleep 1000' })],
    socketPath: daemon.socketPath,
  });
  const waits = new Promise<void>((resolve) => {
    const wait = daemon.operations.wait.bind(daemon.operations);
    daemon.operations.wait = (id, signal) => {
      resolve();
      return wait(id, signal);
    };
  });
  const waiting = control(['wait', 'demo'], daemon);
  await waits;
  await daemon.restart();
  await control(['stop', 'demo'], daemon);
  assert.equal((await waiting).status, 143);
});

test('a card is checked by the daemon', async (t) => {
  const daemon = await startFakeDaemon(t);
  const good = await control(['check', cardFile(t, { agent_id: 'demo' })], daemon);
  assert.match(good.stdout, /card\.json: valid, for the agent demo\n {2}note: The proxy is not there yet\.\n$/);
  const problems = [
    { code: 'card.unknown-key', pointer: '/x', message: 'Is no key of a card.', suggestion: 'Is "y" meant?' },
  ];
  const error = ['card.unknown-key', 'card.json: Is no key of a card.', { problems }];
  const bad = await control(['check', cardFile(t, { agent_id: 'demo', error })], daemon);
  assert.deepEqual(bad, {
    status: 3,
    stdout: '',
    stderr:
      'agentctl: card.json: refused, 1 problem\n  /x: Is no key of a card. (card.unknown-key)\n    Is "y" meant?\n',
  });
  assert.deepEqual(daemon.operations.calls, []);
});

test('every code of the error table becomes its exit status', async (t) => {
  const daemon = await startFakeDaemon(t);
  for (const exit of [1, 2, 3, 4, 5]) {
    const code = (Object.keys(ERRORS) as ErrorCode[]).find((name) => ERRORS[name].exit === exit);
    assert.ok(code !== undefined);
    daemon.operations.get = () => Promise.reject(new SpawnError(code, 'No.'));
    const ended = await control(['status', 'demo'], daemon);
    assert.deepEqual([ended.status, ended.stderr], [exit, 'agentctl: No.\n']);
    assert.equal(JSON.parse((await control(['status', '--json', 'demo'], daemon)).stderr).code, code);
  }
});

test('an id that is none is refused before the daemon is asked', async (t) => {
  const daemon = await startFakeDaemon(t);
  for (const name of ['status', 'logs', 'audit', 'start', 'stop', 'restart', 'inspect', 'rm']) {
    const ended = await control([name, '../\u001b]0;x'], daemon);
    assert.deepEqual([ended.status, ended.stdout], [2, ''], name);
    assert.match(ended.stderr, /^agentctl: "\.\.\/\\u001b\]0;x" cannot be the id of an agent\.\n/);
  }
});

test('a wrong command line is told with what was meant and where the help is', async () => {
  const cases: readonly (readonly [words: readonly string[], text: string])[] = [
    [['lst'], "agentctl: Unknown command 'lst' (Did you mean list?).\n  Try 'agentctl --help'.\n"],
    [['stop'], "agentctl: Missing required argument 'id'.\n  Try 'agentctl stop --help'.\n"],
    [['list', '--al'], "agentctl: Unknown option '--al' (Did you mean --all?).\n  Try 'agentctl list --help'.\n"],
    [['logs', '-n', 'x', 'demo'], 'agentctl: "x" is no number of lines.\n'],
  ];
  for (const [words, text] of cases) assert.deepEqual(await control(words), { status: 2, stdout: '', stderr: text });
  const alone = await control([]);
  assert.deepEqual([alone.status, alone.stdout], [2, '']);
  assert.match(alone.stderr, /^Usage: agentctl /);
});

test('where no daemon is, the message says what to do', async () => {
  const ended = await control(['list']);
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /no such socket\.\n {2}Install the daemon/);
});

/** A daemon with an agent that runs, one that ended, and one whose card tries to steer a terminal. */
async function populated(t: TestContext): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(t);
  put(daemon, agentView('demo'));
  put(daemon, endedView('over', { kind: 'signalled', status: 137, signal: 'SIGKILL', message: 'SIGKILL ended it.' }));
  put(
    daemon,
    agentView('bad', {
      description: 'x\u001b]52;c;aGk=\u0007\u202e\r\nfake  running',
      labels: { 'a\u001b[2J': 'b\u0000' },
      command: ['sh', '-c', 'printf \u001b[31m'],
      notices: ['A\u009b2Jnote'],
      expiresAt: '2026-01-02T04:04:05.000Z',
    }),
  );
  return daemon;
}

function put(daemon: FakeDaemon, view: AgentView): void {
  const ended = view.state === 'ended' ? Promise.resolve() : new Promise<void>(() => undefined);
  daemon.operations.agents.set(view.id, { view, child: null, stopRequested: false, ended });
}

function control(words: readonly string[], daemon?: FakeDaemon): Promise<Finished> {
  return runProgram({ program: 'agentctl', words, socketPath: daemon?.socketPath ?? '/nonexistent/api.sock' });
}
