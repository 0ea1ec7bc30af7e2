import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { agentctl, awaitEnd, detachAgent, listAgents, runAgent, succeed, type TestCard } from '../helpers/agents.ts';
import { askApi } from '../helpers/api.ts';
import { type Ended, runCommand } from '../helpers/commands.ts';
import { CANARY, CredentialStage, call, echoWithKey, MOUNTS } from '../helpers/credential-stage.ts';
import { awaitDaemon, killDaemon } from '../helpers/daemon.ts';
import { declareCard, unitFileOf, withdrawCard } from '../helpers/declared-cards.ts';
import { addUser, asUser, type HostUser, removeUser } from '../helpers/host-users.ts';
import { verdictOf } from '../helpers/puppet.ts';
import { dropIn, removeDropIn } from '../helpers/unit-drop-in.ts';
import { unitOf } from '../helpers/units.ts';

// Where keys come from on a real host: files, credentials of systemd, and what happens when they are exchanged.

/** Keys of the suite; the text of puppets has the first word alone. */
const KEY = /canary-/;
const STRANGER = { name: 'as-keys-stranger', group: 'as-keys-group' };
const STORE = '/etc/credstore';
const SEALED = '/etc/credstore.encrypted';

let stage: CredentialStage;
let keys: string;
let stranger: HostUser;
before(async () => {
  stage = await CredentialStage.open();
  stranger = await addUser(STRANGER.name, STRANGER.group);
  keys = mkdtempSync('/run/as-test-more-keys-');
  chmodSync(keys, 0o755);
});
beforeEach(async () => {
  rmSync(keys, { recursive: true });
  mkdirSync(keys, { mode: 0o755 });
  await stage.egress.internet.clear();
});
after(async () => {
  rmSync(keys, { recursive: true, force: true });
  for (const directory of [STORE, SEALED]) rmSync(directory, { recursive: true, force: true });
  await removeUser(STRANGER.name, STRANGER.group);
  await stage?.close();
});

/** Writes a key below the directory of this suite; its path. */
function write(name: string, content: string, mode = 0o600): string {
  const path = join(keys, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** A card with one gateway that has this key. */
function cardWithKey(source: string, changes: Readonly<Record<string, unknown>> = {}): TestCard {
  return stage.egress.bench.card({ command: ['true'], ...echoWithKey(source), ...changes });
}

/** The key that an agent uses whose card names this source. */
async function keyFrom(source: string): Promise<string | undefined> {
  const puppet = await stage.egress.agent(echoWithKey(source));
  return stage.keySentBy(puppet);
}

/** Nothing of a refused card is there. */
async function assertNothingOf(card: TestCard): Promise<void> {
  assert.equal(
    (await listAgents()).find(({ id }) => id === card.agent_id),
    undefined,
  );
  assert.equal(existsSync(card.workspace), false);
  const shown = await runCommand(['systemctl', 'show', '--property=LoadState', unitOf(card.agent_id)]);
  assert.equal(shown.stdout, 'LoadState=not-found\n');
  for (const directory of ['agents', 'records', 'exits'])
    assert.deepEqual(
      readdirSync(`/run/agent-spawn/${directory}`).filter((name) => name.startsWith(`${card.agent_id}`)),
      [],
    );
}

/** Ways in which a file is no key: what makes it, and what is said of it. */
const FAULTS: Readonly<Record<string, readonly [make: () => string, said: RegExp]>> = {
  missing: [() => join(keys, 'none'), /there is no such file\./],
  'a directory': [() => keys, /it is a directory\./],
  'a FIFO': [
    () => {
      const path = join(keys, 'fifo');
      execFileSync('mkfifo', ['-m', '0600', path]);
      return path;
    },
    /it is a FIFO\./,
  ],
  'a device': [() => '/dev/zero', /it is a device\./],
  'a circle of symlinks': [
    () => {
      symlinkSync('circle', join(keys, 'circle'));
      return join(keys, 'circle');
    },
    /its symlinks lead nowhere\./,
  ],
  'a symlink to nothing': [
    () => {
      symlinkSync('gone', join(keys, 'dangling'));
      return join(keys, 'dangling');
    },
    /there is no file ".*\/gone"\./,
  ],
  empty: [() => write('empty', ''), /it is empty\./],
  binary: [() => write('binary', 'canary\0canary'), /it is binary\./],
  'two lines': [() => write('two', 'canary\ncanary\n'), /it has more than one line\./],
  'with a carriage return': [() => write('cr', 'canary\rcanary'), /it holds a carriage return\./],
  'with a byte order mark': [() => write('bom', '\ufeffcanary\n'), /it begins with a byte order mark\./],
  'a gibibyte': [
    () => {
      const path = write('huge', 'canary');
      truncateSync(path, 2 ** 30);
      return path;
    },
    /it has 1073741824 bytes, and 65536 are the most\./,
  ],
  'readable by a group': [() => write('group', 'canary', 0o640), /others than root can read it \(mode 0640\)\./],
  'readable by all': [() => write('all', 'canary', 0o644), /others than root can read it \(mode 0644\)\./],
  "somebody else's": [
    () => {
      const path = write('foreign', 'canary');
      chownSync(path, stranger.uid, stranger.gid);
      return path;
    },
    /it belongs to uid \d+, who could exchange the secret\./,
  ],
  "in somebody else's directory": [
    () => {
      mkdirSync(join(keys, 'theirs'));
      chownSync(join(keys, 'theirs'), stranger.uid, stranger.gid);
      return write('theirs/key', 'canary');
    },
    /"[^"]*\/theirs" belongs to uid \d+, who could exchange the secret\./,
  ],
  'in a directory that all may write to': [
    () => {
      mkdirSync(join(keys, 'open'));
      chmodSync(join(keys, 'open'), 0o777);
      return write('open/key', 'canary');
    },
    /others than root can write to "[^"]*\/open" \(mode 0777\), and so exchange the secret\./,
  ],
  'a credential that is nowhere': [() => 'credential:nowhere', /no credential store has one\./],
};

