import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';

/** Runs a command of the readme as a user would, in the checkout. */
function inCheckout(command: string): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync('bash', ['-c', command], { cwd: CHECKOUT, encoding: 'utf8', timeout: 240_000 });
}

test('npm start runs the demo agent to its end, which works and is refused what it must not do', () => {
  const run = inCheckout('npm start');
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /ok +mended the program: the test passes/);
  const refused = [...run.stdout.matchAll(/^ +refused +(.*\S) +\(/gm)].map((match) => match[1]);
  assert.ok(refused.length >= 8, refused.join('\n'));
  assert.doesNotMatch(run.stdout, /allowed/);
});

test('npm start has nothing to set up the second time, and runs any card', () => {
  const run = inCheckout("npm start -- schema/examples/shell.json -- -c 'echo it is $AGENT_ID; exit 3'");
  assert.equal(run.status, 3, run.stderr);
  assert.match(run.stdout, /^it is shell$/m);
  assert.doesNotMatch(run.stderr, /bundling|installing/);
});

test('install-system puts everything below a directory and uninstall-system takes exactly that away', () => {
  const directory = mkdtempSync(join(tmpdir(), 'destdir-'));
  try {
    assert.equal(inCheckout(`npm run -s install-system -- --destdir ${directory}`).status, 0);
    const script = readFileSync(join(directory, 'usr/bin/agent-spawn'), 'utf8');
    assert.match(script, /^#!\/.*node/);
    assert.ok(existsSync(join(directory, 'usr/lib/systemd/system/agent-spawnd.socket')));
    assert.equal(inCheckout(`npm run -s uninstall-system -- --destdir ${directory}`).status, 0);
    assert.equal(existsSync(join(directory, 'usr/bin/agent-spawn')), false);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
