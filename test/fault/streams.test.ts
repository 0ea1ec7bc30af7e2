import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Launch } from '../../src/sandbox/launch.ts';
import { FakeHost } from '../helpers/fake-host.ts';
import { launchOf, openEngine, PATHS, unexpected } from './engine.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const CALLER = 1000;

/** More calls than any launch makes: the loops below end before it, or fail. */
const CALLS_MAX = 100;

/** A start whose streams the caller has sockets for. */
function attached(): Launch {
  return { ...launchOf('a'), attach: TOKEN, callerUid: CALLER };
}

/** A host with sockets of somebody's in the directory of the token. */
function hostWithSockets(uid: number, names: readonly string[] = ['stdin', 'stdout', 'stderr']): FakeHost {
  const host = new FakeHost();
  for (const name of names) host.files.seedSocket(`${PATHS.attachDirectory}/${TOKEN}/${name}.sock`, uid);
  return host;
}

test('the sockets of a caller get names in a directory of root alone, which PID 1 is told', async () => {
  const host = hostWithSockets(CALLER);
  const engine = await openEngine(host);
  await engine.launch(attached());
  const directory = `${PATHS.streamsDirectory}/a`;
  const nodes = [directory, `${directory}/stdin.sock`, `${directory}/stderr.sock`].map((path) =>
    host.files.nodes.get(path),
  );
  assert.deepEqual(nodes, [
    { kind: 'directory', mode: 0o700, uid: 0, gid: 0 },
    { kind: 'socket', mode: 0o600, uid: CALLER, gid: CALLER },
    { kind: 'socket', mode: 0o600, uid: CALLER, gid: CALLER },
  ]);
  const told = host.units.loaded.get('sandboxed-agent@a.service')?.properties ?? [];
  const streams = told.filter(({ name }) => /^Standard\w+File$/.test(name)).map(({ value }) => value);
  assert.deepEqual(
    streams,
    ['stdin', 'stdout', 'stderr'].map((name) => `${directory}/${name}.sock`),
  );
});

test('sockets of somebody else, and a directory without all three, are refused, and nothing is left', async () => {
  for (const host of [
    hostWithSockets(0),
    hostWithSockets(1001),
    hostWithSockets(CALLER, ['stdin', 'stdout']),
    new FakeHost(),
  ]) {
    const engine = await openEngine(host);
    host.markClean();
    await assert.rejects(engine.launch(attached()), { name: 'SpawnError', code: 'control.forbidden' });
    assert.deepEqual(unexpected(host.leftovers()), []);
  }
});

test('a launch with streams whose n-th call fails leaves nothing, for every n', async () => {
  let failures = 0;
  for (let n = 1; n < CALLS_MAX; n += 1) {
    const host = hostWithSockets(CALLER);
    const engine = await openEngine(host);
    host.markClean();
    host.failAt(n, 'before');
    const isStarted = await engine.launch(attached()).then(
      () => true,
      () => false,
    );
    if (isStarted) break;
    failures += 1;
    host.failAt(0);
    assert.deepEqual(notTheCallers(unexpected(host.leftovers())), [], `call ${n}: ${host.log[n - 1]}`);
    await engine[Symbol.asyncDispose]();
  }
  assert.ok(failures > 10 && failures < CALLS_MAX - 1, `${failures} calls`);
});

/** The caller's own directory may go with a start that failed. */
function notTheCallers(leftovers: readonly string[]): readonly string[] {
  return leftovers.filter((line) => !(line.includes(`/${TOKEN}`) && line.endsWith(' is gone')));
}
