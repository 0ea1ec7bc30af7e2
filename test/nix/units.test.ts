import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { EXPOSURE_MAX, exposureOf, replacePrograms, UNITS_READ, verifyUnits } from '../helpers/unit-files.ts';
import { listMachines, type Machine, readRecorded } from './machines.ts';

const machines = listMachines().filter(({ files }) => files.some((path) => path.startsWith('units/')));

/** A directory with the units of the package and what NixOS puts beside them. */
function layOut(t: TestContext, machine: Machine): string {
  const directory = mkdtempSync(join(tmpdir(), 'agent-spawn-nixos-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(join(CHECKOUT, 'units'), directory, { recursive: true });
  cpSync(join(machine.directory, 'units'), directory, { recursive: true });
  replacePrograms(directory);
  return directory;
}

test('machines are recorded', () => {
  assert.ok(machines.length >= 6, machines.map(({ name }) => name).join(' '));
});

for (const machine of machines) {
  test(`systemd finds nothing to say about the units of the machine ${machine.name}`, async (t) => {
    assert.equal(await verifyUnits(layOut(t, machine), UNITS_READ), '');
  });

  test(`NixOS adds to units that the package has, on the machine ${machine.name}`, () => {
    const recorded = machine.files.filter((path) => path.startsWith('units/'));
    const units = recorded.map((path) => /^units\/(.*)\.d\/overrides\.conf$/.exec(path)?.[1] ?? path);
    assert.deepEqual(
      units.filter((name) => !UNITS_READ.includes(name)),
      [],
    );
  });

  test(`tmpfiles makes the directories and links of the machine ${machine.name}`, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'agent-spawn-nixos-'));
    t.after(() => rmSync(root, { recursive: true }));
    const groups = readRecorded(machine, 'groups.txt').split('\n').filter(Boolean);
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/group'), groups.map((name, at) => `${name}:x:${60_001 + at}:\n`).join(''));
    const text = readRecorded(machine, 'tmpfiles.txt');
    writeFileSync(join(root, '20-agent-spawn.conf'), text);
    const files = [join(root, '20-agent-spawn.conf'), join(CHECKOUT, 'units/agent-spawn.tmpfiles.conf')];
    execFileSync('systemd-tmpfiles', ['--create', `--root=${root}`, ...files], { stdio: ['ignore', 'ignore', 'pipe'] });
    const rules = text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '));
    const made = rules.map(([type = '', path = '', mode = '', , , , target = '']) => {
      if (type === 'L+') return readlinkSync(join(root, path)) === target;
      return (statSync(join(root, path)).mode & 0o7777) === Number.parseInt(mode.replace(':', ''), 8);
    });
    assert.deepEqual(
      made,
      rules.map(() => true),
    );
    assert.ok(rules.length > 0);
  });
}

test('systemd does find a mistake in what is beside a unit', async (t) => {
  const [machine] = machines;
  assert.ok(machine !== undefined);
  const directory = layOut(t, machine);
  const path = join(directory, 'agent-spawnd.service.d/overrides.conf');
  writeFileSync(path, `${readFileSync(path, 'utf8')}\n[Service]\nProtectSytem=full\n`);
  assert.match(await verifyUnits(directory, ['agent-spawnd.service']), /ProtectSytem/);
});

for (const [unit, max] of Object.entries(EXPOSURE_MAX)) {
  test(`on NixOS, the exposure of ${unit} is at most ${(max / 10).toFixed(1)}`, (t) => {
    const seen = new Set<string>();
    for (const machine of machines) {
      const dropIn = readRecorded(machine, `units/${unit}.d/overrides.conf`);
      if (seen.has(dropIn)) continue;
      seen.add(dropIn);
      const { exposure, report } = exposureOf(join(layOut(t, machine), unit));
      assert.ok(exposure * 10 <= max + 0.001, `${machine.name}: ${report}`);
    }
    assert.ok(seen.size > 0);
  });
}

test('what is beside a unit counts for its exposure', (t) => {
  const [machine] = machines;
  assert.ok(machine !== undefined);
  const directory = layOut(t, machine);
  const before = exposureOf(join(directory, 'agent-spawnd.service')).exposure;
  const path = join(directory, 'agent-spawnd.service.d/overrides.conf');
  writeFileSync(path, `${readFileSync(path, 'utf8')}\n[Service]\nNoNewPrivileges=no\nProtectSystem=no\n`);
  assert.ok(exposureOf(join(directory, 'agent-spawnd.service')).exposure > before);
});
