import assert from 'node:assert/strict';
import test from 'node:test';
import type { Ground } from './ground.ts';

const CALL_FAILED = { name: 'SpawnError', code: 'host.call-failed' };
const REFUSED = { name: 'SpawnError', code: 'plan.workspace-refused' };
const OWNER = 1_900_000_123;
const OTHER = 1_900_000_456;

/** The part of the contract about files. */
export function testFiles(name: string, open: () => Promise<Ground>): void {
  const check = (sentence: string, body: (ground: Ground, place: string) => Promise<void>): void => {
    test(`${name}: ${sentence}`, async () => {
      await using ground = await open();
      await body(ground, ground.directory);
    });
  };

  check('a file that is absent reads as null', async ({ host }, place) => {
    assert.equal(await host.files.read(`${place}/absent`, 10), null);
  });

  check('a file reads as what was written last', async ({ host }, place) => {
    await host.files.write(`${place}/file`, 'first and longer', 0o600);
    await host.files.write(`${place}/file`, 'second', 0o600);
    assert.equal(text(await host.files.read(`${place}/file`, 6)), 'second');
    assert.deepEqual(await host.files.list(place), ['file']);
  });

  check('a file larger than the bound is not read', async ({ host }, place) => {
    await host.files.write(`${place}/file`, 'seven..', 0o600);
    await assert.rejects(host.files.read(`${place}/file`, 6), CALL_FAILED);
  });

  check('a directory and a symlink are not read as files', async ({ host }, place) => {
    await host.files.write(`${place}/file`, 'x', 0o600);
    await host.files.symlink('file', `${place}/link`);
    await assert.rejects(host.files.read(place, 10), CALL_FAILED);
    await assert.rejects(host.files.read(`${place}/link`, 10), CALL_FAILED);
  });

  check(
    'a symlink is followed where that is asked for, over further ones, and one to nothing reads as null',
    async (ground, place) => {
      const { files } = ground.host;
      await files.makeDirectory(`${place}/one`, 0o755);
      await files.makeDirectory(`${place}/two`, 0o755);
      await files.write(`${place}/one/file`, 'first', 0o644);
      await files.write(`${place}/two/file`, 'second', 0o644);
      await files.symlink('one', `${place}/static`);
      await files.symlink(`${place}/static/file`, `${place}/link`);
      assert.equal(text(await files.readLinked(`${place}/link`, 10)), 'first');
      await files.symlink('two', `${place}/static`);
      assert.equal(text(await files.readLinked(`${place}/link`, 10)), 'second');
      assert.equal(text(await files.readLinked(`${place}/one/file`, 10)), 'first');
      await files.remove(`${place}/two/file`);
      assert.equal(await files.readLinked(`${place}/link`, 10), null);
      assert.equal(await files.readLinked(`${place}/absent`, 10), null);
      await files.symlink('one', `${place}/static`);
      await assert.rejects(files.readLinked(`${place}/link`, 4), CALL_FAILED);
      await assert.rejects(files.readLinked(`${place}/static`, 10), CALL_FAILED);
    },
  );

  check('nothing is written into a directory that is absent', async ({ host }, place) => {
    await assert.rejects(host.files.write(`${place}/absent/file`, 'x', 0o600), CALL_FAILED);
    await assert.rejects(host.files.makeDirectory(`${place}/absent/directory`, 0o700), CALL_FAILED);
    assert.deepEqual(await host.files.list(place), []);
  });

  check('a file is not written over a directory', async ({ host }, place) => {
    await host.files.makeDirectory(`${place}/directory`, 0o700);
    await assert.rejects(host.files.write(`${place}/directory`, 'x', 0o600), CALL_FAILED);
    assert.deepEqual(await host.files.list(place), ['directory']);
  });

  check('writing over a symlink replaces the link, not what it leads to', async ({ host }, place) => {
    await host.files.write(`${place}/target`, 'kept', 0o600);
    await host.files.symlink('target', `${place}/link`);
    await host.files.write(`${place}/link`, 'new', 0o600);
    assert.equal(text(await host.files.read(`${place}/target`, 10)), 'kept');
    assert.equal(text(await host.files.read(`${place}/link`, 10)), 'new');
  });

  check('removing takes a file or a symlink, and is content with nothing', async ({ host }, place) => {
    await host.files.write(`${place}/file`, 'x', 0o600);
    await host.files.symlink('file', `${place}/link`);
    await host.files.remove(`${place}/link`);
    assert.deepEqual(await host.files.list(place), ['file']);
    await host.files.remove(`${place}/file`);
    await host.files.remove(`${place}/file`);
    assert.deepEqual(await host.files.list(place), []);
  });

  check('a directory is not removed like a file', async ({ host }, place) => {
    await host.files.makeDirectory(`${place}/directory`, 0o700);
    await assert.rejects(host.files.remove(`${place}/directory`), CALL_FAILED);
  });

  check('making a directory that is there changes nothing', async ({ host }, place) => {
    await host.files.makeDirectory(`${place}/directory`, 0o700);
    await host.files.write(`${place}/directory/file`, 'x', 0o600);
    await host.files.makeDirectory(`${place}/directory`, 0o755);
    assert.deepEqual(await host.files.list(`${place}/directory`), ['file']);
  });

  check('a directory is not made where a file is', async ({ host }, place) => {
    await host.files.write(`${place}/file`, 'x', 0o600);
    await assert.rejects(host.files.makeDirectory(`${place}/file`, 0o700), CALL_FAILED);
  });

  check('a tree is removed whole, and what its symlinks lead to stays', async ({ host }, place) => {
    await host.files.makeDirectory(`${place}/outside`, 0o700);
    await host.files.write(`${place}/outside/kept`, 'x', 0o600);
    await host.files.makeDirectory(`${place}/tree`, 0o700);
    await host.files.makeDirectory(`${place}/tree/below`, 0o700);
    await host.files.write(`${place}/tree/below/file`, 'x', 0o600);
    await host.files.symlink(`${place}/outside`, `${place}/tree/below/link`);
    await host.files.removeTree(`${place}/tree`);
    await host.files.removeTree(`${place}/tree`);
    assert.deepEqual(await host.files.list(place), ['outside']);
    assert.deepEqual(await host.files.list(`${place}/outside`), ['kept']);
  });

  check('a symlink replaces a symlink, and no directory', async ({ host }, place) => {
    await host.files.symlink('one', `${place}/link`);
    await host.files.symlink('two', `${place}/link`);
    assert.deepEqual(await host.files.list(place), ['link']);
    await host.files.makeDirectory(`${place}/directory`, 0o700);
    await assert.rejects(host.files.symlink('one', `${place}/directory`), CALL_FAILED);
  });

  check('what is absent and what is no socket gets no second name', async ({ host }, place) => {
    await host.files.write(`${place}/file`, 'x', 0o600);
    assert.equal(await host.files.linkSocket(`${place}/file`, `${place}/name`, 0), false);
    assert.equal(await host.files.linkSocket(`${place}/absent`, `${place}/name`, 0), false);
    assert.deepEqual(await host.files.list(place), ['file']);
  });

  check('a list is sorted, an absent directory has no entries, a file has none to list', async ({ host }, place) => {
    for (const name of ['b', 'a', 'c']) await host.files.write(`${place}/${name}`, '', 0o600);
    assert.deepEqual(await host.files.list(place), ['a', 'b', 'c']);
    assert.deepEqual(await host.files.list(`${place}/absent`), []);
    await assert.rejects(host.files.list(`${place}/a`), CALL_FAILED);
  });

  check('a workspace is made with its parents, and unmade while it is empty', async ({ host }, place) => {
    const order = { path: `${place}/a/b/w`, create: true, uid: OWNER, gid: OWNER, replaceUid: null };
    const change = await host.files.prepareWorkspace(order);
    assert.deepEqual(change, { made: [`${place}/a`, `${place}/a/b`, `${place}/a/b/w`], reowned: 0 });
    const { node } = (
      await host.facts({
        workspace: order.path,
        binds: [],
        sockets: [],
        user: 'agent-probe',
        program: null,
        wantsCredential: false,
      })
    ).workspace;
    assert.deepEqual(node, { uid: OWNER, gid: OWNER, mode: 0o700 });
    await host.files.revertWorkspace(change);
    assert.deepEqual(await host.files.list(place), []);
  });

  check('a workspace with something in it is not unmade', async ({ host }, place) => {
    const order = { path: `${place}/a/w`, create: true, uid: OWNER, gid: OWNER, replaceUid: null };
    const change = await host.files.prepareWorkspace(order);
    await host.files.write(`${place}/a/w/work`, 'x', 0o600);
    await host.files.revertWorkspace(change);
    assert.deepEqual(await host.files.list(`${place}/a/w`), ['work']);
  });

  check(
    'a workspace is refused behind a symlink, when absent, and when it is somebody else’s',
    async ({ host }, place) => {
      const order = { create: false, uid: OWNER, gid: OWNER, replaceUid: null };
      await host.files.makeDirectory(`${place}/real`, 0o700);
      await host.files.symlink('real', `${place}/link`);
      await assert.rejects(host.files.prepareWorkspace({ ...order, path: `${place}/link`, create: true }), REFUSED);
      await assert.rejects(host.files.prepareWorkspace({ ...order, path: `${place}/link/w`, create: true }), REFUSED);
      await assert.rejects(host.files.prepareWorkspace({ ...order, path: `${place}/absent` }), REFUSED);
      await assert.rejects(host.files.prepareWorkspace({ ...order, path: `${place}/real` }), REFUSED);
      assert.deepEqual(await host.files.list(place), ['link', 'real']);
    },
  );

  check('a workspace changes hands, and what is not the former owner’s in it does not', async ({ host }, place) => {
    const path = `${place}/w`;
    await host.files.prepareWorkspace({ path, create: true, uid: OWNER, gid: OWNER, replaceUid: null });
    await host.files.write(`${path}/root's`, 'x', 0o600);
    const order = { path, create: false, uid: OTHER, gid: OTHER, replaceUid: OWNER };
    assert.deepEqual(await host.files.prepareWorkspace(order), { made: [], reowned: 1 });
    assert.deepEqual(await host.files.prepareWorkspace(order), { made: [], reowned: 0 });
    const query = {
      workspace: path,
      binds: [`${path}/root's`],
      sockets: [],
      user: 'agent-probe',
      program: null,
      wantsCredential: false,
    };
    const facts = await host.facts(query);
    assert.deepEqual([facts.workspace.node?.uid, facts.binds[0]?.node?.uid], [OTHER, 0]);
  });

  check('of root’s directories only an empty one changes hands', async ({ host }, place) => {
    const order = { create: false, uid: OWNER, gid: OWNER, replaceUid: 0 };
    await host.files.makeDirectory(`${place}/empty`, 0o755);
    await host.files.makeDirectory(`${place}/full`, 0o755);
    await host.files.write(`${place}/full/file`, 'x', 0o600);
    assert.equal((await host.files.prepareWorkspace({ ...order, path: `${place}/empty` })).reowned, 1);
    await assert.rejects(host.files.prepareWorkspace({ ...order, path: `${place}/full` }), REFUSED);
  });

  check('a watch tells of a new entry', async ({ host }, place) => {
    await new Promise<void>((resolve, reject) => {
      const watch = host.files.watch(place, () => {
        watch[Symbol.dispose]();
        resolve();
      });
      host.files.write(`${place}/file`, 'x', 0o600).catch(reject);
    });
  });

  check('facts tell absent, directory, file and the symlink on the way', async ({ host }, place) => {
    await host.files.makeDirectory(`${place}/directory`, 0o700);
    await host.files.write(`${place}/directory/file`, 'x', 0o640);
    await host.files.symlink('directory', `${place}/link`);
    const paths = ['absent/below', 'directory', 'directory/file', 'link'].map((path) => `${place}/${path}`);
    const { binds } = await host.facts({
      workspace: place,
      binds: paths,
      sockets: [],
      user: 'agent-probe',
      program: null,
      wantsCredential: false,
    });
    assert.deepEqual(
      binds.map((facts) => [facts.kind, facts.symlinkAt, facts.isEmpty, facts.ancestors.at(-1)?.path]),
      [
        ['absent', null, false, place],
        ['directory', null, false, place],
        ['file', null, false, `${place}/directory`],
        ['symlink', `${place}/link`, false, place],
      ],
    );
  });
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}