for (const [what, [make, said]] of Object.entries(FAULTS)) {
  test(`a key file is refused with its reason before anything starts: ${what}`, async () => {
    const card = cardWithKey(make());
    const ended = await runAgent(card);
    assertRefused(ended, said);
    await assertNothingOf(card);
    const checked = await runCommand(['journalctl', '--no-pager', '--output=cat', '--since=-1min']);
    assert.doesNotMatch(checked.stdout, CANARY);
  });
}

function assertRefused({ status, stdout, stderr }: Ended, said: RegExp): void {
  assert.deepEqual([status, stdout], [125, '']);
  assert.match(stderr, said);
  assert.match(stderr, /\/credentials\/0\/api_key_file: .*\(plan\.credentials-refused\)\n {4}\S.*\.\n/);
  assert.doesNotMatch(stderr, CANARY);
}

test('the short form is pointed at as itself, and every key that is wrong is told', async () => {
  const git = { provider: 'git', base_url: 'https://git.example', api_key_file: '/run/none-1' };
  const card = stage.egress.bench.card({ command: ['true'], api_key_file: '/run/none-2', credentials: [git] });
  const { status, stderr } = await runAgent(card);
  assert.equal(status, 125);
  assert.match(
    stderr,
    /refused, 2 problems\n {2}\/api_key_file: .*none-2(?:.|\n)*\/credentials\/0\/api_key_file: .*none-1/,
  );
});

test('a symlink to a key is followed, as tools that unpack secrets make them', async () => {
  mkdirSync(join(keys, 'generation-1'), { mode: 0o700 });
  write('generation-1/key', 'canary-linked\n', 0o400);
  symlinkSync('generation-1', join(keys, 'current'));
  symlinkSync(join(keys, 'current/key'), join(keys, 'linked'));
  assert.equal(await keyFrom(join(keys, 'linked')), 'canary-linked');
});

test('root can allow keys that others read, and nothing else', async () => {
  const config = '/etc/agent-spawn/config.json';
  mkdirSync('/etc/agent-spawn', { recursive: true });
  const readable = write('readable', 'canary-readable', 0o644);
  const writable = write('writable', 'canary-writable', 0o666);
  writeFileSync(config, '{"allow_readable_keys": true}');
  try {
    await succeed(runCommand(['systemctl', 'restart', 'agent-spawnd.service']));
    assert.equal(await keyFrom(readable), 'canary-readable');
    assertRefused(await runAgent(cardWithKey(writable)), /others than root can write to it \(mode 0666\)/);
  } finally {
    rmSync(config);
    await succeed(runCommand(['systemctl', 'restart', 'agent-spawnd.service']));
  }
  assertRefused(await runAgent(cardWithKey(readable)), /others than root can read it/);
});

