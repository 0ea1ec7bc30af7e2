import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CHECKOUT } from '../helpers/checkout.ts';
import { evaluateNix, evaluateWithNixpkgs, skipWithoutNixpkgs } from '../helpers/nix.ts';
import { acceptCards } from './cards.ts';

// Virtual machines of NixOS, which nothing here can build: what can be known of them without that.

const DIRECTORY = 'nix/tests';
const SCENARIOS = ['callers.nix', 'declared.nix', 'secrets.nix', 'upgrade.nix'];
/** What the driver of NixOS has a machine do, of which scripts may use what they like. */
const METHODS = new Set([
  ...['execute', 'fail', 'get_unit_info', 'get_unit_property', 'require_unit_state', 'succeed', 'systemctl'],
  ...['shutdown', 'start', 'wait_for_file', 'wait_for_open_port', 'wait_for_unit'],
  ...['wait_until_fails', 'wait_until_succeeds'],
]);

interface Scenario {
  readonly name: string;
  readonly maintainers: readonly unknown[];
  readonly machines: readonly string[];
  readonly script: string;
}

interface Judgement {
  readonly problems: readonly string[];
  readonly methods: readonly string[];
}

/** What was evaluated of one machine of a scenario. */
interface Machine {
  readonly refusals: readonly string[];
  readonly system: string;
  readonly cards: Readonly<Record<string, unknown>>;
}

function scenarioOf(file: string): Scenario {
  const expression = `let it = import ./${DIRECTORY}/${file}; in {
    inherit (it) name; inherit (it.meta) maintainers; machines = builtins.attrNames it.nodes; script = it.testScript;
  }`;
  return evaluateNix(expression) as Scenario;
}

/** Python's own opinion of a script, and what the linters of the driver would say. */
function judge(script: string, machines: readonly string[]): Judgement {
  const program = join(CHECKOUT, 'test/nix/judge-script.py');
  const judged = execFileSync('python3', [program], { input: JSON.stringify({ script, machines }), encoding: 'utf8' });
  return JSON.parse(judged) as Judgement;
}

test('there is a scenario in each file, and none was forgotten here', () => {
  assert.deepEqual(readdirSync(join(CHECKOUT, DIRECTORY)).sort(), SCENARIOS);
});

for (const file of SCENARIOS) {
  test(`the script of ${file} is Python that the driver takes, waits for what it needs, and asserts a denial`, () => {
    const { name, maintainers, machines, script } = scenarioOf(file);
    assert.equal(name, `agent-spawn-${file.replace('.nix', '')}`);
    assert.ok(Array.isArray(maintainers));
    const { problems, methods } = judge(script, machines);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      methods.filter((method) => !METHODS.has(method)),
      [],
    );
    assert.ok(methods.includes('wait_for_unit'));
    assert.ok(methods.includes('fail') || methods.includes('wait_until_fails'));
  });
}

test('a script with mistakes is found out', () => {
  const script = `
import time
unused = 1
for each in machine, other:
    each.suceed("true")
    time.sleep(3)
nobody.succeed(f"a text")
`;
  assert.deepEqual(judge(script, ['machine', 'other']), {
    problems: ['line 6: a pause', 'line 7: an f-string without a place', 'unknown name: nobody', 'unused name: unused'],
    methods: ['suceed'],
  });
  assert.throws(() => judge('with subtest("half"', ['machine']), /SyntaxError/);
});

test('with nixpkgs, every machine of a scenario is one that NixOS would build', async (context) => {
  if (await skipWithoutNixpkgs(context)) return;
  const scenarios = evaluateWithNixpkgs('test/nix/virtual-machines.nix') as Readonly<
    Record<string, { readonly script: string; readonly machines: Readonly<Record<string, Machine>> }>
  >;
  assert.deepEqual(Object.keys(scenarios).sort(), SCENARIOS);
  for (const [file, { script, machines }] of Object.entries(scenarios)) {
    assert.equal(script, scenarioOf(file).script);
    assert.deepEqual(Object.keys(machines), scenarioOf(file).machines);
    for (const [name, { refusals, system, cards }] of Object.entries(machines)) {
      assert.deepEqual(refusals, [], `${file}, ${name}`);
      assert.match(system, /^\/nix\/store\/[a-z0-9]{32}-nixos-system-.*\.drv$/);
      acceptCards(cards, null);
    }
  }
});

test('with nixpkgs, its driver has the methods that scripts may call', async (context) => {
  if (await skipWithoutNixpkgs(context)) return;
  const driver = join(process.env['NIXPKGS'] ?? '', 'nixos/lib/test-driver');
  const sources = readdirSync(driver, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.py'));
  const text = sources.map((path) => readFileSync(join(driver, path), 'utf8')).join('\n');
  const defined = new Set([...text.matchAll(/^ {4}def (\w+)\(/gm)].map(([, name]) => name));
  assert.deepEqual(
    [...METHODS].filter((method) => !defined.has(method)),
    [],
  );
});
