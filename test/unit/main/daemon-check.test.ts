import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CHECKOUT } from '../../helpers/checkout.ts';

const PROGRAM = join(CHECKOUT, 'build/src/main/agent-spawnd.js');
/** The option has another name since Node 23.5. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
/** Node's own wall: the program may read files; it may write none, start nothing and load nothing native. */
const READ_ONLY = ['--no-warnings', PERMISSION, '--allow-fs-read=*'];

const directory = mkdtempSync(join(tmpdir(), 'daemon-check-'));
after(() => rmSync(directory, { recursive: true }));

/** How the program ended: status, standard output, standard error. */
function daemon(...words: readonly string[]): readonly [status: number | null, stdout: string, stderr: string] {
  const ended = spawnSync(process.execPath, [...READ_ONLY, PROGRAM, ...words], { encoding: 'utf8' });
  return [ended.status, ended.stdout, ended.stderr];
}

/** A configuration file with a text. */
function configFile(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

test('a good configuration passes without a word, and nothing comes of the check', () => {
  const file = configFile('good.json', '{"cards_dir": "/nonexistent", "proxy": "http://squid:3128"}');
  const before = readdirSync(directory);
  assert.deepEqual(daemon('--check', file), [0, '', '']);
  assert.deepEqual(readdirSync(directory), before);
});

test('each problem is a line with file, place, sentence and what to write', () => {
  const file = configFile(
    'bad.json',
    '{"publish_addresses": ["loopback", "all"], "restart_change": true, "a/b\\u001b": 1}',
  );
  const known =
    'cards_dir, uid_first, uid_count, publish_addresses, allow_host_network, allow_readable_keys, veth_range, proxy, restart_changed, log_level';
  const sentences = [
    'The configuration has no key "restart_change". Write "restart_changed".',
    `The configuration has no key "a/b\\u001b". The keys are ${known}.`,
    '"publish_addresses[1]" is "all", but must be "loopback" or "any".',
  ];
  const lines = (...places: readonly string[]): string =>
    places.map((place, index) => `${file}: ${place}: ${sentences[index]}\n`).join('');
  assert.deepEqual(daemon('--check', file), [3, '', lines('/restart_change', '/a~1b\\x1b', '/publish_addresses/1')]);
  assert.deepEqual(daemon('--check', file, '--as', 'services.agent-spawn.settings'), [
    3,
    '',
    lines(
      'services.agent-spawn.settings.restart_change',
      'services.agent-spawn.settings."a/b\\u001b"',
      'services.agent-spawn.settings.publish_addresses[1]',
    ),
  ]);
});

test('what is wrong with the whole file is told of the file', () => {
  const file = configFile('empty.json', '');
  assert.deepEqual(daemon('--check', file), [3, '', `${file}: The configuration is empty. Write {}.\n`]);
  assert.deepEqual(daemon(`--check=${file}`, '--as=settings'), [
    3,
    '',
    `${file}: settings: The configuration is empty. Write {}.\n`,
  ]);
  const absent = join(directory, 'absent.json');
  assert.deepEqual(daemon('--check', absent), [
    3,
    '',
    `${absent}: The file cannot be read: ENOENT: no such file or directory, open '${absent}'.\n`,
  ]);
});

test('the help says how to check, and a wrong call is told apart from a refused file', () => {
  const [status, stdout, stderr] = daemon('--help');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^Usage: agent-spawnd\n[\s\S]*--check FILE[\s\S]*--as PREFIX/);
  for (const words of [['--check'], ['--check', ''], ['--as', 'x'], ['--verbose'], ['file.json']]) {
    const [wrong, output, message] = daemon(...words);
    assert.deepEqual([wrong, output], [2, ''], words.join(' '));
    assert.match(message, /^agent-spawnd: .*; agent-spawnd --help shows how it is called\.\n$/);
  }
});
