import assert from 'node:assert/strict';
import test from 'node:test';
import type { Ground } from '../../contract/ground.ts';
import { testEgress } from '../../contract/host-egress.ts';
import { testFiles } from '../../contract/host-files.ts';
import { testUnits } from '../../contract/host-units.ts';
import { FakeHost } from '../../helpers/fake-host.ts';

async function openGround(): Promise<Ground> {
  const host = new FakeHost();
  host.files.seedDirectory('/ground');
  return {
    host,
    directory: '/ground',
    unit: (name, conduct) => {
      host.units.script(name, conduct === 'has-no-program' ? { result: 'failed' } : {});
      return [];
    },
    endEgress: async () => {
      host.egress.die();
      host.egress.comeBack();
    },
    letEnd: (name) => host.units.end(name, { result: 'exit-code', mainCode: 1, mainStatus: 3 }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

testEgress('the fake host', openGround);
testFiles('the fake host', openGround);
testUnits('the fake host', openGround);

test('the n-th mutating call of a fake host fails, before or after it did its work', async () => {
  const host = new FakeHost();
  host.failAt(2);
  await host.files.write('/srv/one', '1', 0o600);
  await assert.rejects(host.files.write('/srv/two', '2', 0o600), { code: 'host.call-failed' });
  host.failAt(1, 'after');
  await assert.rejects(host.files.write('/srv/three', '3', 0o600), { code: 'host.call-failed' });
  assert.deepEqual(await host.files.list('/srv'), ['one', 'three']);
  assert.equal(host.calls, 3);
});

test('a fake host lists what a test left behind', async () => {
  const host = new FakeHost();
  host.files.seedFile('/srv/changed', 'old');
  host.files.seedFile('/srv/removed', 'old');
  host.markClean();
  await host.files.write('/srv/changed', 'new', 0o644);
  await host.files.remove('/srv/removed');
  await host.units.startTransient('sandboxed-agent@x.service', []);
  assert.deepEqual(host.leftovers(), [
    'file /srv/changed is different',
    'file /srv/removed is gone',
    'unit sandboxed-agent@x.service remains',
  ]);
});

test('timers of a fake clock expire in order when the time is moved', () => {
  const { clock } = new FakeHost();
  const seen: string[] = [];
  clock.timer(20, () => seen.push(`late at ${clock.now()}`));
  clock.timer(10, () => seen.push(`early at ${clock.now()}`));
  clock.timer(15, () => seen.push('never'))[Symbol.dispose]();
  const start = clock.now();
  clock.advance(30);
  assert.deepEqual(seen, [`early at ${start + 10}`, `late at ${start + 20}`]);
  assert.equal(clock.now(), start + 30);
});