describe('credentials of systemd', () => {
  /** Encrypts a credential with the key of this host. */
  async function seal(name: string, content: string, as = name): Promise<void> {
    mkdirSync(SEALED, { recursive: true });
    const argv = ['systemd-creds', 'encrypt', '--with-key=host', `--name=${as}`, '-', join(SEALED, name)];
    await succeed(runCommand(argv, { stdin: content }));
  }

  test('one that the store holds', async () => {
    mkdirSync(STORE, { recursive: true, mode: 0o700 });
    writeFileSync(join(STORE, 'plain'), 'canary-plain\n', { mode: 0o600 });
    assert.equal(await keyFrom('credential:plain'), 'canary-plain');
  });

  test('one that is really encrypted', async () => {
    await seal('sealed', 'canary-sealed\n');
    assert.equal(await keyFrom('credential:sealed'), 'canary-sealed');
  });

  test('one that is encrypted for another name, or was changed, is refused', async () => {
    await seal('renamed', 'canary-renamed', 'original');
    assertRefused(await runAgent(cardWithKey('credential:renamed')), /systemd-creds does not open "[^"]*\/renamed"\./);
    writeFileSync(join(SEALED, 'damaged'), 'QUJDREVGRw==');
    assertRefused(await runAgent(cardWithKey('credential:damaged')), /systemd-creds does not open "[^"]*\/damaged"\./);
  });

  test('an encrypted one is held to the form of a key, and to its size', async () => {
    await seal('two', 'canary\ncanary');
    assertRefused(await runAgent(cardWithKey('credential:two')), /it has more than one line\./);
    await seal('large', 'canary'.repeat(20_000));
    assertRefused(
      await runAgent(cardWithKey('credential:large')),
      /did not open "[^"]*\/large" in time, or it holds too much\./,
    );
  });

  test('one that the operator gave to the daemon comes before those of the stores', async () => {
    mkdirSync(STORE, { recursive: true, mode: 0o700 });
    writeFileSync(join(STORE, 'given'), 'canary-store', { mode: 0o600 });
    const file = write('given', 'canary-given\n');
    await dropIn('agent-spawnd.service', `LoadCredential=given:${file}`);
    try {
      assert.equal(await keyFrom('credential:given'), 'canary-given');
    } finally {
      await removeDropIn('agent-spawnd.service');
    }
    assert.equal(await keyFrom('credential:given'), 'canary-store');
  });
});

