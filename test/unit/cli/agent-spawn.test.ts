import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { SpawnError } from '../../../src/base/errors.ts';
import { CARD_BYTES_MAX } from '../../../src/base/limits.ts';
import { VERSION } from '../../../src/base/version.ts';
import { parseSpawnArguments } from '../../../src/cli/spawn-arguments.ts';
import { CHECKOUT } from '../../helpers/checkout.ts';
import { assertFollows } from '../api/description.ts';
import { startFakeDaemon } from '../api/fake-daemon.ts';
import { cardFile } from './card-file.ts';
import { assertGolden } from './golden.ts';
import { type Finished, runProgram } from './program.ts';

const NOWHERE = '/nonexistent/api.sock';

test('the help is the recorded one', async () => {
  const helped = await spawnProgram(['--help']);
  assert.deepEqual([helped.status, helped.stderr], [0, '']);
  assertGolden('agent-spawn-help.txt', helped.stdout);
});

test('the version is that of the package', async () => {
  assert.equal(JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')).version, VERSION);
  assert.deepEqual(await spawnProgram(['-V']), { status: 0, stdout: `agent-spawn ${VERSION}\n`, stderr: '' });
});

test('a dry run prints the plan for people and changes nothing', async (t) => {
  const daemon = await startFakeDaemon(t);
  const card = cardFile(t, { agent_id: 'demo' });
  const ended = await spawnProgram(['--dry-run', card], daemon.socketPath);
  assert.deepEqual([ended.status, ended.stderr], [0, '']);
  assertGolden('agent-spawn-dry-run.txt', ended.stdout);
  assert.deepEqual(daemon.operations.calls, []);
});

test('a dry run prints the plan for machines', async (t) => {
  const daemon = await startFakeDaemon(t);
  const ended = await spawnProgram(['--dry-run', '--json', cardFile(t, { agent_id: 'demo' })], daemon.socketPath);
  assertFollows('PlanView', JSON.parse(ended.stdout));
});

test('a detached agent is told by its id and goes on', async (t) => {
  const daemon = await startFakeDaemon(t);
  const card = cardFile(t, { agent_id: 'demo', script: 'exec sleep 1000', notices: ['No proxy yet.'] });
  assert.deepEqual(await spawnProgram(['--detach', card], daemon.socketPath), {
    status: 0,
    stdout: 'demo\n',
    stderr: 'agent-spawn: note: No proxy yet.\n',
  });
  assert.equal(daemon.operations.agents.get('demo')?.view.state, 'running');
});

test('a detached agent is told as JSON', async (t) => {
  const daemon = await startFakeDaemon(t);
  const ended = await spawnProgram(['-d', '--json', cardFile(t, { agent_id: 'demo' })], daemon.socketPath);
  assertFollows('AgentView', JSON.parse(ended.stdout));
  assert.equal(ended.stderr, '');
});

const PROBLEMS = [
  {
    code: 'card.out-of-range',
    pointer: '/resource_limits/memory_mb',
    message: 'Must be at least 16.',
    suggestion: 'Write 16 or more.',
  },
  { code: 'card.unknown-key', pointer: '/\u001b[2J', message: 'Is no key of a card.' },
];

test('every problem of a card is shown with its place, code and suggestion', async (t) => {
  const daemon = await startFakeDaemon(t);
  const message = 'card.json: Must be at least 16. (and 1 more)';
  const card = cardFile(t, { agent_id: 'demo', error: ['card.out-of-range', message, { problems: PROBLEMS }] });
  assert.deepEqual(await spawnProgram([card], daemon.socketPath), {
    status: 125,
    stdout: '',
    stderr: [
      'agent-spawn: card.json: refused, 2 problems',
      '  /resource_limits/memory_mb: Must be at least 16. (card.out-of-range)',
      '    Write 16 or more.',
      '  /\\x1b[2J: Is no key of a card. (card.unknown-key)',
      '',
    ].join('\n'),
  });
});

test('a failure is shown with its remedy, and as a problem document for machines', async (t) => {
  const daemon = await startFakeDaemon(t);
  const error = ['sandbox.exists', 'An agent "demo" runs already.', { remedy: 'agentctl stop demo' }];
  const card = cardFile(t, { agent_id: 'demo', error });
  const people = await spawnProgram([card], daemon.socketPath);
  assert.equal(people.stderr, 'agent-spawn: An agent "demo" runs already.\n  agentctl stop demo\n');
  const machines = await spawnProgram(['--json', card], daemon.socketPath);
  assertFollows('ProblemDocument', JSON.parse(machines.stderr));
  assert.deepEqual([machines.status, machines.stdout, JSON.parse(machines.stderr).code], [125, '', 'sandbox.exists']);
});

const DRY_RUN_STATUSES: readonly (readonly [status: number, code: string])[] = [
  [1, 'sandbox.exists'],
  [2, 'control.bad-request'],
  [3, 'card.unknown-key'],
  [4, 'control.forbidden'],
  [5, 'host.bubblewrap-missing'],
];

for (const [status, code] of DRY_RUN_STATUSES) {
  test(`a dry run that is refused with ${code} ends with ${status}`, async (t) => {
    const daemon = await startFakeDaemon(t);
    const card = cardFile(t, { agent_id: 'demo', error: [code, 'No.'] });
    assert.equal((await spawnProgram(['--dry-run', card], daemon.socketPath)).status, status);
    assert.equal((await spawnProgram(['--detach', card], daemon.socketPath)).status, 125);
  });
}

test('where no daemon is, the message says so and what to do', async (t) => {
  const card = cardFile(t, { agent_id: 'demo' });
  for (const words of [[card], ['-d', card]]) {
    const ended = await spawnProgram(words);
    assert.deepEqual([ended.status, ended.stdout], [125, '']);
    assert.match(
      ended.stderr,
      /^agent-spawn: The daemon cannot be reached at \/nonexistent\/api\.sock: there is no such socket\.\n/,
    );
    assert.match(ended.stderr, /npm run -s install-system/);
  }
  assert.equal((await spawnProgram(['--dry-run', card])).status, 1);
});

test('a card that cannot be read or understood is told before the daemon is asked', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-cards-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const cases: readonly (readonly [name: string, content: string | Uint8Array | null, message: RegExp])[] = [
    ['absent.json', null, /absent\.json: There is no such file\./],
    ['large.json', ' '.repeat(CARD_BYTES_MAX + 1), /The card is larger than 262144 bytes\./],
    ['latin1.json', Buffer.from([0x22, 0xe4, 0x22]), /The card is not UTF-8\./],
  ];
  for (const [name, content, message] of cases) {
    if (content !== null) writeFileSync(join(directory, name), content);
    const ended = await spawnProgram([join(directory, name)]);
    assert.equal(ended.status, 125);
    assert.match(ended.stderr, message);
  }
  assert.match((await spawnProgram([directory])).stderr, /This is a directory, not a card\./);
});

