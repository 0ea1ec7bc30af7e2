import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';

// It turns off a part of the host, which must be one of the tests' own.
assert.ok(
  ['private-host', 'private', 'vm'].includes(process.env['AGENT_SPAWN_HOST'] ?? ''),
  'runs on a host of the tests',
);

const CARD = JSON.stringify({ agent_id: 'unfit', workspace: '/mnt/agents/unfit', agent: 'shell', command: ['true'] });
const NSSWITCH = '/etc/nsswitch.conf';
const intact = readFileSync(NSSWITCH, 'utf8');

function spawnAgent(): { readonly status: number | null; readonly stderr: string } {
  return spawnSync('agent-spawn', ['-'], { input: CARD, encoding: 'utf8', timeout: 60_000 });
}

after(() => {
  writeFileSync(NSSWITCH, intact);
  spawnSync('agentctl', ['rm', 'unfit']);
});

test('a host without nss-systemd says what to fix, and works as soon as it is fixed', () => {
  writeFileSync(NSSWITCH, intact.replaceAll(/^(passwd|group):.*$/gm, '$1: files'));
  const refused = spawnAgent();
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /host\.nss-missing/);
  assert.match(refused.stderr, /libnss-systemd/);
  writeFileSync(NSSWITCH, intact);
  const started = spawnAgent();
  assert.deepEqual({ status: started.status, stderr: started.stderr }, { status: 0, stderr: '' });
});
