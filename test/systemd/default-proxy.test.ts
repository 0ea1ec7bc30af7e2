import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { agentctl, succeed, type TestCard } from '../helpers/agents.ts';
import { runCommand } from '../helpers/commands.ts';
import { startDaemon, stopDaemon } from '../helpers/daemon.ts';
import { declareCard, withdrawCard } from '../helpers/declared-cards.ts';
import { bothForms, EgressStage } from '../helpers/egress-stage.ts';
import { WORLD_ADDRESS } from '../helpers/internet.ts';
import type { Puppet } from '../helpers/puppet.ts';
import { UpstreamProxy } from '../helpers/upstream-proxies.ts';

// The proxy of config.json, which agents are chained to whose card names none.

const CONFIG = '/etc/agent-spawn/config.json';
const RULES = { allowed_hosts: ['api.example.com'] };

let stage: EgressStage;
let fallback: UpstreamProxy;
let own: UpstreamProxy;
before(async () => {
  stage = await EgressStage.open({ ignoreLeaks: /agent-spawnd\.cjs/ });
  fallback = await UpstreamProxy.start(stage.internet, 'squid');
  own = await UpstreamProxy.start(stage.internet, 'tinyproxy');
  assert.equal(existsSync(CONFIG), false, 'the host of the test has no configuration of its own');
  mkdirSync('/etc/agent-spawn', { recursive: true });
  await configure({ proxy: fallback.url });
});
after(async () => {
  await configure(null);
  await own?.stop();
  await fallback?.stop();
  await stage?.close();
});

/** Gives the daemon another configuration, or none. */
async function configure(config: object | null): Promise<void> {
  await stopDaemon();
  if (config === null) rmSync(CONFIG, { force: true });
  else writeFileSync(CONFIG, JSON.stringify(config));
  await startDaemon();
}

/** Where what an agent asks for goes to, when it arrives. */
async function way(puppet: Puppet): Promise<readonly string[]> {
  await stage.internet.clear();
  assert.deepEqual(await stage.verdicts(puppet, bothForms('api.example.com')), ['200', '200']);
  return [...new Set(await stage.connections())];
}

/** What the plan of a card says of an upstream proxy. */
async function planned(card: TestCard): Promise<string | null> {
  const plan = await succeed(runCommand(['agent-spawn', '--dry-run', '-'], { stdin: JSON.stringify(card) }));
  return /^ *Upstream proxy: .*/m.exec(plan.stdout)?.[0].trim() ?? null;
}

test('an agent whose card names no proxy goes through that of the configuration, and one with its own through that', async () => {
  const [chained, chosen] = [await stage.agent(RULES), await stage.agent({ ...RULES, proxy: own.url })];
  assert.deepEqual(await way(chained), [`${WORLD_ADDRESS} ${fallback.port}`]);
  assert.deepEqual(await way(chosen), [`${WORLD_ADDRESS} ${own.port}`]);
  const audits = [await agentctl('audit', chained.id), await agentctl('audit', chosen.id)];
  assert.match(audits[0]?.stdout ?? '', /by way of .*:3129 \(from config\.json\)\n/);
  assert.match(audits[1]?.stdout ?? '', /by way of .*:8888\n/);
  const rules = [await agentctl('export', 'squid', chained.id), await agentctl('export', 'squid', chosen.id)];
  assert.match(rules[0]?.stdout ?? '', /^# The upstream proxy of the agent is .*:3129 \(from config\.json\)\.\n/);
  assert.match(rules[1]?.stdout ?? '', /^# The upstream proxy of the agent is .*:8888 \(from its card\)\.\n/);
});

test('the plan says which proxy there will be, and where it is named', async () => {
  const card = stage.bench.card({ ...RULES, command: ['true'] });
  assert.equal(await planned(card), `Upstream proxy: ${fallback.url} (from config.json)`);
  assert.equal(await planned({ ...card, proxy: own.url }), `Upstream proxy: ${own.url}`);
  assert.equal(await planned({ ...card, network: { mode: 'none' } }), null);
});

test('a declared agent has the proxy of the configuration, too', async () => {
  const card = stage.bench.card({ ...RULES, command: ['sleep', 'infinity'] });
  await declareCard(card);
  try {
    const { stdout } = await agentctl('inspect', card.agent_id);
    assert.match(stdout, new RegExp(`Upstream proxy: ${fallback.url} \\(from config\\.json\\)`));
    await succeed(agentctl('start', card.agent_id));
    assert.match((await agentctl('audit', card.agent_id)).stdout, /by way of .*:3129 \(from config\.json\)\n/);
  } finally {
    await withdrawCard(card.agent_id);
  }
});

test('an agent that runs keeps its way when the configuration changes, and the next one goes directly', async () => {
  const chained = await stage.agent(RULES);
  await configure(null);
  const direct = await stage.agent(RULES);
  assert.deepEqual(await way(chained), [`${WORLD_ADDRESS} ${fallback.port}`]);
  assert.deepEqual(await way(direct), ['11.0.0.7 443', '11.0.0.7 80']);
});

test('a configuration that is refused stops the daemon, and every reason is in the journal', async () => {
  await stopDaemon();
  writeFileSync(CONFIG, '{"proxy": "squid:3128", "log_levle": "info"}');
  try {
    const started = await runCommand(['systemctl', 'start', 'agent-spawnd.service']);
    assert.notEqual(started.status, 0);
    const journal = await succeed(runCommand(['journalctl', '-q', '-o', 'cat', '-u', 'agent-spawnd.service']));
    assert.match(journal.stdout, /config\.json: \/log_levle: .* Write "log_level"\.\n/);
    assert.match(journal.stdout, /config\.json: \/proxy: .* Write "http:\/\/squid:3128"\.\n/);
  } finally {
    await configure(null);
  }
});
