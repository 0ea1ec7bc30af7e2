import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { bootPrivateHost } from '../../src/private-host/boot.ts';
import type { PrivateHost, RunInsideResult } from '../../src/private-host/private-host.ts';

const MEBIBYTE = 1024 * 1024;

let host: PrivateHost;

before(async () => {
  host = await bootPrivateHost({ isBare: true });
});
after(() => host.stop());

test('MemoryMax= kills what grows beyond it, and nothing below it', async () => {
  // tail(1) keeps a line without an end in memory as a whole.
  const script = `head -c ${200 * MEBIBYTE} /dev/zero | tail | wc -c`;
  const below = await runUnit(['MemoryMax=400M', 'MemorySwapMax=0'], script);
  assert.equal(Number(below.stdout), 200 * MEBIBYTE);
  const beyond = await runUnit(['MemoryMax=100M', 'MemorySwapMax=0'], script);
  assert.notEqual(Number(beyond.stdout), 200 * MEBIBYTE);
});

test('TasksMax= stops a unit from starting more processes, and not from fewer', async () => {
  const script = 'n=0; while [ $n -lt 20 ]; do sleep 30 & n=$((n + 1)); done; echo all; kill $(jobs -p)';
  assert.match((await runUnit(['TasksMax=40'], script)).stdout, /^all$/m);
  const stopped = await runUnit(['TasksMax=10'], script);
  assert.doesNotMatch(stopped.stdout, /^all$/m);
  assert.match(stopped.stderr, /fork/i);
});

test('CPUQuota=20% gives a fifth of a processor', async () => {
  const { stdout } = await runUnit(['CPUQuota=20%'], 'timeout 2 sh -c "while :; do :; done"; times');
  // The second line of times: user and system time of ended children.
  const [, minutes = '', seconds = ''] =
    /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/.exec(stdout.trim().split('\n')[1] ?? '') ?? [];
  const share = (Number(minutes) * 60 + Number(seconds)) / 2;
  assert.ok(share > 0.1 && share < 0.3, `a share of ${share}: ${stdout}`);
});

test('RuntimeMaxSec= ends a unit with everything it started', async () => {
  const started = performance.now();
  const unit = 'timed.service';
  await runUnit(['RuntimeMaxSec=1'], 'setsid sleep 1000 & exec sleep 1000', [`--unit=${unit}`]);
  assert.ok(performance.now() - started < 5000);
  const shown = await host.run(['systemctl', 'show', '--value', '--property=Result', unit]);
  assert.equal(shown.stdout.trim(), 'timeout');
  assert.equal((await host.run(['pgrep', '-x', 'sleep'])).status, 1);
  await host.run(['systemctl', 'reset-failed', unit]);
});

function runUnit(
  properties: readonly string[],
  script: string,
  options: readonly string[] = [],
): Promise<RunInsideResult> {
  const assignments = properties.map((property) => `--property=${property}`);
  return host.run(['systemd-run', '--quiet', '--wait', '--pipe', ...assignments, ...options, 'sh', '-c', script]);
}
