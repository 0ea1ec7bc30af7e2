import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Finished, runProgram } from './program.ts';

const GOOD = { agent_id: 'demo', workspace: '/srv/demo' };
const BAD = {
  ...GOOD,
  resource_limits: { memory_mb: -3 },
  allowed_hosts: ['a.example.com', { host: 'b.example.com', ports: [0] }],
  environment: { 'my.var': 'x' },
  labels: { '3': 7 },
};

/** Writes cards to files of these names; the command line is given their directory. */
function cards(t: TestContext, files: Readonly<Record<string, object | string>>): (name: string) => string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-check-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return (name) => join(directory, name);
}

/** There is no daemon where the command would look for one. */
function check(words: readonly string[], input = ''): Promise<Finished> {
  return runProgram({
    program: 'agentctl',
    words: ['check', '--offline', ...words],
    socketPath: '/nonexistent',
    input,
  });
}

/** Code and place of everything that is wrong, card by card. */
async function placesOf(words: readonly string[], input = ''): Promise<readonly (readonly string[])[]> {
  const { stdout } = await check(['--json', ...words], input);
  const checked = JSON.parse(stdout) as readonly { readonly problems: readonly { code: string; place: string }[] }[];
  return checked.map(({ problems }) => problems.map(({ code, place }) => `${code} ${place}`));
}

test('good cards of every form are told valid, each with its agent', async (t) => {
  const at = cards(t, { 'a.json': GOOD, 'b.toml': 'agent_id = "other"\nworkspace = "/srv/other"\n' });
  const { status, stdout, stderr } = await check([at('a.json'), at('b.toml'), '-'], JSON.stringify(GOOD));
  const lines = [`${at('a.json')}: valid, for the agent demo`, `${at('b.toml')}: valid, for the agent other`];
  assert.deepEqual(
    [status, stdout, stderr],
    [0, `${lines.join('\n')}\nstandard input: valid, for the agent demo\n`, ''],
  );
});

test('what is wrong is named by its pointer, and as an option of NixOS with --as', async (t) => {
  const at = cards(t, { 'bad.json': BAD });
  assert.deepEqual(await placesOf([at('bad.json')]), [
    [
      'card.wrong-type /labels/3',
      'card.bad-environment /environment/my.var',
      'card.out-of-range /allowed_hosts/1/ports/0',
      'card.out-of-range /resource_limits/memory_mb',
    ],
  ]);
  const { status, stdout, stderr } = await check(['--as', 'services.agents.demo', at('bad.json')]);
  assert.deepEqual([status, stdout], [3, '']);
  assert.deepEqual(
    stderr.split('\n').map((line) => line.replace(/: .* \[/, ' [')),
    [
      'services.agents.demo.labels."3" [card.wrong-type]',
      'services.agents.demo.environment."my.var" [card.bad-environment]',
      'services.agents.demo.allowed_hosts[1].ports[0] [card.out-of-range]',
      'services.agents.demo.resource_limits.memory_mb [card.out-of-range]',
      '',
    ],
  );
  assert.match(stderr, /memory_mb: "resource_limits.memory_mb" is -3, but must be from 16 to 16777216\. \[card/);
});

test('a text that is no card at all is told of the option itself', async (t) => {
  const at = cards(t, { 'no.json': '{"agent_id"' });
  assert.deepEqual(await placesOf(['--as', 'services.agents.demo', at('no.json')]), [
    ['card.syntax services.agents.demo'],
  ]);
});

test('one refused card of several makes the status 3, one that cannot be read 1', async (t) => {
  const at = cards(t, { 'a.json': GOOD, 'bad.json': BAD });
  const refused = await check([at('a.json'), at('bad.json')]);
  assert.deepEqual([refused.status, refused.stdout], [3, `${at('a.json')}: valid, for the agent demo\n`]);
  assert.match(refused.stderr, /^agentctl: .*bad\.json: refused, 4 problems\n {2}\/labels\/3: /);
  const unread = await check([at('absent.json'), at('bad.json')]);
  assert.equal(unread.status, 1);
  assert.match(unread.stderr, /^agentctl: .*absent\.json: .*\n {2}There is no such file\. \(card\.unreadable\)\n/);
});

test('a declared card is called by its agent, and by nothing else', async (t) => {
  const at = cards(t, { 'demo.json': GOOD, 'other.json': GOOD, 'Demo.json': GOOD, 'demo.txt': GOOD });
  const names = ['demo.json', 'other.json', 'Demo.json', 'demo.txt'].map(at);
  assert.deepEqual(await placesOf(['--declared', ...names, '-'], JSON.stringify(GOOD)), [
    [],
    ['card.id-mismatch /agent_id'],
    ['card.id-mismatch '],
    ['card.id-mismatch '],
    [],
  ]);
  assert.deepEqual(await placesOf(names), [[], [], [], []]);
});

test('a configuration of the daemon decides what it decides there', async (t) => {
  const at = cards(t, {
    'demo.json': { ...GOOD, network: { mode: 'host' } },
    'open.json': { allow_host_network: true },
    'wrong.json': { allow_host_network: 'yes' },
  });
  // As the daemon reads it: what is no UTF-8 is no configuration, whatever a decoder would make of it.
  writeFileSync(at('latin.json'), Buffer.from('{"cards_dir":"/etc/pr\xfcfung"}', 'latin1'));
  assert.deepEqual(await placesOf([at('demo.json')]), [['plan.network-refused /network/mode']]);
  assert.deepEqual(await placesOf(['--config', at('open.json'), at('demo.json')]), [[]]);
  for (const name of ['wrong.json', 'latin.json', 'absent.json']) {
    const { status, stderr } = await check(['--config', at(name), at('demo.json')]);
    assert.deepEqual([status, stderr.includes('config.invalid') || stderr.includes('ENOENT')], [1, true], stderr);
    if (name === 'latin.json') assert.match(stderr, /UTF-8/);
  }
});

const WRONG: readonly (readonly [message: RegExp, words: readonly string[]])[] = [
  [
    /^agentctl: --as is there 1 time for 2 cards; each has one of its own\.\n/,
    ['check', '--offline', '--as', 'a', 'x', 'y'],
  ],
  [/^agentctl: --as is for checks with --offline\.\n/, ['check', '--as', 'a', 'x']],
  [/^agentctl: --declared is for checks with --offline\.\n/, ['check', '--declared', 'x']],
  [/^agentctl: --config is for checks with --offline\.\n/, ['check', '--config', 'c', 'x']],
  [/^agentctl: Several cards can be checked with --offline only\.\n/, ['check', 'x', 'y']],
  [/^agentctl: Standard input holds one card\.\n/, ['check', '--offline', '-', '-']],
  [/^agentctl: Missing required argument 'card'\.\n/, ['check', '--offline']],
];

for (const [message, words] of WRONG) {
  test(`${words.join(' ')} is wrong usage`, async () => {
    const { status, stdout, stderr } = await runProgram({ program: 'agentctl', words, socketPath: '/nonexistent' });
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
  });
}