describe('rotation', () => {
  test('the next request has the new key, and one that runs goes on', async () => {
    const path = write('rotated', 'canary-old\n');
    const puppet = await stage.egress.agent(echoWithKey(path));
    assert.equal(await stage.keySentBy(puppet), 'canary-old');
    // The head of a request with a body that is still on its way.
    const begun = call('POST', `${MOUNTS.echo}/begun`, ['Content-Length: 8']);
    await puppet.open('slow', [{ send: `${begun}half` }]);
    writeFileSync(path, 'canary-new\n');
    assert.equal(await stage.keySentBy(puppet), 'canary-old', 'a file that changes changes nothing by itself');
    const { stdout } = await agentctl('credential', 'reload', puppet.id);
    assert.equal(
      stdout,
      `agent ${puppet.id}: read again, 1 of 1 changed\n` +
        'KEY                          USED AS                   STATE\n' +
        '/credentials/0/api_key_file  /custom/echo.example.com  changed, in force\n',
    );
    assert.equal(await stage.keySentBy(puppet), 'canary-new');
    const [answer] = await puppet.on('slow', [{ send: 'half' }, { read: 'answer' }]);
    assert.equal(verdictOf(answer), '200', answer);
    await killDaemon();
    await awaitDaemon();
    assert.equal(await stage.keySentBy(puppet), 'canary-new', 'a new daemon says the same');
  });

  test('a key that cannot be used leaves the old one in force', async () => {
    const path = write('kept', 'canary-kept\n');
    const puppet = await stage.egress.agent(echoWithKey(path));
    writeFileSync(path, 'canary two\n');
    const refused = await runCommand(['agentctl', 'credential', 'reload', puppet.id]);
    assert.equal(refused.status, 3);
    assert.match(refused.stderr, /it holds a space\./);
    assert.doesNotMatch(refused.stdout + refused.stderr, CANARY);
    assert.equal(await stage.keySentBy(puppet), 'canary-kept');
  });

  test('a declared card whose key is missing is a unit that fails with the reason, until the key is read', async () => {
    const path = join(keys, 'late');
    const card = cardWithKey(path, { command: ['sleep', 'infinity'] });
    await declareCard(card);
    try {
      const started = await runCommand(['systemctl', 'start', unitOf(card.agent_id)]);
      assert.notEqual(started.status, 0);
      const said = await runCommand(['systemctl', 'status', '--full', '--no-pager', unitOf(card.agent_id)]);
      assert.match(said.stdout, /there is no such file/);
      write('late', 'canary-late\n');
      const reloaded = await agentctl('credential', 'reload', '--json', card.agent_id);
      assert.doesNotMatch(reloaded.stdout, CANARY);
      await succeed(runCommand(['systemctl', 'start', unitOf(card.agent_id)]));
      const unit = await runCommand(['cat', unitFileOf(card.agent_id)]);
      assert.doesNotMatch(unit.stdout, CANARY);
    } finally {
      await withdrawCard(card.agent_id);
    }
  });

  test('an agent without keys has nothing to read again', async () => {
    const puppet = await stage.egress.agent({});
    const { status, stderr } = await runCommand(['agentctl', 'credential', 'reload', puppet.id]);
    assert.equal(status, 1);
    assert.match(stderr, /uses no key/);
  });
});

test('no answer of the API holds a key, and nobody but root gets any answer', async () => {
  const card = cardWithKey(write('told', 'canary-told\n'), { command: ['sleep', 'infinity'] });
  const id = await detachAgent(card);
  const paths = ['', '/inspect', '/egress', '/audit', '/audit/verify'].map((path) => `/agents/${id}${path}`);
  for (const path of ['/agents?ended=true', ...paths]) {
    const { status, body } = await askApi('GET', path);
    assert.equal(status, 200, path);
    assert.doesNotMatch(body, KEY, path);
  }
  const posts = ['credentials/reload', 'restart'].map((verb) => askApi('POST', `/agents/${id}/${verb}`));
  for (const { body } of await Promise.all(posts)) assert.doesNotMatch(body, KEY);
  const view = JSON.stringify(card);
  const planned = await askApi('POST', '/plans', {
    card: { text: view, format: 'json', source: 'test' },
    arguments: [],
    attach: null,
  });
  assert.doesNotMatch(planned.body, KEY);

  // The record has it; the positive control is root.
  const places = ['/run/agent-spawn', '/run/agent-egress', '/run/systemd', '/run/credentials', '/var/lib/agent-spawn'];
  const search = ['grep', '--recursive', '--files-with-matches', '--no-messages', 'canary-told', ...places];
  const byRoot = await runCommand(search);
  assert.equal(byRoot.stdout, `/run/agent-spawn/records/${id}.json\n`);
  assert.equal((await runCommand(asUser(stranger, ...search))).stdout, '');
  const listed = await runCommand(asUser(stranger, 'ls', '/run/agent-spawn/records'));
  assert.notEqual(listed.status, 0);
  for (const words of [
    ['list', '--all'],
    ['inspect', id],
    ['credential', 'reload', id],
    ['audit', id],
  ]) {
    const denied = await runCommand(asUser(stranger, 'agentctl', ...words));
    assert.notEqual(denied.status, 0, words.join(' '));
    assert.equal(denied.stdout, '');
  }
  const units = await runCommand(
    asUser(stranger, 'systemctl', 'show', unitOf(id), 'agent-spawnd.service', 'agent-egressd.service'),
  );
  assert.match(units.stdout, /ExecStart=/);
  assert.doesNotMatch(units.stdout, KEY);
  await agentctl('stop', id);
  await awaitEnd(id);
  assert.equal((await runCommand(search)).stdout, '', 'it goes with the agent');
});
