import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCard } from '../../src/card/parse.ts';
import { resolveCard } from '../../src/card/resolve.ts';
import type { EgressSecrets } from '../../src/plan/egress.ts';
import type { HostFacts } from '../../src/plan/facts.ts';
import type { NetworkPlan } from '../../src/plan/network.ts';
import { type Plan, planAgent, unitText } from '../../src/plan/plan.ts';
import { describeStep } from '../../src/plan/step.ts';
import type { EgressRule, Gateway } from '../../src/policy/table.ts';
import { CHECKOUT } from '../helpers/checkout.ts';
import { hostFacts } from '../helpers/facts.ts';

/** What a case adds to its card: the start's arguments, and facts that differ from a plain Debian host's. */
interface GoldenCase {
  readonly about: string;
  readonly origin: 'spawned' | 'declared';
  readonly arguments: readonly string[];
  readonly facts: Partial<HostFacts>;
  readonly allowHostNetwork?: boolean;
  readonly proxy?: string;
}

const GOLDEN = join(CHECKOUT, 'test/golden');
const REWRITE = process.env['GOLDEN'] === 'rewrite';

const cases = readdirSync(GOLDEN, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

for (const name of cases) {
  test(`the plan of ${name} is the recorded one`, () => {
    for (const [file, text] of Object.entries(render(join(GOLDEN, name)))) {
      const path = join(GOLDEN, name, file);
      if (REWRITE) writeFileSync(path, text);
      const recorded = existsSync(path) ? readFileSync(path, 'utf8') : '(no such file; npm run golden writes it)';
      assert.equal(text, recorded, `${name}/${file}`);
    }
  });
}

test('there are golden cases', () => {
  assert.ok(cases.length >= 6);
});

/** The recorded texts of one case: what a reviewer reads. */
function render(directory: string): Record<string, string> {
  const bytes = readFileSync(join(directory, 'card.json'));
  const spec = JSON.parse(readFileSync(join(directory, 'case.json'), 'utf8')) as GoldenCase;
  const parsed = parseCard(bytes, { format: 'json' });
  assert.ok(parsed.ok, 'the card of a golden case is valid');
  const card = resolveCard(parsed.value, spec.origin);
  const facts = hostFacts(card.workspace, spec.facts);
  const result = planAgent(
    {
      card,
      arguments: spec.arguments,
      agentUid: 1_900_000_000,
      uidRange: { first: 1_900_000_000, count: 65_536 },
      agentsRunDirectory: '/run/agent-spawn/agents',
      homesDirectory: '/run/agent-spawn/homes',
      allowHostNetwork: spec.allowHostNetwork ?? false,
      proxy: spec.proxy ?? null,
      linkIndex: card.network.mode === 'veth' ? 1 : null,
    },
    facts,
  );
  if (!result.ok) return { 'refused.json': `${JSON.stringify(result.problems, null, 2)}\n` };
  return {
    'argv.txt': argvText(result.value.bwrap),
    'egress.txt': egressText(result.value.network),
    'environment.txt': result.value.environment.map(({ name, value, origin }) => `${name}=${value}    # ${origin}\n`).join(''),
    'steps.txt': stepsText(result.value),
    'unit.txt': unitText(result.value, []),
    ...filesText(result.value),
    ...unitsText(result.value),
    ...Object.fromEntries((result.value.network.veth?.files ?? []).map(({ name, content }) => [name, content])),
  };
}

/** The units of its home and of published ports, one after the other; nothing for an agent that has none. */
function unitsText({ home, publish }: Plan): Record<string, string> {
  const homes = home.steps.flatMap((step) => (step.kind === 'home.prepare' ? [step.arguments.unit] : []));
  const texts = [...homes, ...publish.units].map(({ name, text }) => `# ${name}\n${text}`);
  return texts.length === 0 ? {} : { 'units.txt': texts.join('\n') };
}

/** What configures the agent's program; nothing for one that has no such files. */
function filesText({ preparation }: Plan): Record<string, string> {
  const files = preparation.flatMap((step) => (step.kind === 'files.write' ? step.arguments.files : []));
  const texts = files.flatMap(({ name, path, content }) => (path === `/etc/${name}` ? [] : [`# ${path}\n${content}`]));
  return texts.length === 0 ? {} : { 'files.txt': texts.join('\n') };
}

/** One option with its operands per line. */
function argvText(argv: readonly string[]): string {
  return `${argv.map((word, index) => (index > 0 && word.startsWith('--') ? `\n${word}` : `${index > 0 ? ' ' : ''}${word}`)).join('')}\n`;
}

/** What may be reached, and how: one line per rule, with the place in the card it comes from. */
function egressText({ mode, explanation, proxyUrl, egress }: NetworkPlan): string {
  const lines = [`${mode}: ${explanation}`, `programs are told of ${proxyUrl ?? 'no proxy'}`];
  if (egress === null) return `${lines.join('\n')}\n`;
  const { policy, upstream, caps, gateways, budget } = egress.table;
  const rules = [...policy.allow.map((rule) => ruleText('allow', rule)), ...policy.deny.map((rule) => ruleText('deny', rule))];
  const way = upstream === null ? 'directly' : `through ${upstream.scheme}://${upstream.host}:${upstream.port}`;
  const from = upstream?.from === undefined ? '' : ` (from ${upstream.from})`;
  const who = egress.secrets.upstream === null ? '' : ` with the credentials in ${egress.secrets.upstream}`;
  const most = `at most ${caps.maxBytes ?? 'any number of'} bytes, ${caps.requestsPerMinute ?? 'any number of'} requests per minute`;
  const ways = gateways.map((gateway) => gatewayText(gateway, egress.secrets));
  const spent = `at most ${budget.requests ?? 'any number of'} calls of models and ${budget.tokens ?? 'any number of'} tokens`;
  return `${[...lines, ...rules, `${way}${who}${from}`, most, ...ways, ...(ways.length === 0 ? [] : [spent])].join('\n')}\n`;
}

/** Where a gateway leads and how its key is sent. */
function gatewayText(gateway: Gateway, secrets: EgressSecrets): string {
  const { mount, base, field, username, key, placeholder, pointer } = gateway;
  assert.equal(key, null, 'a plan holds no key');
  const host = base.host.includes(':') ? `[${base.host}]` : base.host;
  const source = secrets.gateways.find((secret) => secret.mount === mount);
  const how = `${field.name}: ${[field.word, username === null ? '' : `${username}:`].join(' ').trim()}`.trim();
  const sent = source === undefined ? 'without a key' : `with "${how}" and the key in ${source.source} (${source.pointer})`;
  return `${mount} to ${base.scheme}://${host}:${base.port}${base.path} ${sent}, in place of ${placeholder ?? 'nothing'}    # ${pointer}`;
}

function ruleText(verdict: string, { host, ports, methods, paths, protocol, pointer, reason }: EgressRule): string {
  const ports_ = ports === null ? 'any port' : `ports ${ports.join(' ')}`;
  const limits = [...(methods ?? []), ...(paths ?? [])].join(' ');
  const words = [verdict, host, ports_, protocol, ...(limits === '' ? [] : [limits])];
  return `${words.join(', ')}    # ${pointer}${reason === null ? '' : `: ${reason}`}`;
}

function stepsText(plan: Plan): string {
  const user = `runs as ${plan.user.name}, uid ${plan.user.uid}, gid ${plan.user.gid}: ${plan.user.reason}`;
  return [user, ...plan.preparation.map(describeStep), ...plan.notices].map((line) => `${line}\n`).join('');
}
