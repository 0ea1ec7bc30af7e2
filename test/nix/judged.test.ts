import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import test from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { type Ended, runCommand } from '../helpers/commands.ts';
import { makeScratch } from '../helpers/scratch.ts';
import { listMachines, type Machine } from './machines.ts';

const CONFIGURATION = 'etc/agent-spawn/config.json';

const machines = listMachines().filter(({ files }) => files.includes(CONFIGURATION));

function cardsOf(machine: Machine): readonly string[] {
  return machine.files.filter((path) => path.startsWith('etc/') && path.endsWith('.json') && path !== CONFIGURATION);
}

/** What the build of NixOS runs, for several cards at once. */
function judgeCards(machine: Machine, cards: readonly string[]): Promise<Ended> {
  const named = cards.flatMap((card) => ['--as', `services.agent-spawn.agents.${basename(card, '.json')}`]);
  const options = ['--offline', '--declared', '--config', join(machine.directory, CONFIGURATION), ...named];
  const files = cards.map((card) => resolve(machine.directory, card));
  return runCommand([process.execPath, join(CHECKOUT, 'dist/agentctl.cjs'), 'check', ...options, ...files]);
}

/** What the build of NixOS runs for the configuration. */
function judgeConfiguration(file: string): Promise<Ended> {
  const options = ['--as', 'services.agent-spawn.settings', '--check', file];
  return runCommand([process.execPath, join(CHECKOUT, 'dist/agent-spawnd.cjs'), ...options]);
}

for (const machine of machines) {
  test(`the program takes the configuration of the machine ${machine.name}`, async () => {
    const { status, stderr } = await judgeConfiguration(join(machine.directory, CONFIGURATION));
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  });

  const cards = cardsOf(machine);
  if (cards.length === 0) continue;
  test(`the program takes every card of the machine ${machine.name}`, async () => {
    const { status, stderr } = await judgeCards(machine, cards);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  });
}

test('machines with cards are recorded', () => {
  assert.ok(machines.filter((machine) => cardsOf(machine).length > 0).length >= 4);
});

test('the program names the option of a card that it refuses', async () => {
  const [machine] = machines;
  assert.ok(machine !== undefined);
  await using scratch = await makeScratch();
  const card = join(scratch.path, 'wrong.json');
  const limits = { memory_mb: 1024, memory_high_mb: 2048 };
  await writeFile(card, JSON.stringify({ agent_id: 'wrong', workspace: '/srv/wrong', resource_limits: limits }));
  const { status, stderr } = await judgeCards(machine, [card]);
  assert.equal(status, 3);
  assert.match(stderr, /services\.agent-spawn\.agents\.wrong\.resource_limits\.memory_high_mb: /);
});

test('the program names the option of a setting that it refuses', async () => {
  await using scratch = await makeScratch();
  const file = join(scratch.path, 'config.json');
  await writeFile(file, JSON.stringify({ uid_count: 1 }));
  const { status, stderr } = await judgeConfiguration(file);
  assert.equal(status, 3);
  assert.match(stderr, /services\.agent-spawn\.settings\.uid_count: /);
});