test('the format of a card is that of its name, or of its first character on standard input', async (t) => {
  const daemon = await startFakeDaemon(t);
  const formats: string[] = [];
  daemon.operations.plan = async (request) => {
    formats.push(`${request.card.source.replace(/.*\//, '')} ${request.card.format}`);
    throw new SpawnError('card.syntax', 'enough');
  };
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-cards-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const name of ['a.json', 'b.toml', 'c']) {
    writeFileSync(join(directory, name), '{}');
    await spawnProgram(['--dry-run', join(directory, name)], daemon.socketPath);
  }
  for (const input of [' {"agent_id":"demo"}', 'agent_id = "demo"\n']) {
    await runProgram({ program: 'agent-spawn', words: ['--dry-run', '-'], socketPath: daemon.socketPath, input });
  }
  const expected = ['a.json json', 'b.toml toml', 'c json', 'standard input json', 'standard input toml'];
  assert.deepEqual(formats, expected);
});

test('a wrong command line is told in one sentence and where the help is', async () => {
  const cases: readonly (readonly [words: readonly string[], message: string])[] = [
    [[], 'A card is missing.'],
    [['--detached', 'card.json'], "Unknown option '--detached'."],
    [['a.json', 'b.json'], 'What is "b.json"? Arguments of the agent come after --.'],
    [['--socket'], "Option '--socket <value>' argument missing."],
    [['--socket=', 'a.json'], '--socket needs a path.'],
    [['--json=yes', 'a.json'], "Option '--json' does not take an argument."],
  ];
  for (const [words, message] of cases) {
    const ended = await spawnProgram(words);
    assert.deepEqual([ended.status, ended.stdout], [125, ''], words.join(' '));
    assert.equal(ended.stderr.split('\n')[0], `agent-spawn: ${message}`);
    assert.match(ended.stderr, /Try 'agent-spawn --help'\.\n$/);
  }
  assert.equal((await spawnProgram(['--dry-run'])).status, 2);
});

test('options may stand before and after the card, arguments of the agent only after --', () => {
  const parse = (line: string): unknown => {
    const { mode, card, agentArguments, isJson, socketPath } = parseSpawnArguments(line.split(' '), {});
    return [mode, card, agentArguments.join(' '), isJson, socketPath];
  };
  const standard = '/run/agent-spawn/api.sock';
  assert.deepEqual(parse('card.json'), ['foreground', 'card.json', '', false, standard]);
  assert.deepEqual(parse('card.json -d --json'), ['detached', 'card.json', '', true, standard]);
  assert.deepEqual(parse('--socket /s card.json -- -d --json -- x'), [
    'foreground',
    'card.json',
    '-d --json -- x',
    false,
    '/s',
  ]);
  assert.deepEqual(parse('--dry-run -d -'), ['dry-run', '-', '', false, standard]);
  assert.deepEqual(parse('-- card.json'.replace('-- ', '')), ['foreground', 'card.json', '', false, standard]);
});

test('the socket comes from the option, else from the environment, else from the system', () => {
  const environment = { AGENT_SPAWN_SOCKET: '/from/environment' };
  assert.equal(parseSpawnArguments(['--socket', '/option', 'c'], environment).socketPath, '/option');
  assert.equal(parseSpawnArguments(['c'], environment).socketPath, '/from/environment');
  assert.equal(parseSpawnArguments(['c'], {}).socketPath, '/run/agent-spawn/api.sock');
});

test('a command line that ends before its card is refused, whatever comes after --', () => {
  assert.throws(() => parseSpawnArguments(['--', 'card.json'], {}), /A card is missing/);
});

function spawnProgram(words: readonly string[], socketPath: string = NOWHERE): Promise<Finished> {
  return runProgram({ program: 'agent-spawn', words, socketPath });
}
