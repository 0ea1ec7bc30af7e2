import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { EXPOSURE_MAX, exposureOf, replacePrograms, UNITS_READ, verifyUnits } from '../helpers/unit-files.ts';
import { CHECKOUT, readProjectFile } from './source-file.ts';

const UNITS = join(CHECKOUT, 'units');

/** Hardening settings whose absence the unit itself must explain in a comment. */
const HARDENING = [
  'MemoryDenyWriteExecute=',
  'PrivateTmp=',
  'PrivateUsers=',
  'ProcSubset=',
  'ProtectHome=',
  'RootDirectory=',
  'User=',
];

test('systemd finds nothing to say about the units', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-units-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(UNITS, directory, { recursive: true });
  replacePrograms(directory);
  assert.equal(await verifyUnits(directory, UNITS_READ), '');
});

test('systemd does find a mistake in a unit', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-units-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const broken = join(directory, 'broken.service');
  writeFileSync(broken, '[Service]\nExecStart=/bin/true\nProtectSytem=full\n');
  assert.match(
    spawnSync('systemd-analyze', ['verify', '--man=no', broken], { encoding: 'utf8' }).stderr,
    /ProtectSytem/,
  );
});

for (const [unit, max] of Object.entries(EXPOSURE_MAX)) {
  test(`the exposure of ${unit} is at most ${(max / 10).toFixed(1)}`, () => {
    const { exposure, report } = exposureOf(join(UNITS, unit));
    assert.ok(exposure * 10 <= max + 0.001, report);
  });

  test(`${unit} says why for every hardening setting it lacks`, () => {
    const text = readProjectFile(`units/${unit}`);
    const settings = new Set(text.split('\n').flatMap((line) => /^([A-Za-z]+=)/.exec(line)?.[1] ?? []));
    const comments = text
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .join('\n');
    assert.deepEqual(
      HARDENING.filter((name) => !settings.has(name) && !comments.includes(name)),
      [],
    );
  });
}

test('the exposure of the relay of a published port is at most 0.5', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-units-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const recorded = readProjectFile('test/golden/published/units.txt').split(/^# (?=agent-publish@)/m);
  const service = recorded.find((text) => /^\S+\.service\n/.test(text)) ?? '';
  const unit = join(directory, 'relay.service');
  writeFileSync(unit, service.slice(service.indexOf('\n')));
  const { exposure, report } = exposureOf(unit);
  assert.ok(exposure <= 0.5, report);
});

test('the two relays to the proxy differ in nothing but the network they are in', () => {
  const linked = readProjectFile('units/agent-egress-veth@.service')
    .replaceAll('agent-egress-veth@', 'agent-egress@')
    .replace('NetworkNamespacePath=/run/netns/agent-%i', 'PrivateNetwork=yes')
    .replace('the egress proxy, in a network with a link', 'the egress proxy')
    .replace(/^After=.*$/m, '$&\nJoinsNamespaceOf=agent-egress@%i.socket');
  assert.equal(linked, readProjectFile('units/agent-egress@.service'));
});

test('tmpfiles makes exactly the directories of the daemon, with their modes', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'agent-spawn-tmpfiles-'));
  t.after(() => rmSync(root, { recursive: true }));
  execFileSync('systemd-tmpfiles', ['--create', `--root=${root}`, join(UNITS, 'agent-spawn.tmpfiles.conf')]);
  const found = execFileSync('find', ['.', '-mindepth', '2', '-type', 'd', '-printf', '%m %p\n'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.deepEqual(
    found
      .trim()
      .split('\n')
      .filter((line) => line.includes('agent'))
      .sort(),
    [
      '700 ./run/agent-spawn/attach',
      '700 ./run/agent-spawn/exits',
      '700 ./run/agent-spawn/records',
      '700 ./run/agent-spawn/streams',
      '700 ./var/lib/agent-spawn',
      '711 ./run/agent-spawn/homes',
      '750 ./etc/agents',
      '755 ./etc/agent-spawn',
      '755 ./run/agent-spawn',
      '755 ./run/agent-spawn/agents',
    ],
  );
});

test('sysusers accepts its file', () => {
  const root = mkdtempSync(join(tmpdir(), 'agent-spawn-sysusers-'));
  try {
    const args = [`--root=${root}`, '--dry-run', join(UNITS, 'agent-spawn.sysusers.conf')];
    assert.equal(spawnSync('systemd-sysusers', args, { encoding: 'utf8' }).status, 0);
  } finally {
    rmSync(root, { recursive: true });
  }
});
