import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { agentctl, runAgent, succeed } from '../helpers/agents.ts';
import { type Ended, runCommand } from '../helpers/commands.ts';
import { CANARY, CredentialStage, echoWithKey } from '../helpers/credential-stage.ts';
import { addUser, type HostUser, removeUser } from '../helpers/host-users.ts';
import { dropIn, removeDropIn } from '../helpers/unit-drop-in.ts';

// Keys where sops-nix and agenix put them: a file system in memory with a directory for each generation, and a link to the
// present one. Both give directories to the group "keys", which may pass through them and list them.

const TOOLS = {
  'sops-nix': { mount: '/run/secrets.d', link: '/run/secrets' },
  agenix: { mount: '/run/agenix.d', link: '/run/agenix' },
} as const;
type Tool = keyof typeof TOOLS;

const OWNER = { name: 'as-tools-owner', group: 'as-tools-keys' };
const DIRECTORY_MODE = 0o751;

let stage: CredentialStage;
let owner: HostUser;
let keysGid: number;
before(async () => {
  stage = await CredentialStage.open();
  owner = await addUser(OWNER.name, OWNER.group);
  const { stdout } = await succeed(runCommand(['getent', 'group', OWNER.group]));
  keysGid = Number(stdout.split(':')[2]);
  for (const { mount } of Object.values(TOOLS)) {
    mkdirSync(mount);
    // The daemon has its own view of mounts and runs already: what is unpacked later must reach it all the same.
    await succeed(runCommand(['mount', '-t', 'ramfs', '-o', 'nodev,nosuid,mode=0751', 'none', mount]));
    chownSync(mount, 0, keysGid);
  }
});
after(async () => {
  for (const { mount, link } of Object.values(TOOLS)) {
    await runCommand(['umount', mount]);
    rmSync(mount, { recursive: true, force: true });
    rmSync(link, { force: true });
  }
  await removeUser(OWNER.name, OWNER.group);
  await stage?.close();
});

/** How one secret of a generation is laid out; by default as both tools do when nothing else is said. */
interface Secret {
  readonly content: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** Writes a generation of secrets, by their names, and makes it the present one; earlier ones go. */
function unpack(tool: Tool, generation: number, secrets: Readonly<Record<string, Secret>>): void {
  const { mount, link } = TOOLS[tool];
  const directory = join(mount, String(generation));
  makeDirectory(directory);
  for (const [name, { content, mode = 0o400, uid = 0, gid = 0 }] of Object.entries(secrets)) {
    const path = join(directory, name);
    if (name.includes('/')) makeDirectory(dirname(path));
    writeFileSync(path, content);
    chmodSync(path, mode);
    chownSync(path, uid, gid);
  }
  symlinkSync(directory, `${link}.new`);
  renameSync(`${link}.new`, link);
  rmSync(join(mount, String(generation - 1)), { recursive: true, force: true });
}

function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, DIRECTORY_MODE);
  chownSync(path, 0, keysGid);
}

/** Runs an agent with a key that must be refused; what was said. */
async function refusal(source: string): Promise<string> {
  const ended: Ended = await runAgent(stage.egress.bench.card({ command: ['true'], ...echoWithKey(source) }));
  assert.equal(ended.status, 125);
  assert.doesNotMatch(ended.stderr, CANARY);
  return ended.stderr;
}

