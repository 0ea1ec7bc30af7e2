import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpawnError } from '../../../src/base/errors.ts';
import type { Problem } from '../../../src/base/result.ts';
import { FitnessGate } from '../../../src/control/fitness-gate.ts';
import type { Agent } from '../../../src/sandbox/agent.ts';
import { launchOf, openEngine } from '../../fault/engine.ts';
import { FakeHost } from '../../helpers/fake-host.ts';

const BLOCKED: Problem = {
  code: 'host.userns-blocked',
  pointer: '',
  message: 'no namespaces',
  suggestion: 'allow them',
};

function failing(): Promise<Agent> {
  return Promise.reject(new SpawnError('sandbox.start-failed', 'it did not start'));
}

test('a start that failed on an unfit host is told the cause, and so is the next one before it is tried', async () => {
  let looks = 0;
  const gate = new FitnessGate(async () => {
    looks += 1;
    return [BLOCKED];
  });
  await assert.rejects(gate.guard(failing), { code: 'host.userns-blocked' });
  await assert.rejects(
    gate.guard(() => assert.fail('it was tried')),
    { code: 'host.userns-blocked' },
  );
  assert.equal(looks, 2);
});

test('a start that failed on a fit host keeps its own error, and no other error makes anyone look', async () => {
  let looks = 0;
  const gate = new FitnessGate(async () => {
    looks += 1;
    return [];
  });
  await assert.rejects(gate.guard(failing), { code: 'sandbox.start-failed' });
  await assert.rejects(
    gate.guard(() => Promise.reject(new SpawnError('sandbox.exists', 'there is one'))),
    { code: 'sandbox.exists' },
  );
  assert.equal(looks, 1);
});

test('an agent that ends at once with the status of a failed bubblewrap makes the gate look once', async () => {
  let looks = 0;
  const looked: (() => void)[] = [];
  const gate = new FitnessGate(async () => {
    looks += 1;
    looked.shift()?.();
    return [];
  });
  const host = new FakeHost();
  const engine = await openEngine(host);
  for (const id of ['a', 'b']) {
    const wait = id === 'a' ? new Promise<void>((resolve) => looked.push(resolve)) : Promise.resolve();
    const agent = await gate.guard(() => engine.launch(launchOf(id)));
    host.units.end(`sandboxed-agent@${id}.service`, { result: 'exit-code', mainCode: 1, mainStatus: 1 });
    await agent.whenEnded();
    await wait;
  }
  assert.equal(looks, 1);
});
