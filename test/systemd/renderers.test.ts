import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { agentctl, Bench, detachAgent, succeed, type TestCard } from '../helpers/agents.ts';
import { CHECKOUT } from '../helpers/checkout.ts';
import { runCommand } from '../helpers/commands.ts';
import { declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import { showUnit, unitOf } from '../helpers/units.ts';

const GOLDEN = join(CHECKOUT, 'test/golden');

/** Properties that differ between two runs of one unit, or between a unit that has a file and one that has none. */
const OF_THE_RUN: readonly RegExp[] = [
  /Timestamp(Monotonic)?$/,
  /^(InvocationID|ExecMainPID|MainPID|ControlGroupId|TasksCurrent|MemoryCurrent|MemoryPeak|MemoryAvailable|StatusErrno)$/,
  /^(CPUUsageNSec|IO(Read|Write)(Bytes|Operations)|EffectiveMemory.*|EffectiveTasks.*|MemorySwap(Current|Peak)|MemoryZSwap.*)$/,
  /^(FragmentPath|DropInPaths|UnitFileState|UnitFilePreset|Transient|NeedDaemonReload|SourcePath|CanFreeze|FileDescriptorStore.*)$/,
  /^(StandardInput|StandardOutput|StandardError)$/,
  /^(RequiresMountsFor|WantsMountsFor|After|Requires)$/,
];

let bench: Bench;
before(async () => {
  // The first agent with a link of its own makes what every later one uses.
  bench = await Bench.open({ ignoreLeaks: /agent\\x2d(egress\\x2d)?veth\.slice|\/run\/netns|run-netns\.mount/ });
});
after(() => bench.close());

/** Names of other units, which systemd lists in no order of theirs. */
const OF_OTHERS = /^(Before|ConsistsOf|RequisiteOf|JoinsNamespaceOf)$/;

/** What systemd says of a unit, without what belongs to this run of it. */
async function describeUnit(unit: string): Promise<Readonly<Record<string, string>>> {
  const shown = [...(await showUnit(unit))].filter(([name]) => !OF_THE_RUN.some((pattern) => pattern.test(name)));
  return Object.fromEntries(
    shown.map(([name, value]) => {
      if (OF_OTHERS.test(name)) return [name, value.split(' ').sort().join(' ')];
      return [name, value.replaceAll(/(start|stop)_time=\[[^\]]*\]|pid=\d+/g, '')];
    }),
  );
}

/**
 * A card of the golden cases, made to run on this host: the words of its command are kept as words of a program that
 * waits, its workspace lies in the suite's directory, and what is not on this host is left out.
 */
function runnable(golden: Readonly<Record<string, unknown>>): TestCard {
  const words = (golden['command'] ?? []) as readonly string[];
  const { read_only: paths = [] } = (golden['filesystem'] ?? {}) as { read_only?: readonly string[] };
  const { agent_id: _id, workspace: _workspace, autostart: _autostart, ...others } = golden;
  const { proxy_credentials_file: _file, network = {}, ...rest } = withKeys(others);
  return bench.card({
    ...rest,
    // This host forwards nothing, which direct connections need.
    network: { ...(network as object), allow: [] },
    restart: golden['restart'] ?? 'on-failure',
    filesystem: { read_only: paths.filter((path) => existsSync(path)) },
    command: ['bash', '-c', 'exec sleep infinity', ...words],
  });
}

/** The same card with a key that this host has. */
function withKeys(card: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { api_key_file: file, credentials = [] } = card;
  const path = join(bench.directory, 'key');
  writeFileSync(path, 'sk-of-the-test\n', { mode: 0o600 });
  const listed = (credentials as readonly object[]).map((entry) => ({ ...entry, api_key_file: path }));
  const short = file === undefined ? {} : { api_key_file: path };
  return { ...card, ...short, ...(listed.length === 0 ? {} : { credentials: listed }) };
}

/** Whether a case is for hosts that are configured to allow it, which this one is not. */
function needsConfiguration(name: string): boolean {
  return /"allowHostNetwork": true/.test(readFileSync(join(GOLDEN, name, 'case.json'), 'utf8'));
}

const cases = readdirSync(GOLDEN, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(GOLDEN, entry.name, 'unit.txt')))
  .filter((entry) => !needsConfiguration(entry.name))
  .map((entry) => entry.name);

for (const name of cases) {
  test(`the card ${name} is the same unit, whether it is spawned or declared`, async () => {
    const card = runnable(JSON.parse(readFileSync(join(GOLDEN, name, 'card.json'), 'utf8')) as Record<string, unknown>);
    const unit = unitOf(card.agent_id);
    await detachAgent(card);
    const spawned = await describeUnit(unit);
    await succeed(runCommand(['systemctl', 'daemon-reload']));
    assert.deepEqual(await describeUnit(unit), spawned, 'PID 1 reads it back as it was told');
    await agentctl('stop', card.agent_id);
    await agentctl('rm', card.agent_id);
    await declareCard(card);
    await succeed(runCommand(['systemctl', 'start', unit]));
    const declared = await describeUnit(unit);
    await withdrawCard(card.agent_id);
    assert.deepEqual(declared, spawned);
    assert.ok(Object.keys(declared).length > 150, 'systemd shows its properties');
    assert.match(declared['ExecStart'] ?? '', /bwrap/);
  });
}

test('there are golden cards to compare', () => {
  assert.ok(cases.length >= 5, cases.join(' '));
});