for (const tool of ['sops-nix', 'agenix'] as const) {
  const { mount, link } = TOOLS[tool];

  test(`a key of ${tool} is used by its path, and the one of the next generation when it is read again`, async () => {
    unpack(tool, 1, { 'model-key': { content: 'canary-first\n' }, 'llm/nested': { content: 'canary-nested' } });
    const nested = await stage.egress.agent(echoWithKey(`${link}/llm/nested`));
    assert.equal(await stage.keySentBy(nested), 'canary-nested');
    const puppet = await stage.egress.agent(echoWithKey(`${link}/model-key`));
    assert.equal(await stage.keySentBy(puppet), 'canary-first');
    unpack(tool, 2, { 'model-key': { content: 'canary-second\n' } });
    assert.equal(await stage.keySentBy(puppet), 'canary-first');
    await agentctl('credential', 'reload', puppet.id);
    assert.equal(await stage.keySentBy(puppet), 'canary-second');
    // A secret that the next generation has not: the key that is there goes on, and the reload says what is missing.
    const gone = await runCommand(['agentctl', 'credential', 'reload', nested.id]);
    assert.equal(gone.status, 3);
    assert.match(gone.stderr, new RegExp(`there is no file "${mount}/2/llm"\\.`));
    assert.equal(await stage.keySentBy(nested), 'canary-nested');
  });

  test(`a key of ${tool} with a place of its own is a link to the present generation`, async () => {
    unpack(tool, 3, { 'model-key': { content: 'canary-third\n' } });
    const place = '/var/lib/as-test-placed';
    mkdirSync(place, { mode: 0o755 });
    try {
      symlinkSync(join(link, 'model-key'), join(place, 'key'));
      assert.equal(await stage.keySentBy(await stage.egress.agent(echoWithKey(join(place, 'key')))), 'canary-third');
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  test(`a key of ${tool} is handed to the daemon by systemd, and follows at its restart`, async () => {
    unpack(tool, 4, { 'model-key': { content: 'canary-fourth\n' } });
    await dropIn('agent-spawnd.service', `LoadCredential=model-key:${link}/model-key`);
    try {
      const puppet = await stage.egress.agent(echoWithKey('credential:model-key'));
      assert.equal(await stage.keySentBy(puppet), 'canary-fourth');
      unpack(tool, 5, { 'model-key': { content: 'canary-fifth\n' } });
      await succeed(runCommand(['systemctl', 'restart', 'agent-spawnd.service']));
      assert.equal(await stage.keySentBy(puppet), 'canary-fourth');
      await agentctl('credential', 'reload', puppet.id);
      assert.equal(await stage.keySentBy(puppet), 'canary-fifth');
    } finally {
      await removeDropIn('agent-spawnd.service');
    }
  });

  test(`a key that ${tool} gives to a user, a group or everybody is refused by path, and says why`, async () => {
    const content = 'canary-given\n';
    unpack(tool, 6, {
      'of-a-user': { content, uid: owner.uid },
      'of-a-group': { content, mode: 0o440, gid: keysGid },
      'of-all': { content, mode: 0o444 },
      right: { content },
    });
    assert.match(
      await refusal(`${link}/of-a-user`),
      new RegExp(`"${mount}/6/of-a-user" belongs to uid ${owner.uid}, who`),
    );
    assert.match(await refusal(`${link}/of-a-group`), /others than root can read "[^"]*\/6\/of-a-group" \(mode 0440\)/);
    assert.match(await refusal(`${link}/of-all`), /others than root can read "[^"]*\/6\/of-all" \(mode 0444\)/);
    assert.equal(await stage.keySentBy(await stage.egress.agent(echoWithKey(`${link}/right`))), 'canary-given');
  });

  test(`a key that ${tool} gives to a user can be handed over by systemd all the same`, async () => {
    unpack(tool, 7, { 'of-a-user': { content: 'canary-of-a-user\n', uid: owner.uid } });
    await dropIn('agent-spawnd.service', `LoadCredential=of-a-user:${link}/of-a-user`);
    try {
      assert.equal(
        await stage.keySentBy(await stage.egress.agent(echoWithKey('credential:of-a-user'))),
        'canary-of-a-user',
      );
    } finally {
      await removeDropIn('agent-spawnd.service');
    }
  });
}

test('nothing of what tools unpack can be seen by an agent', async () => {
  unpack('sops-nix', 8, { 'model-key': { content: 'canary-unseen\n', mode: 0o444 } });
  const read = `open('${TOOLS['sops-nix'].link}/model-key').read()`;
  const outside = await stage.egress.outside();
  assert.equal(await outside.attempt(read), 'ok: canary-unseen\n');
  const inside = await stage.egress.agent({});
  assert.match(await inside.attempt(read), /FileNotFoundError|ENOENT/);
});
