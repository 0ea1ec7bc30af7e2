import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { keptDirectories } from '../../src/private-host/kept.ts';
import { runProgram } from './program.ts';

test('directories outside the overlays need no help', () => {
  assert.deepEqual(keptDirectories(['/', '/tmp', '/root']), ['/var/tmp']);
});

test('directories in an overlay are kept, each once, none inside another', () => {
  assert.deepEqual(keptDirectories(['/usr/local', '/usr/local/bin', '/usr/local']), ['/var/tmp', '/usr/local']);
});

test('what must be private stays covered', () => {
  const covered = ['/etc', '/usr', '/usr/bin', '/usr/lib/systemd', '/var', '/var/lib', '/var/log'];
  assert.deepEqual(keptDirectories(covered), ['/var/tmp']);
});

test('a command in a directory below an overlay works on the directory of the machine', async () => {
  const cwd = mkdtempSync('/opt/private-host-');
  try {
    const script = 'touch here && touch ../beside-private-host && pwd';
    const { stdout, stderr } = await runProgram(['--bare', 'sh', '-c', script], { cwd });
    assert.equal(stdout.toString(), `${cwd}\n`, stderr);
    assert.ok(existsSync(join(cwd, 'here')));
    assert.ok(!existsSync('/opt/beside-private-host'));
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
