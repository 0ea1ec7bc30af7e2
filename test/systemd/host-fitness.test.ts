import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { type FitnessOptions, probeFitness } from '../../src/host/fitness.ts';
import type { Host } from '../../src/host/host.ts';
import type { SystemFacts } from '../../src/plan/facts.ts';
import { openThisHost } from '../helpers/linux-host.ts';

const OPTIONS: FitnessOptions = { userdbDirectory: '/run/userdb', uid: 1_900_099_999 };
const ELSEWHERE = '/run/host-fitness-userdb';
/** Settings for every trial unit (systemd.unit(5), drop-in directories of truncated names). */
const DROP_INS = '/run/systemd/system/agent-spawn-fitness-.service.d';

async function codes(host: Host, options = OPTIONS): Promise<readonly string[]> {
  const problems = await probeFitness(host, options);
  for (const problem of problems) assert.ok(problem.suggestion !== undefined, problem.message);
  assert.deepEqual(await host.units.list('agent-spawn-fitness*'), []);
  assert.deepEqual(
    (await host.files.list(options.userdbDirectory)).filter((name) => name.startsWith('agent-fit_')),
    [],
  );
  return problems.map(({ code }) => code);
}

async function withDropIn(settings: string, body: () => Promise<void>): Promise<void> {
  mkdirSync(DROP_INS, { recursive: true });
  writeFileSync(`${DROP_INS}/test.conf`, `[Service]\n${settings}\n`);
  try {
    execFileSync('systemctl', ['daemon-reload']);
    await body();
  } finally {
    rmSync(DROP_INS, { recursive: true });
    execFileSync('systemctl', ['daemon-reload']);
  }
}

test('a host that can confine agents has no problem', async () => {
  await using host = await openThisHost();
  assert.deepEqual(await codes(host), []);
});

test('a host that does not look for user records is told so', async () => {
  await using host = await openThisHost();
  try {
    assert.deepEqual(await codes(host, { ...OPTIONS, userdbDirectory: ELSEWHERE }), ['host.nss-missing']);
  } finally {
    rmSync(ELSEWHERE, { recursive: true, force: true });
  }
});

test('a host where users cannot make user namespaces is told so', async () => {
  await using host = await openThisHost();
  await withDropIn('RestrictNamespaces=yes', async () => {
    assert.deepEqual(await codes(host), ['host.userns-blocked']);
  });
});

test('a host without bubblewrap is told so, and nothing is tried', async () => {
  await using host = await openThisHost();
  const system: SystemFacts = { ...(await host.systemFacts()), bwrapPath: null };
  const without: Host = { ...host, systemFacts: async () => system };
  assert.deepEqual(await codes(without), ['host.bubblewrap-missing']);
});
